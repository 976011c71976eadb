// SPDX-License-Identifier: GPL-2.0
/*
 * The steps of one state in one patch.
 *
 *            prepare              complete              leave             release
 *   IDLE ---------------> PREPARED -------> LIVE -------------> LEAVING ---------> IDLE
 *     ^      unprepare      |                ^        stay         |
 *     `---------------------'                `---------------------'
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
#include <linux/err.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "engine.h"

enum klp_sdk_how {
	KLP_SDK_HOW_INTRODUCE,	/* the state is new to the system */
	KLP_SDK_HOW_INHERIT,	/* same version: hand over the object */
	KLP_SDK_HOW_GROW,	/* older version, the object grows in place */
	KLP_SDK_HOW_CONVERT,	/* older version, into a new object */
};

/* The one way in which readers get to see an object or lose it. */
static void klp_sdk_slot_publish(void **slot, void *data)
{
	/* Pairs with the address dependency in klp_sdk_live(). */
	smp_store_release(slot, data);
}

static struct klp_sdk_holder *
klp_sdk_record_holder(struct klp_sdk_record *record,
		      const struct klp_state *kstate)
{
	struct klp_sdk_holder *holder;

	list_for_each_entry(holder, &record->holders, node)
		if (holder->kstate == kstate && holder->abi == KLP_SDK_ABI &&
		    kstate->data == record->data)
			return holder;

	return NULL;
}

static const struct klp_sdk_migration *
klp_sdk_find_migration(const struct klp_sdk_state *state, u32 version, int *how)
{
	const struct klp_sdk_state_props *props = state->props;
	int i;

	for (i = 0; i < KLP_SDK_MAX_FROM; i++) {
		if (props->grow[i].how &&
		    props->grow[i].how->version == version) {
			*how = KLP_SDK_HOW_GROW;
			return props->grow[i].how;
		}
		if (props->convert[i].how &&
		    props->convert[i].how->version == version) {
			*how = KLP_SDK_HOW_CONVERT;
			return props->convert[i].how;
		}
	}

	return NULL;
}

/*
 * Decide how this patch gets the state, from what the record says and what the
 * core shows of the patches before this one. Nothing is changed; a state that
 * does not fit is refused with its reason in the log.
 */
static int klp_sdk_decide(struct klp_sdk_patch *patch,
			  struct klp_sdk_state *state,
			  struct klp_sdk_record *record)
{
	const struct klp_sdk_migration *from = NULL;
	struct klp_sdk_holder *holder;
	struct klp_state *prev;

	/* Safe: vmlinux's callbacks run within a transition only. */
	prev = klp_get_prev_state(klp_sdk_state_id(state));

	if (!prev && !record) {
		state->how = KLP_SDK_HOW_INTRODUCE;
		state->from = NULL;
		return 0;
	}
	if (!record) {
		klp_sdk_state_err(patch, state,
				  "held by a livepatch without klp-sdk; disable that patch first");
		return -EBUSY;
	}
	holder = prev ? klp_sdk_record_holder(record, prev) : NULL;
	if (!holder) {
		klp_sdk_state_err(patch, state,
				  "the record of version %u does not agree with the patches that are enabled; reboot to clear it",
				  record->version);
		return -EBUSY;
	}
	if (!patch->replace) {
		klp_sdk_state_err(patch, state,
				  "held by %s already; set .replace or disable that patch first",
				  holder->patch_name);
		return -EEXIST;
	}
	if (strcmp(record->name, state->name) || record->object[0]) {
		klp_sdk_state_err(patch, state,
				  "the id belongs to state '%s' of %s; choose another id",
				  record->name, holder->patch_name);
		return -EINVAL;
	}

	if (record->version == state->props->version) {
		if (record->data_size != state->size) {
			klp_sdk_state_err(patch, state,
					  "version %u has %llu bytes in %s and %zu here; raise .version",
					  record->version, record->data_size,
					  holder->patch_name, state->size);
			return -EINVAL;
		}
		state->how = KLP_SDK_HOW_INHERIT;
	} else {
		from = klp_sdk_find_migration(state, record->version,
					      &state->how);
		if (!from) {
			klp_sdk_state_err(patch, state,
					  "no migration from version %u, held by %s, to version %u; add a KLP_SDK_CONVERT() or KLP_SDK_GROW() from it",
					  record->version, holder->patch_name,
					  state->props->version);
			return -EINVAL;
		}
		if (from->old_size != record->data_size) {
			klp_sdk_state_err(patch, state,
					  "version %u has %llu bytes in %s, but the migration takes %zu; correct the older type",
					  record->version, record->data_size,
					  holder->patch_name, from->old_size);
			return -EINVAL;
		}
		if (state->how == KLP_SDK_HOW_GROW &&
		    from->new_size > record->alloc_size) {
			klp_sdk_state_err(patch, state,
					  "cannot grow to %zu bytes, version %u was made with room for %llu; use KLP_SDK_CONVERT()",
					  from->new_size, record->version,
					  record->alloc_size);
			return -EINVAL;
		}
	}

