// SPDX-License-Identifier: GPL-2.0
/*
 * What the compiler could not check of a declaration. It reads nothing of the system:
 * a declaration is right or wrong wherever it is loaded.
 */
#include <linux/err.h>
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

/* The name of a module, as the core knows it. */
static int klp_sdk_check_module_name(struct klp_sdk_patch *patch,
				     const char *what, const char *name)
{
	if (!strcmp(name, "vmlinux"))
		pr_err("klp-sdk: %s: %s: vmlinux is no module; use NULL for it\n",
		       patch->patch.mod->name, what);
	else if (!*name || strlen(name) >= MODULE_NAME_LEN ||
		 strpbrk(name, "-./"))
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

/* What the compiler could not check of one state. */
int klp_sdk_check_state(struct klp_sdk_patch *patch,
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
	ret = klp_sdk_shadows_check(patch, pos);
	return ret ?: klp_sdk_check_migrations(patch, state);
}

int klp_sdk_check_object(struct klp_sdk_patch *patch,
			 const struct klp_sdk_object *object)
{
	const char *name = object->name ?: "vmlinux";
	const struct klp_sdk_object *other;
	unsigned int end = 0;

	if (object->name &&
	    klp_sdk_check_module_name(patch, "KLP_SDK_OBJECT()", object->name))
		return -EINVAL;
	/* The core stops at the first empty entry, and patches no more. */
	while (end < object->nr_funcs && (object->funcs[end].old_name ||
					  object->funcs[end].new_func ||
					  object->funcs[end].old_sympos))
		end++;
	if (end + 1 != object->nr_funcs) {
		pr_err("klp-sdk: %s: object '%s': the functions have %s; end them with one { }\n",
		       patch->patch.mod->name, name,
		       end < object->nr_funcs ? "an empty entry before the last" :
						"no empty entry at the end");
		return -EINVAL;
	}
	for (other = patch->objs; other != object; other++) {
		if (strcmp(other->name ?: "vmlinux", name))
			continue;
		pr_err("klp-sdk: %s: object '%s' is listed twice; put its functions in one array\n",
		       patch->patch.mod->name, name);
		return -EINVAL;
	}

	return 0;
}
