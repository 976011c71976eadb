// SPDX-License-Identifier: GPL-2.0
/*
 * The steps of one state in one patch, from one phase to another.
 *
 *            prepare              complete              leave             release
 *   IDLE ---------------> PREPARED -------> LIVE -------------> LEAVING ---------> IDLE
 *     ^      unprepare      |                ^        stay         |
 *     `---------------------'                `---------------------'
 *
 * They are made when the patch is enabled and disabled, which hold.c precedes and
 * follows, and each time the module is loaded and unloaded that the state is
 * bound to. That may be at any moment of a transition, with the state's other
 * holders anywhere on this path: what a step does depends on their phases
 * and on whether there is data, never on why it was called.
 *
 * prepare takes all memory and may refuse; no other step can fail. Nothing
 * that the replaced patch uses is changed before complete, so that a reversed
 * transition leaves that patch as it was.
 *
 * Memory ordering. The slots are written while functions of this patch may be
 * called on other CPUs:
 * - What prepare writes must be seen by every task that is switched to this
 *   patch. klp_start_transition() marks the tasks only after all pre_patch
 *   callbacks, with stores that have no release order; the smp_wmb() at the end
 *   of klp_sdk_state_prepare() puts the slots first. A task reads them after
 *   test_and_clear of its TIF_PATCH_PENDING, a full barrier, or after another
 *   CPU switched it under its run queue's lock.
 * - complete publishes an object to tasks that run the new code already:
 *   smp_store_release() against the address dependency of the reader.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "engine.h"

/*
 * The data of a patch without the SDK, from the core's state. If it is no object of
 * its own it is never freed, and copied if it is not converted.
 */
static int klp_sdk_take_raw(struct klp_sdk_patch *patch,
			    struct klp_sdk_state *state)
{
	size_t want = state->from ? state->from->old_size : state->size;
	/* The system's from now on. */
	void *data = (void __force *)klp_sdk_compat_prev_data(state->raw);
	size_t size = klp_sdk_compat_kmalloc_size(data, want);
	struct klp_sdk_record *record = state->record;

	if (!data) {
		klp_sdk_state_err(patch, state,
				  "%s has the state without data, so that nothing can be taken over; disable that patch first",
				  klp_sdk_raw_name);
		return -EINVAL;
	}
	state->borrowed = !size;
	if (!size && !klp_sdk_compat_readable(data, want)) {
		klp_sdk_state_err(patch, state,
				  "there are no %zu bytes to be read at the data of %s; correct the type or disable that patch first",
				  want, klp_sdk_raw_name);
		return -EINVAL;
	}
	/* What the other patch asked kmalloc() for is not known, only a limit. */
	if (size && size < want) {
		klp_sdk_state_err(patch, state,
				  "version %u has at most %zu bytes in %s; correct the type",
				  klp_sdk_compat_prev_version(state->raw),
				  size, klp_sdk_raw_name);
		return -EINVAL;
	}

	if (state->borrowed && state->how == KLP_SDK_HOW_INHERIT)
		state->how = KLP_SDK_HOW_COPY;
	record->data = data;
	record->version = klp_sdk_compat_prev_version(state->raw);
	/* No room to grow that anybody has asked for. */
	record->data_size = want;
	record->alloc_size = want;
	return 0;
}

/* Get hold of the data, and of all that its migration will need. */
static int klp_sdk_reserve_data(struct klp_sdk_patch *patch,
				struct klp_sdk_state *state)
{
	struct klp_sdk_record *record = state->record;
	int ret = 0;

	state->how = record->data || state->raw ? state->plan :
						  KLP_SDK_HOW_INTRODUCE;
	if (state->raw)
		ret = klp_sdk_take_raw(patch, state);
	else if (state->how == KLP_SDK_HOW_GROW)
		ret = klp_sdk_check_room(patch, state, record->alloc_size);
	if (ret)
		return ret;

	switch (state->how) {
	case KLP_SDK_HOW_INTRODUCE:
	case KLP_SDK_HOW_CONVERT:
	case KLP_SDK_HOW_CONVERT_BACK:
	case KLP_SDK_HOW_COPY:
		state->spare = klp_sdk_compat_kzalloc(klp_sdk_alloc_size(state),
						      GFP_KERNEL);
		if (state->spare)
			break;
		klp_sdk_state_failed(patch, state, -ENOMEM);
		return -ENOMEM;
	default:
		break;
	}

	return 0;
}

/* Give back what klp_sdk_state_reserve() has taken. */
void klp_sdk_state_unreserve(struct klp_sdk_state *state)
{
	bool introduced = state->how == KLP_SDK_HOW_INTRODUCE;

	klp_sdk_shadows_let_go(state, introduced);
	if (state->raw)
		state->record->data = NULL;
	kfree(state->spare);
	state->spare = NULL;
	state->how = KLP_SDK_HOW_NONE;
}