	state->from = from;
	return 0;
}

/* pre_patch of a state that nobody holds. */
static int klp_sdk_introduce(struct klp_sdk_state *state)
{
	struct klp_sdk_record *record;
	int ret;

	record = klp_sdk_record_alloc(state);
	if (!record)
		return -ENOMEM;

	ret = state->fns->pre_patch(record->data);
	if (ret)
		goto err_free;

	ret = klp_sdk_record_list(record);
	if (ret)
		goto err_undo;

	state->record = record;
	return 0;

err_undo:
	state->fns->post_unpatch(record->data);
err_free:
	klp_sdk_record_free(record);
	/* The core takes a positive number for a failure, but insmod does not. */
	return ret > 0 ? -EINVAL : ret;
}

/* Take all that the state will need until the transition is complete. */
static int klp_sdk_take(struct klp_sdk_patch *patch,
			struct klp_sdk_state *state,
			struct klp_sdk_record *record)
{
	int ret = 0;

	state->holder = klp_sdk_holder_alloc(patch, state);
	if (!state->holder)
		return -ENOMEM;

	state->record = record;
	if (state->how == KLP_SDK_HOW_CONVERT) {
		state->spare = kzalloc(klp_sdk_alloc_size(state), GFP_KERNEL);
		if (!state->spare)
			ret = -ENOMEM;
	} else if (state->how == KLP_SDK_HOW_INTRODUCE) {
		ret = klp_sdk_introduce(state);
	}
	if (ret) {
		klp_sdk_holder_free(state->holder);
		state->holder = NULL;
		state->record = NULL;
	}

	return ret;
}

/*
 * klp_sdk_state_prepare() - IDLE to PREPARED, within pre_patch
 *
 * Return: 0, or an error with nothing left behind.
 */
int klp_sdk_state_prepare(struct klp_sdk_patch *patch,
			  struct klp_sdk_state *state)
{
	struct klp_sdk_record *record;
	int ret;

	record = klp_sdk_record_find(klp_sdk_state_id(state));
	if (IS_ERR(record)) {
		klp_sdk_state_err(patch, state,
				  "the system's records are of a release of klp-sdk that %d.%d does not know; build with a newer one",
				  KLP_SDK_MAJOR, KLP_SDK_MINOR);
		return PTR_ERR(record);
	}

	ret = klp_sdk_decide(patch, state, record);
	if (ret)
		return ret;

	ret = klp_sdk_take(patch, state, record);
	if (ret) {
		klp_sdk_state_err(patch, state,
				  "pre_patch failed with %d; nothing was changed",
				  ret);
		return ret;
	}
	record = state->record;

	list_add_tail_rcu(&state->holder->node, &record->holders);
	state->holder->phase = KLP_SDK_PREPARED;

	switch (state->how) {
	case KLP_SDK_HOW_CONVERT:
		klp_sdk_slot_publish(state->from->prev, record->data);
		break;
	case KLP_SDK_HOW_INHERIT:
	case KLP_SDK_HOW_GROW:
		/* The system knows the state: it is live for both sides. */
		klp_sdk_slot_publish(&state->slots.live, record->data);
		fallthrough;
	case KLP_SDK_HOW_INTRODUCE:
		klp_sdk_slot_publish(&state->slots.data, record->data);
		state->holder->kstate->data = record->data;
		break;
	}

	/* Against klp_start_transition(), see the top of this file. */
	smp_wmb();
	klp_sdk_state_dbg(patch, state, "prepared");
	return 0;
}

/* This patch has the state no more. The record may live on. */
static void klp_sdk_let_go(struct klp_sdk_state *state)
{
	state->slots.live = NULL;
	state->slots.data = NULL;
	if (state->from && state->from->prev)
		*state->from->prev = NULL;
	state->holder->kstate->data = NULL;
	klp_sdk_holder_free(state->holder);
	state->holder = NULL;
	state->record = NULL;
	state->from = NULL;
	kfree(state->spare);
	state->spare = NULL;
}

