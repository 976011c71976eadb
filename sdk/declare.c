// SPDX-License-Identifier: GPL-2.0
/*
 * Checks of a declaration that the compiler cannot make. They read nothing of the system:
 * a declaration is right or wrong wherever it is loaded.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/kallsyms.h>
#include <linux/string.h>

#include "engine.h"

/* The older versions: without a gap, each once, and older indeed. */
static int klp_sdk_check_migrations(struct klp_sdk_patch *patch,
				    const struct klp_sdk_state *state)
{
	const struct klp_sdk_state_props *props = state->props;
	u32 versions[2 * KLP_SDK_MAX_FROM];
	int i, k, nr = 0;

	for (i = 0; i < KLP_SDK_MAX_FROM; i++) {
		if (props->convert[i].how)
			versions[nr++] = props->convert[i].how->migration.version;
		if (props->grow[i].how)
			versions[nr++] = props->grow[i].how->migration.version;
		if ((props->convert[i].how && !props->convert[0].how) ||
		    (props->grow[i].how && !props->grow[0].how)) {
			klp_sdk_state_err(patch, state,
					  "the first entry of .convert or .grow is empty; list migrations from the start");
			return -EINVAL;
		}
	}
	for (i = 0; i < nr; i++) {
		if (versions[i] >= props->version) {
			klp_sdk_state_err(patch, state,
					  "migration from version %u is not from an older one than %u; correct .convert or .grow",
					  versions[i], props->version);
			return -EINVAL;
		}
		for (k = 0; k < i; k++) {
			if (versions[k] != versions[i])
				continue;
			klp_sdk_state_err(patch, state,
					  "two migrations from version %u; keep one",
					  versions[i]);
			return -EINVAL;
		}
	}

	return 0;
}

/* The older versions that the state can go back to: the same. */
static int klp_sdk_check_back(struct klp_sdk_patch *patch,
			      const struct klp_sdk_state *state)
{
	const struct klp_sdk_state_props *props = state->props;
	int i, k;

	for (i = 0; i < KLP_SDK_MAX_BACK; i++) {
		const struct klp_sdk_back *how = props->back[i].how;

		if (!how)
			continue;
		if (how->version >= props->version) {
			klp_sdk_state_err(patch, state,
					  "the way back to version %u is not to an older one than %u; correct .back",
					  how->version, props->version);
			return -EINVAL;
		}
		for (k = 0; k < i; k++) {
			if (!props->back[k].how ||
			    props->back[k].how->version != how->version)
				continue;
			klp_sdk_state_err(patch, state,
					  "two ways back to version %u; keep one",
					  how->version);
			return -EINVAL;
		}
	}

	return 0;
}

/* A letter that no module has in its name. */
static bool klp_sdk_odd_letter(const char *name)
{
	for (; *name; name++)
		if (!isgraph(*name) || strchr("-./", *name))
			return true;

	return false;
}

/* The name of a module, as the core knows it. */
static int klp_sdk_check_module_name(struct klp_sdk_patch *patch,
				     const char *what, const char *name)
{
	if (!strcmp(name, "vmlinux"))
		pr_err("klp-sdk: %s: %s: vmlinux is no module; use NULL for it\n",
		       patch->patch.mod->name, what);
	else if (!strcmp(name, patch->patch.mod->name))
		pr_err("klp-sdk: %s: %s: '%s' is this patch itself; name the module that it changes\n",
		       patch->patch.mod->name, what, name);
	else if (!*name || strlen(name) >= MODULE_NAME_LEN ||
		 klp_sdk_odd_letter(name))
		pr_err("klp-sdk: %s: %s: '%s' is no name of a module; write it as lsmod does\n",
		       patch->patch.mod->name, what, name);
	else
		return 0;

	return -EINVAL;
}

/* A conversion has one slot for what klp_sdk_prev() reads. */
static bool klp_sdk_shares_convert(const struct klp_sdk_state *state,
				   const struct klp_sdk_state *other)
{
	int i, k;

	for (i = 0; i < KLP_SDK_MAX_FROM; i++)
		for (k = 0; k < KLP_SDK_MAX_FROM; k++)
			if (state->props->convert[i].how &&
			    state->props->convert[i].how ==
			    other->props->convert[k].how)
				return true;

	return false;
}

