// SPDX-License-Identifier: GPL-2.0
/*
 * A patch: its declarations are checked and turned into the core's arrays, and
 * the core's callbacks are turned into steps of its states.
 */
#include <linux/err.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "engine.h"

static struct klp_sdk_patch *klp_sdk_patch_of(struct klp_object *obj)
{
	return container_of(klp_sdk_compat_patch(obj), struct klp_sdk_patch,
			    patch);
}

/*
 * Which states a callback of @obj is about. vmlinux comes first in every
 * transition, and its callbacks serve all states, so that they are prepared in
 * the author's order and undone in reverse, whatever they are bound to. For the
 * callbacks of a module nothing is left to do then: these matter when the
 * module itself comes or goes.
 */
static bool klp_sdk_concerns(const struct klp_object *obj,
			     const struct klp_sdk_state *state)
{
	return state->holder && (!obj->name || state->obj == obj);
}

/* The last of the states, for the ways back, which go in reverse. */
static struct klp_sdk_state *const *klp_sdk_states_end(struct klp_sdk_patch *patch)
{
	struct klp_sdk_state *const *pos;

	klp_sdk_for_each_state(patch, pos)
		;
	return pos;
}

/* Step back to the state before @pos, if there is one. */
static bool klp_sdk_states_back(struct klp_sdk_patch *patch,
				struct klp_sdk_state *const **pos)
{
	if (*pos == patch->states)
		return false;
	(*pos)--;
	return true;
}

#define klp_sdk_for_each_state_reverse(_patch, _pos)			\
	for ((_pos) = klp_sdk_states_end(_patch);			\
	     klp_sdk_states_back(_patch, &(_pos));)

/*
 * In reverse: undo what was prepared, release what was leaving. After a pre_patch
 * that failed it must be all, here: the core will not call post_unpatch for the
 * object whose pre_patch it was.
 */
static void klp_sdk_undo(struct klp_sdk_patch *patch, struct klp_object *obj)
{
	struct klp_sdk_state *const *pos;

	klp_sdk_for_each_state_reverse(patch, pos) {
		if (!klp_sdk_concerns(obj, *pos))
			continue;
		if (klp_sdk_state_phase(*pos) == KLP_SDK_PREPARED)
			klp_sdk_state_unprepare(patch, *pos, obj->name);
		else if (klp_sdk_state_phase(*pos) == KLP_SDK_LEAVING)
			klp_sdk_state_release(patch, *pos, !obj->name);
		else if ((*pos)->how != KLP_SDK_HOW_NONE)
			klp_sdk_state_unreserve(*pos);
		if (!obj->name)
			klp_sdk_state_quit(*pos);
	}
}

static int klp_sdk_reserve_all(struct klp_sdk_patch *patch)
{
	struct klp_sdk_state *const *pos;
	int ret;

	klp_sdk_for_each_state(patch, pos) {
		ret = klp_sdk_state_join(patch, *pos);
		if (!ret && (*pos)->holder && klp_sdk_compat_loaded((*pos)->obj))
			ret = klp_sdk_state_reserve(patch, *pos);
		if (ret)
			return ret;
	}

	return klp_sdk_leavers_find(patch);
}

/* Those of a module that comes. In a transition that begins all are reserved. */
static int klp_sdk_reserve_module(struct klp_sdk_patch *patch,
				  struct klp_object *obj)
{
	struct klp_sdk_state *const *pos;
	int ret;

	klp_sdk_for_each_state(patch, pos) {
		if (!klp_sdk_concerns(obj, *pos) ||
		    klp_sdk_state_phase(*pos) != KLP_SDK_IDLE)
			continue;
		ret = klp_sdk_state_reserve(patch, *pos);
		if (ret)
			return ret;
	}

	return 0;
}

static int klp_sdk_prepare_reserved(struct klp_sdk_patch *patch)
{
	struct klp_sdk_state *const *pos;
	int ret;

	klp_sdk_for_each_state(patch, pos) {
		if (klp_sdk_state_phase(*pos) != KLP_SDK_IDLE ||
		    (*pos)->how == KLP_SDK_HOW_NONE)
			continue;
		ret = klp_sdk_state_prepare(patch, *pos);
		if (ret)
			return ret;
	}

	return 0;
}