/*
 * klp_sdk_state_reserve() - Before klp_sdk_state_prepare(): all that can fail but
 * the author's pre_patch
 *
 * Return: 0, or an error with nothing left behind.
 */
int klp_sdk_state_reserve(struct klp_sdk_patch *patch,
			  struct klp_sdk_state *state)
{
	int ret;

	if (!klp_sdk_shadows_prepare(state)) {
		klp_sdk_state_failed(patch, state, -ENOMEM);
		return -ENOMEM;
	}
	ret = klp_sdk_reserve_data(patch, state);
	if (ret)
		klp_sdk_state_unreserve(state);
	return ret;
}

/* pre_patch of a state that has no data. */
static int klp_sdk_introduce(struct klp_sdk_patch *patch,
			     struct klp_sdk_state *state)
{
	struct klp_sdk_record *record = state->record;
	int ret = state->fns->pre_patch(state->spare);

	/* The core takes a positive number for a failure, insmod does not. */
	if (ret > 0)
		ret = -EINVAL;
	if (ret && list_empty(&patch->leavers))
		klp_sdk_state_failed(patch, state, ret);
	else if (ret)
		klp_sdk_state_err(patch, state,
				  "pre_patch failed with %d; nothing was changed. States that go are undone at completion: make in post_patch what can exist only once, or give the newer version a way back",
				  ret);
	if (ret)
		return ret;

	record->data = state->spare;
	state->spare = NULL;
	record->version = state->props->version;
	record->data_size = state->size;
	record->alloc_size = klp_sdk_alloc_size(state);
	return 0;
}

/* Let the patch's functions see the data, from the moment that they can run. */
static void klp_sdk_publish(struct klp_sdk_state *state, bool live)
{
	struct klp_sdk_record *record = state->record;

	switch (state->how) {
	case KLP_SDK_HOW_CONVERT:
		klp_sdk_prev_publish(state->from->prev, record->data);
		return;
	case KLP_SDK_HOW_CONVERT_BACK:
		/* It has a layout that they do not know. */
		return;
	case KLP_SDK_HOW_INHERIT:
	case KLP_SDK_HOW_GROW:
	case KLP_SDK_HOW_SHRINK:
	case KLP_SDK_HOW_SHARE:
		if (live)
			klp_sdk_slot_publish(&state->slots->live, record->data);
		break;
	default:
		break;
	}
	klp_sdk_slot_publish(&state->slots->data, record->data);
	state->holder->kstate->data = record->data;
}

/*
 * klp_sdk_state_prepare() - IDLE to PREPARED, within pre_patch
 *
 * Follows klp_sdk_state_reserve(), so that nothing but the author's pre_patch can
 * fail.
 *
 * Return: 0, or an error with nothing left behind.
 */
int klp_sdk_state_prepare(struct klp_sdk_patch *patch,
			  struct klp_sdk_state *state)
{
	struct klp_sdk_record *record = state->record;
	bool live;
	int ret;

	if (state->how == KLP_SDK_HOW_INTRODUCE) {
		ret = klp_sdk_introduce(patch, state);
		if (ret) {
			klp_sdk_state_unreserve(state);
			return ret;
		}
	}
	/* Room that an earlier owner of the fields has left. */
	if (state->how == KLP_SDK_HOW_GROW)
		memset(record->data + state->from->old_size, 0,
		       state->from->new_size - state->from->old_size);

	/* The system knows the state: it is live for both sides. */
	live = state->how != KLP_SDK_HOW_INTRODUCE &&
	       (klp_sdk_record_live(record, state->holder) || state->raw) &&
	       !klp_sdk_shadows_pending(state);
	klp_sdk_shadows_publish(state, live);
	state->holder->phase = KLP_SDK_PREPARED;
	klp_sdk_publish(state, live);

	/* Against klp_start_transition(), see the top of this file. */
	smp_wmb();
	klp_sdk_state_dbg(patch, state, "prepared");
	return 0;
}

/* The data is gone, or is left to leak if a task in forced-out code may use it. */
static void klp_sdk_drop_data(struct klp_sdk_record *record)
{
	klp_sdk_free_data(record, record->data);
	record->data = NULL;
}

/* This patch's functions do not use the data any more. It may live on. */
static void klp_sdk_let_go(struct klp_sdk_state *state)
{
	state->slots->live = NULL;
	/* A task in forced-out code counts on its data, which is still there. */
	if (!klp_sdk_forced(state->record))
		state->slots->data = NULL;
	if (state->from && state->from->prev)
		*state->from->prev = NULL;
	state->holder->kstate->data = NULL;
	state->holder->phase = KLP_SDK_IDLE;
	kfree(state->spare);
	state->spare = NULL;
	state->how = KLP_SDK_HOW_NONE;
}

