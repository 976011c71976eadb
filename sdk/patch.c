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

	patch->called = true;
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
	int i;

	if (room < 0)
		return room;
	for (object = patch->objs; object && object->funcs; object++)
		nr++;
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

	if (room < 0) {
		pr_err("klp-sdk: %s: the system's records are of a release of klp-sdk that %d.%d does not know; build with a newer one\n",
		       patch->patch.mod->name, KLP_SDK_MAJOR, KLP_SDK_MINOR);
		return room;
	}
	klp_sdk_for_each_state(patch, pos)
		nr++;

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

	/* A patch that is enabled already is left as it is. */
	ret = klp_sdk_check_patch(patch);
	if (ret)
		return ret;

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

	patch->enabling = true;
	ret = klp_enable_patch(&patch->patch);
	patch->enabling = false;
	if (ret == -EINVAL)
		klp_sdk_record_explain(patch);
	/* The core says nothing about it. */
	if (ret == -EBUSY && !patch->called)
		pr_err("klp-sdk: %s: another patch is in transition; load this one again when that has ended\n",
		       patch->patch.mod->name);
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