static int klp_sdk_pre_patch(struct klp_object *obj)
{
	struct klp_sdk_patch *patch = klp_sdk_patch_of(obj);
	int ret;

	ret = obj->name ? klp_sdk_reserve_module(patch, obj) :
			  klp_sdk_reserve_all(patch);
	if (!ret) {
		/* Nothing but an author's pre_patch fails from here on. */
		klp_sdk_leavers_begin(patch, obj);
		ret = klp_sdk_prepare_reserved(patch);
	}
	if (!ret)
		return 0;

	klp_sdk_undo(patch, obj);
	/* Should a module be refused, the replaced patch undoes its states itself. */
	if (!obj->name)
		klp_sdk_leavers_back(patch);
	return ret;
}

/* The core lists now what the patch really holds, see klp_sdk_record_merge(). */
static void klp_sdk_withdraw(struct klp_sdk_patch *patch)
{
	struct klp_state *kstate = patch->patch.states;
	struct klp_sdk_state *const *pos;

	klp_sdk_for_each_state(patch, pos)
		if ((*pos)->holder)
			(*pos)->holder->kstate->version = (*pos)->props->version;
	kstate[patch->nr_states].id = 0;
}

/* The transition that enables the patch is complete. */
static void klp_sdk_settle(struct klp_sdk_patch *patch)
{
	struct klp_sdk_state *const *pos;
	bool converted = false;

	klp_sdk_for_each_state(patch, pos)
		if ((*pos)->holder) {
			klp_sdk_state_settle(patch, *pos);
			converted |= !!(*pos)->spare;
		}
	klp_sdk_withdraw(patch);
	patch->settled = true;
	if (!converted)
		return;

	/*
	 * Functions of this patch may still be in a section that used
	 * klp_sdk_prev(). One wait serves all states.
	 */
	synchronize_rcu();
	klp_sdk_for_each_state(patch, pos)
		klp_sdk_state_free_spare(*pos);
}

static void klp_sdk_post_patch(struct klp_object *obj)
{
	struct klp_sdk_patch *patch = klp_sdk_patch_of(obj);
	struct klp_sdk_state *const *pos;

	if (!obj->name)
		klp_sdk_leavers_end(patch);

	klp_sdk_for_each_state(patch, pos) {
		if (!klp_sdk_concerns(obj, *pos))
			continue;
		if (klp_sdk_state_phase(*pos) == KLP_SDK_PREPARED)
			klp_sdk_state_complete(patch, *pos);
		else if (klp_sdk_state_phase(*pos) == KLP_SDK_LEAVING)
			klp_sdk_state_stay(patch, *pos);
	}
	/* It comes again after a disable that was reversed. */
	if (!obj->name && !patch->settled)
		klp_sdk_settle(patch);
}

static void klp_sdk_pre_unpatch(struct klp_object *obj)
{
	struct klp_sdk_patch *patch = klp_sdk_patch_of(obj);
	struct klp_sdk_state *const *pos;

	klp_sdk_for_each_state_reverse(patch, pos)
		if (klp_sdk_concerns(obj, *pos) &&
		    klp_sdk_state_phase(*pos) == KLP_SDK_LIVE)
			klp_sdk_state_leave(patch, *pos);
}

static void klp_sdk_post_unpatch(struct klp_object *obj)
{
	struct klp_sdk_patch *patch = klp_sdk_patch_of(obj);

	klp_sdk_undo(patch, obj);
	if (!obj->name)
		klp_sdk_leavers_back(patch);
}

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