/*
 * klp_sdk_state_unprepare() - PREPARED to IDLE: a failed or reversed enable, or
 * the module is @gone during a transition
 *
 * No task runs the patch's functions. Only what prepare did is undone, unless
 * another patch has come to use it.
 */
void klp_sdk_state_unprepare(struct klp_sdk_patch *patch,
			     struct klp_sdk_state *state, bool gone)
{
	struct klp_sdk_record *record = state->record;
	bool undo = record->data &&
		    (state->how == KLP_SDK_HOW_INTRODUCE ||
		     state->how == KLP_SDK_HOW_SHARE) &&
		    !klp_sdk_record_used(record, state->holder);
	bool keep;

	/* Forced to the way back: a task may still use what was prepared. */
	klp_sdk_check_forced(record);
	/* No task has called a function of a patch whose load fails. */
	keep = klp_sdk_forced(record) && !patch->enabling;
	if (keep && state->how == KLP_SDK_HOW_GROW)
		klp_sdk_lose_room(record, state->from->old_size);
	klp_sdk_shadows_let_go(state, undo);
	if (undo && keep) {
		klp_sdk_keep_patch(record, state->holder);
		if (!gone)
			klp_sdk_keep_object(record, state->obj);
	} else if (undo) {
		state->fns->post_unpatch(record->data);
	}
	klp_sdk_let_go(state);
	if (undo && !keep)
		kfree(record->data);
	if (undo)
		record->data = NULL;
	else if (state->raw)
		record->data = NULL;
	else if (gone && klp_sdk_orphan(record))
		klp_sdk_orphan_lost(record);
	klp_sdk_state_dbg(patch, state, "undone");
}

/*
 * The replaced patch releases what of its @data has no place in an older version,
 * unless a task in its forced-out code may use that.
 */
static void klp_sdk_release_newer(struct klp_sdk_state *state, void *data)
{
	struct klp_sdk_record *record = state->record;
	struct klp_sdk_holder *holder;

	if (!state->back->release)
		return;
	if (!klp_sdk_forced(record)) {
		state->back->release(data);
		return;
	}
	list_for_each_entry(holder, &record->holders, node)
		if (holder != state->holder)
			klp_sdk_keep_patch(record, holder);
	klp_sdk_keep_object(record, state->obj);
}

/* Fill the new object and put it in the place of the old one. */
static void klp_sdk_convert(struct klp_sdk_state *state)
{
	struct klp_sdk_record *record = state->record;
	void *old = record->data;

	switch (state->how) {
	case KLP_SDK_HOW_CONVERT:
		state->from->convert(state->spare, klp_sdk_as_prev(old));
		klp_sdk_prev_publish(state->from->prev, NULL);
		break;
	case KLP_SDK_HOW_CONVERT_BACK:
		state->back->convert(state->spare, klp_sdk_as_prev(old));
		klp_sdk_release_newer(state, old);
		break;
	default:
		memcpy(state->spare, old, state->size);
		break;
	}

	record->data = state->spare;
	record->alloc_size = klp_sdk_alloc_size(state);
	state->spare = old;	/* freed after a grace period */
}

/* The data as this patch has it. */
static void klp_sdk_make(struct klp_sdk_state *state)
{
	struct klp_sdk_record *record = state->record;

	switch (state->how) {
	case KLP_SDK_HOW_INTRODUCE:
	case KLP_SDK_HOW_SHARE:
		/* Of those who share it the first to be live makes the change. */
		if (!klp_sdk_record_live(record, state->holder))
			state->fns->post_patch(record->data);
		break;
	case KLP_SDK_HOW_GROW:
		state->from->grow(record->data);
		break;
	case KLP_SDK_HOW_SHRINK:
		klp_sdk_release_newer(state, record->data);
		klp_sdk_lose_room(record, state->size);
		break;
	case KLP_SDK_HOW_CONVERT:
	case KLP_SDK_HOW_CONVERT_BACK:
	case KLP_SDK_HOW_COPY:
		klp_sdk_convert(state);
		break;
	default:
		break;
	}
}

/*
 * The raw patch went on until now and may have put other data in the place of that
 * which prepare found. The core's state has the last word.
 */
static void klp_sdk_follow_raw(struct klp_sdk_patch *patch,
			       struct klp_sdk_state *state)
{
	size_t want = state->from ? state->from->old_size : state->size;
	void *data = (void __force *)klp_sdk_compat_prev_data(state->raw);
	struct klp_sdk_record *record = state->record;
	size_t size;