/* The fault of the first entry that a list lacks, or should not have. */
#define klp_sdk_list_fault(_listed, _macro)				\
	((_listed) ? "it is NULL, and the list would end there; leave it out" : \
		     "it is in an array of your own; list it with " _macro)

/* How many of @nr entries there are in @list, not counting NULLs that end it. */
#define klp_sdk_list_length(_list, _nr)					\
({									\
	unsigned int __nr = (_nr);					\
									\
	while (__nr && !(_list)[__nr - 1])				\
		__nr--;							\
	__nr;								\
})

/* klp_sdk_shadows_check() says what is wrong with those that are listed. */
static int klp_sdk_check_shadows(struct klp_sdk_patch *patch,
				 const struct klp_sdk_state *state)
{
	struct klp_sdk_shadow *const *shadow;
	unsigned int nr = 0;

	klp_sdk_for_each_shadow(state, shadow)
		nr++;
	if (nr == klp_sdk_list_length(state->props->shadows,
				      state->props->nr_shadows))
		return 0;

	klp_sdk_state_err(patch, state, ".shadows, entry %u: %s",
			  state->props->nr_shadows ? nr + 1 : 1,
			  klp_sdk_list_fault(state->props->nr_shadows,
					     "KLP_SDK_SHADOWS()"));
	return -EINVAL;
}

/* Checks of one state that the compiler cannot make. */
static int klp_sdk_check_state(struct klp_sdk_patch *patch,
			       struct klp_sdk_state *const *pos)
{
	struct klp_sdk_state *state = *pos;
	const struct klp_sdk_state_props *props = state->props;
	struct klp_sdk_state *const *other;
	int ret;

	if (!klp_sdk_state_id(state) || !props->version || !state->size) {
		klp_sdk_state_err(patch, state,
				  "id, version and size must not be 0; correct KLP_SDK_STATE()");
		return -EINVAL;
	}
	if (strlen(state->name) >= KLP_SDK_NAME_LEN) {
		klp_sdk_state_err(patch, state,
				  "the name is too long; use at most %d letters",
				  KLP_SDK_NAME_LEN - 1);
		return -EINVAL;
	}
	if (props->object &&
	    klp_sdk_check_module_name(patch, state->name, props->object))
		return -EINVAL;
	if (props->retire && !patch->replace) {
		klp_sdk_state_err(patch, state,
				  "only a patch that replaces others can retire a state; set .replace");
		return -EINVAL;
	}
	for (other = patch->states; other != pos; other++) {
		if (*other == state) {
			klp_sdk_state_err(patch, state,
					  "it is listed twice; list it once");
			return -EINVAL;
		}
		if (klp_sdk_state_id(*other) == klp_sdk_state_id(state)) {
			klp_sdk_state_err(patch, state,
					  "state '%s' of this patch has the same id; give each its own",
					  (*other)->name);
			return -EINVAL;
		}
		if (klp_sdk_shares_convert(state, *other)) {
			klp_sdk_state_err(patch, state,
					  "state '%s' has the same KLP_SDK_CONVERT(); give each its own",
					  (*other)->name);
			return -EINVAL;
		}
	}
	ret = klp_sdk_check_shadows(patch, state);
	if (!ret)
		ret = klp_sdk_shadows_check(patch, pos);
	if (!ret)
		ret = klp_sdk_check_migrations(patch, state);
	return ret ?: klp_sdk_check_back(patch, state);
}