static int klp_sdk_check_object(struct klp_sdk_patch *patch,
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

/* The object for module @name, for vmlinux if that is empty, or NULL. */
struct klp_object *klp_sdk_find_object(const struct klp_sdk_patch *patch,
				       const char *name)
{
	struct klp_object *obj = patch->patch.objs;

	/* vmlinux is first; the others have a name. */
	if (!*name)
		return obj;
	for (obj++; obj->name; obj++)
		if (!strcmp(obj->name, name))
			return obj;

	return NULL;
}

/* There is room behind the last one. */
static struct klp_object *klp_sdk_add_object(struct klp_object *obj,
					     const char *name,
					     struct klp_func *funcs)
{
	static struct klp_func no_funcs[] = { { } };

	obj->name = name;
	obj->funcs = funcs ?: no_funcs;
	obj->callbacks.pre_patch = klp_sdk_pre_patch;
	obj->callbacks.post_patch = klp_sdk_post_patch;
	obj->callbacks.pre_unpatch = klp_sdk_pre_unpatch;
	obj->callbacks.post_unpatch = klp_sdk_post_unpatch;
	return obj;
}

/*
 * The core's array of objects: vmlinux first, whether listed or not, those that
 * the author lists, and one for each module that a state is bound to which this
 * patch has or takes away. Without it the core would not tell us of the module.
 */
static int klp_sdk_build_objects(struct klp_sdk_patch *patch)
{
	int nr = 0, room = patch->replace ? klp_sdk_record_count() : 0;
	const struct klp_sdk_object *object;
	struct klp_sdk_state *const *pos;
	struct klp_object *objs;
	int i, ret;

	if (room < 0)
		return room;
	for (object = patch->objs; object && object->funcs; object++) {
		ret = klp_sdk_check_object(patch, object);
		if (ret)
			return ret;
		nr++;
	}
	klp_sdk_for_each_state(patch, pos)
		nr++;

	/* One more for vmlinux, and the empty one that ends the array. */
	objs = kcalloc(nr + room + 2, sizeof(*objs), GFP_KERNEL);
	if (!objs)
		return -ENOMEM;
	patch->patch.objs = objs;
	if (room) {
		patch->modules = kcalloc(room, sizeof(*patch->modules),
					 GFP_KERNEL);
		if (!patch->modules)
			return -ENOMEM;
	}

	klp_sdk_add_object(objs++, NULL, NULL);
	for (object = patch->objs; object && object->funcs; object++) {
		if (object->name)
			klp_sdk_add_object(objs++, object->name, object->funcs);
		else
			patch->patch.objs->funcs = object->funcs;
	}
	klp_sdk_for_each_state(patch, pos) {
		const char *name = (*pos)->props->object ?: "";

		(*pos)->obj = klp_sdk_find_object(patch, name);
		if (!(*pos)->obj)
			(*pos)->obj = klp_sdk_add_object(objs++, name, NULL);
	}
	room = klp_sdk_record_modules(patch->modules, room);
	for (i = 0; i < room; i++)
		if (!klp_sdk_find_object(patch, patch->modules[i].name))
			klp_sdk_add_object(objs++, patch->modules[i].name,
					   NULL);

	return 0;
}

/*
 * The core's array of states, which other patches read: first those that the
 * patch holds, then those that it retires or that leave with replaced patches.
 */
static int klp_sdk_build_states(struct klp_sdk_patch *patch)
{
	int nr = 0, room = klp_sdk_record_count();
	struct klp_sdk_state *const *pos;
	struct klp_state *states;
	int ret;

	if (room < 0) {
		pr_err("klp-sdk: %s: the system's records are of a release of klp-sdk that %d.%d does not know; build with a newer one\n",
		       patch->patch.mod->name, KLP_SDK_MAJOR, KLP_SDK_MINOR);
		return room;
	}
	klp_sdk_for_each_state(patch, pos) {
		ret = klp_sdk_check_state(patch, pos);
		if (ret)
			return ret;
		nr++;
	}

	states = kcalloc(nr + room + 1, sizeof(*states), GFP_KERNEL);
	if (!states)
		return -ENOMEM;
	patch->patch.states = states;

	klp_sdk_for_each_state(patch, pos) {
		if ((*pos)->props->retire)
			continue;
		states->id = klp_sdk_state_id(*pos);
		states->version = (*pos)->props->version;
		states++;
	}
	patch->nr_states = states - patch->patch.states;
	klp_sdk_for_each_state(patch, pos) {
		if (!(*pos)->props->retire)
			continue;
		states->id = klp_sdk_state_id(*pos);
		states->version = (*pos)->props->version;
		states++;
	}
	if (patch->replace)
		klp_sdk_record_merge(patch, room);

	return 0;
}

int klp_sdk_enable_patch(struct klp_sdk_patch *patch)
{
	int ret;

	patch->patch.replace = patch->replace;
	INIT_LIST_HEAD(&patch->leavers);

	ret = klp_sdk_build_states(patch);
	if (!ret)
		ret = klp_sdk_build_objects(patch);
	if (ret == -ENOMEM)
		pr_err("klp-sdk: %s: out of memory; load it again when there is some\n",
		       patch->patch.mod->name);
	if (ret)
		goto out;

	ret = klp_enable_patch(&patch->patch);
	if (ret == -EINVAL)
		klp_sdk_record_explain(patch);
out:
	if (ret)
		klp_sdk_free_patch(patch);
	return ret;
}

void klp_sdk_free_patch(struct klp_sdk_patch *patch)
{
	kfree(patch->patch.objs);
	kfree(patch->patch.states);
	kfree(patch->modules);
	patch->modules = NULL;
	patch->patch.objs = NULL;
	patch->patch.states = NULL;
}