/*
 * klp_sdk_state_unprepare() - PREPARED to IDLE: a failed or reversed enable
 *
 * No task runs the patch's functions. Only what prepare did is undone.
 */
void klp_sdk_state_unprepare(struct klp_sdk_patch *patch,
			     struct klp_sdk_state *state)
{
	struct klp_sdk_record *record = state->record;
	bool introduced = state->how == KLP_SDK_HOW_INTRODUCE;

	if (introduced)
		state->fns->post_unpatch(record->data);
	klp_sdk_let_go(state);
	if (introduced)
		klp_sdk_record_free(record);
	klp_sdk_state_dbg(patch, state, "undone");
}

/* The replaced patches lose the state; their modules are still in place. */
static void klp_sdk_drop_others(struct klp_sdk_state *state, const void *old)
{
	struct klp_sdk_holder *holder, *next;

	list_for_each_entry_safe(holder, next, &state->record->holders, node) {
		if (holder == state->holder)
			continue;
		/*
		 * Their functions run no more. Leave no pointer to an object
		 * that is about to be freed even so.
		 */
		if (old) {
			holder->kstate->data = NULL;
			klp_sdk_slot_publish(&holder->slots->live, NULL);
			klp_sdk_slot_publish(&holder->slots->data, NULL);
		}
		klp_sdk_holder_free(holder);
	}
}

/* Fill the new object and put it in the place of the old one. */
static void klp_sdk_convert(struct klp_sdk_state *state)
{
	struct klp_sdk_record *record = state->record;
	void *old = record->data;

	state->from->convert(state->spare, old);
	klp_sdk_slot_publish(state->from->prev, NULL);

	record->data = state->spare;
	record->alloc_size = klp_sdk_alloc_size(state);
	state->spare = old;	/* freed after a grace period */
}

/*
 * klp_sdk_state_complete() - PREPARED to LIVE: the transition is complete
 *
 * What a conversion leaves in state->spare is freed by the caller.
 */
void klp_sdk_state_complete(struct klp_sdk_patch *patch,
			    struct klp_sdk_state *state)
{
	struct klp_sdk_record *record = state->record;
	const void *old = record->data;

	switch (state->how) {
	case KLP_SDK_HOW_INTRODUCE:
		state->fns->post_patch(record->data);
		break;
	case KLP_SDK_HOW_GROW:
		state->from->grow(record->data);
		break;
	case KLP_SDK_HOW_CONVERT:
		klp_sdk_convert(state);
		break;
	}

	record->version = state->props->version;
	record->data_size = state->size;
	state->holder->kstate->data = record->data;
	state->holder->phase = KLP_SDK_LIVE;
	klp_sdk_slot_publish(&state->slots.data, record->data);
	klp_sdk_slot_publish(&state->slots.live, record->data);

	if (state->how != KLP_SDK_HOW_INTRODUCE) {
		state->fns->adopt(record->data, old);
		klp_sdk_drop_others(state, state->spare);
	}
	klp_sdk_state_dbg(patch, state, "live");
}

/* klp_sdk_state_leave() - LIVE to LEAVING: a disable begins */
void klp_sdk_state_leave(struct klp_sdk_patch *patch,
			 struct klp_sdk_state *state)
{
	klp_sdk_slot_publish(&state->slots.live, NULL);
	state->fns->pre_unpatch(state->record->data);
	state->holder->phase = KLP_SDK_LEAVING;
	klp_sdk_state_dbg(patch, state, "leaving");
}

/* klp_sdk_state_stay() - LEAVING to LIVE: the disable was reversed */
void klp_sdk_state_stay(struct klp_sdk_patch *patch,
			struct klp_sdk_state *state)
{
	state->fns->post_patch(state->record->data);
	state->holder->phase = KLP_SDK_LIVE;
	klp_sdk_slot_publish(&state->slots.live, state->record->data);
	klp_sdk_state_dbg(patch, state, "live again");
}

/* klp_sdk_state_release() - LEAVING to IDLE: the disable is complete */
void klp_sdk_state_release(struct klp_sdk_patch *patch,
			   struct klp_sdk_state *state)
{
	struct klp_sdk_record *record = state->record;

	state->fns->post_unpatch(record->data);
	klp_sdk_let_go(state);
	klp_sdk_record_free(record);
	klp_sdk_state_dbg(patch, state, "gone");
}