/* One line per mistake in a function: patch, object, entry, what is wrong. */
#define klp_sdk_func_err(_patch, _object, _i, fmt, ...)			\
	pr_err("klp-sdk: %s: object '%s', function %u: " fmt "\n",	\
	       (_patch)->patch.mod->name, klp_sdk_listed_name(_object),	\
	       (_i) + 1, ##__VA_ARGS__)

static const char *klp_sdk_listed_name(const struct klp_sdk_object *object)
{
	return object->name ?: "vmlinux";
}

/*
 * Two entries of one name are two functions if each says which it is. That the name is
 * unique, which is what 0 says, and that it is the first, are the same to the core.
 */
static int klp_sdk_check_same_name(struct klp_sdk_patch *patch,
				   const struct klp_sdk_object *object,
				   unsigned int i)
{
	const struct klp_func *func = &object->funcs[i], *other;
	unsigned int k;

	for (k = 0; k < i; k++) {
		other = &object->funcs[k];
		if (strcmp(other->old_name, func->old_name))
			continue;
		if ((other->old_sympos ?: 1) == (func->old_sympos ?: 1))
			klp_sdk_func_err(patch, object, i,
					 "'%s' is function %u as well; keep one, or give each its .old_sympos",
					 func->old_name, k + 1);
		else if (!other->old_sympos || !func->old_sympos)
			klp_sdk_func_err(patch, object, i,
					 "'%s' is function %u as well, and one of them has no .old_sympos; number both from 1",
					 func->old_name, k + 1);
		else
			continue;
		return -EINVAL;
	}

	return 0;
}

/* The core refuses the first ones without a word, or dereferences NULL. */
static int klp_sdk_check_func(struct klp_sdk_patch *patch,
			      const struct klp_sdk_object *object,
			      unsigned int i)
{
	const struct klp_func *func = &object->funcs[i];

	if (!func->old_name || !*func->old_name) {
		klp_sdk_func_err(patch, object, i,
				 "it has no .old_name; name the function to be replaced");
		return -EINVAL;
	}
	if (strlen(func->old_name) >= KSYM_NAME_LEN) {
		klp_sdk_func_err(patch, object, i,
				 ".old_name has %zu letters, no symbol has more than %d; correct it",
				 strlen(func->old_name), KSYM_NAME_LEN - 1);
		return -EINVAL;
	}
	if (!func->new_func) {
		klp_sdk_func_err(patch, object, i,
				 "'%s' has no .new_func; give it the function that replaces it",
				 func->old_name);
		return -EINVAL;
	}
	if (!klp_sdk_compat_is_code(patch->patch.mod, func->new_func)) {
		klp_sdk_func_err(patch, object, i,
				 ".new_func of '%s' is data, or is freed after the module's init; give it a function that is not __init",
				 func->old_name);
		return -EINVAL;
	}
	if (!klp_sdk_compat_func_clean(func)) {
		klp_sdk_func_err(patch, object, i,
				 "'%s' sets fields that are the core's, or was enabled before; set .old_name, .new_func and .old_sympos only",
				 func->old_name);
		return -EINVAL;
	}

	return klp_sdk_check_same_name(patch, object, i);
}

/* The functions up to the empty entry, where the core stops. */
static int klp_sdk_check_funcs(struct klp_sdk_patch *patch,
			       const struct klp_sdk_object *object)
{
	unsigned int i, end = 0;
	int ret;

	while (end < object->nr_funcs && (object->funcs[end].old_name ||
					  object->funcs[end].new_func ||
					  object->funcs[end].old_sympos))
		end++;
	if (end + 1 != object->nr_funcs) {
		pr_err("klp-sdk: %s: object '%s': the functions have %s; end them with one { }\n",
		       patch->patch.mod->name, klp_sdk_listed_name(object),
		       end < object->nr_funcs ? "an empty entry before the last" :
						"no empty entry at the end");
		return -EINVAL;
	}
	if (within_module_init((unsigned long)object->funcs, patch->patch.mod)) {
		pr_err("klp-sdk: %s: object '%s': the functions are freed after the module's init; their array must not be __initdata\n",
		       patch->patch.mod->name, klp_sdk_listed_name(object));
		return -EINVAL;
	}
	for (i = 0; i < end; i++) {
		ret = klp_sdk_check_func(patch, object, i);
		if (ret)
			return ret;
	}

	return 0;
}

/* The core puts each entry into a list, and each into its own folder of sysfs. */
static bool klp_sdk_shares_funcs(const struct klp_sdk_object *object,
				 const struct klp_sdk_object *other)
{
	return object->funcs < other->funcs + other->nr_funcs &&
	       other->funcs < object->funcs + object->nr_funcs;
}

static int klp_sdk_check_object(struct klp_sdk_patch *patch,
				const struct klp_sdk_object *object)
{
	const char *name = klp_sdk_listed_name(object);
	const struct klp_sdk_object *other;

	/* The lists that the engine reads end at the first such entry. */
	if (!object->funcs) {
		pr_err("klp-sdk: %s: object '%s', entry %zu of .objs, has no functions; make it with KLP_SDK_OBJECT() or leave it out\n",
		       patch->patch.mod->name, name, object - patch->objs + 1);
		return -EINVAL;
	}
	if (object->name &&
	    klp_sdk_check_module_name(patch, "KLP_SDK_OBJECT()", object->name))
		return -EINVAL;
	for (other = patch->objs; other != object; other++) {
		if (!strcmp(klp_sdk_listed_name(other), name)) {
			pr_err("klp-sdk: %s: object '%s' is listed twice; put its functions in one array\n",
			       patch->patch.mod->name, name);
			return -EINVAL;
		}
		if (klp_sdk_shares_funcs(object, other)) {
			pr_err("klp-sdk: %s: object '%s' has the functions of object '%s'; give each an array of its own\n",
			       patch->patch.mod->name, name,
			       klp_sdk_listed_name(other));
			return -EINVAL;
		}
	}

	return klp_sdk_check_funcs(patch, object);
}

static int klp_sdk_check_states(struct klp_sdk_patch *patch)
{
	struct klp_sdk_state *const *pos;
	unsigned int nr = 0;
	int ret;

	klp_sdk_for_each_state(patch, pos)
		nr++;
	/* A NULL that ends the list loses nothing. */
	if (nr != klp_sdk_list_length(patch->states, patch->nr_listed)) {
		pr_err("klp-sdk: %s: .states, entry %u: %s\n",
		       patch->patch.mod->name, patch->nr_listed ? nr + 1 : 1,
		       klp_sdk_list_fault(patch->nr_listed,
					  "KLP_SDK_STATES()"));
		return -EINVAL;
	}

	klp_sdk_for_each_state(patch, pos) {
		ret = klp_sdk_check_state(patch, pos);
		if (ret)
			return ret;
	}

	return 0;
}

static int klp_sdk_check_objects(struct klp_sdk_patch *patch)
{
	unsigned int i;
	int ret;

	if (patch->objs && !patch->nr_objs) {
		pr_err("klp-sdk: %s: .objs, entry 1: %s\n",
		       patch->patch.mod->name,
		       klp_sdk_list_fault(0, "KLP_SDK_OBJECTS()"));
		return -EINVAL;
	}
	for (i = 0; i < patch->nr_objs; i++) {
		ret = klp_sdk_check_object(patch, &patch->objs[i]);
		if (ret)
			return ret;
	}

	return 0;
}

/*
 * All that a person can get wrong in KLP_SDK_PATCH() and what it lists, before the core
 * sees any of it and before anything is built.
 */
int klp_sdk_check_patch(struct klp_sdk_patch *patch)
{
	const struct module *mod = patch->patch.mod;
	int ret;

	if (!mod) {
		pr_err("klp-sdk: a patch has no module; build it as one, and declare it with KLP_SDK_PATCH()\n");
		return -EINVAL;
	}
	if (!klp_sdk_compat_patch_clean(&patch->patch)) {
		pr_err("klp-sdk: %s: .patch is the SDK's, and is set or was enabled before; set .objs, .states and .replace, and enable a patch once\n",
		       mod->name);
		return -EINVAL;
	}
	/* The module could be unloaded meanwhile, or its init still fail. */
	if (mod->state != MODULE_STATE_COMING) {
		pr_err("klp-sdk: %s: a patch is enabled by the init of its module only; call klp_sdk_enable_patch() there\n",
		       mod->name);
		return -EINVAL;
	}
	if (!patch->objs && !patch->states && !patch->replace) {
		pr_err("klp-sdk: %s: the patch has no objects and no states and replaces no other; set .objs, .states or .replace\n",
		       mod->name);
		return -EINVAL;
	}

	ret = klp_sdk_check_states(patch);
	return ret ?: klp_sdk_check_objects(patch);
}