	if (data == record->data)
		return;
	size = klp_sdk_compat_kmalloc_size(data, want);
	if (size < want && !klp_sdk_compat_readable(data, want)) {
		klp_sdk_state_err(patch, state,
				  "%s has taken its data away in the transition; the one before is used and never freed, and may be wrong: disable both patches, and load this one alone",
				  klp_sdk_raw_name);
		data = record->data;
		size = 0;
	}
	record->data = data;
	state->borrowed = size < want;
	if (state->borrowed && state->how == KLP_SDK_HOW_INHERIT) {
		/* Nothing can fail any more. */
		state->spare = klp_sdk_compat_kzalloc(klp_sdk_alloc_size(state),
						      GFP_KERNEL | __GFP_NOFAIL);
		state->how = KLP_SDK_HOW_COPY;
	}
}

/*
 * klp_sdk_state_complete() - PREPARED to LIVE: the transition is complete, or
 * the module was loaded while there is none
 *
 * klp_sdk_state_free_spare() frees the object that a conversion leaves in
 * state->spare, after a grace period.
 */
void klp_sdk_state_complete(struct klp_sdk_patch *patch,
			    struct klp_sdk_state *state)
{
	bool handed_over = state->how != KLP_SDK_HOW_INTRODUCE &&
			   state->how != KLP_SDK_HOW_SHARE;
	struct klp_sdk_record *record = state->record;
	const void __klp_sdk_prev *old;

	if (state->raw)
		klp_sdk_follow_raw(patch, state);
	old = klp_sdk_as_prev(record->data);
	klp_sdk_check_forced(record);
	klp_sdk_shadows_complete(state);
	klp_sdk_make(state);

	state->holder->kstate->data = record->data;
	state->holder->phase = KLP_SDK_LIVE;
	/* The change was reverted by the pre_unpatch of the forced-out patch. */
	if (klp_sdk_orphan(record)) {
		state->fns->post_patch(record->data);
		klp_sdk_orphan_adopt(record, state->obj);
	}
	klp_sdk_slot_publish(&state->slots->data, record->data);
	klp_sdk_slot_publish(&state->slots->live, record->data);

	if (handed_over)
		state->fns->adopt(record->data, old);
	state->how = KLP_SDK_HOW_NONE;
	klp_sdk_state_dbg(patch, state, "live");
}

/* Free the object that was converted. */
void klp_sdk_state_free_spare(struct klp_sdk_state *state)
{
	if (state->spare && !state->borrowed)
		klp_sdk_free_data(state->record, state->spare);
	state->spare = NULL;
	state->borrowed = false;
}

/*
 * klp_sdk_state_leave() - LIVE to LEAVING: a disable begins, or the module goes
 *
 * The last of those who share the state reverts the change.
 */
void klp_sdk_state_leave(struct klp_sdk_patch *patch,
			 struct klp_sdk_state *state)
{
	if (!klp_sdk_record_live(state->record, state->holder)) {
		klp_sdk_slot_publish(&state->slots->live, NULL);
		klp_sdk_holder_undo(state->holder)->pre_unpatch(state->record->data);
	}
	state->holder->phase = KLP_SDK_LEAVING;
	klp_sdk_state_dbg(patch, state, "leaving");
}

/* klp_sdk_state_stay() - LEAVING to LIVE: the disable was reversed */
void klp_sdk_state_stay(struct klp_sdk_patch *patch,
			struct klp_sdk_state *state)
{
	if (!klp_sdk_record_live(state->record, state->holder))
		state->fns->post_patch(state->record->data);
	state->holder->phase = KLP_SDK_LIVE;
	klp_sdk_slot_publish(&state->slots->live, state->record->data);
	klp_sdk_state_dbg(patch, state, "live again");
}

/*
 * klp_sdk_state_release() - LEAVING to IDLE: the disable is complete, and the
 * patch @quits the state, or the module is gone
 */
void klp_sdk_state_release(struct klp_sdk_patch *patch,
			   struct klp_sdk_state *state, bool quits)
{
	struct klp_sdk_record *record = state->record;
	bool last = record->data &&
		    !klp_sdk_record_live(record, state->holder);
	bool orphan;

	klp_sdk_check_forced(record);
	orphan = last && quits && klp_sdk_forced(record) &&
		 klp_sdk_orphan_make(record, state->obj, patch);

	klp_sdk_shadows_let_go(state, last && !orphan);
	if (last && klp_sdk_forced(record)) {
		klp_sdk_keep_patch(record, state->holder);
		if (quits && !orphan)
			klp_sdk_keep_object(record, state->obj);
	} else if (last) {
		klp_sdk_holder_undo(state->holder)->post_unpatch(record->data);
	}
	klp_sdk_let_go(state);
	if (last && !orphan)
		klp_sdk_drop_data(record);
	/* What the next data will have, not what the last one had. */
	if (!record->data)
		record->alloc_size = klp_sdk_alloc_size(state);
	klp_sdk_state_dbg(patch, state, "gone");
}
