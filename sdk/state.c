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
	KLP_SDK_HOW_NONE,	/* retires the state; this patch never has it */
	KLP_SDK_HOW_INTRODUCE,	/* the state is new to the system */
	KLP_SDK_HOW_SHARE,	/* another patch has it and stays: stackable */
	KLP_SDK_HOW_INHERIT,	/* same version: hand over the object */
	KLP_SDK_HOW_GROW,	/* older version, the object grows in place */
	KLP_SDK_HOW_CONVERT,	/* older version, into a new object */
};

/*
 * The holder whose patch the core lists with @kstate, or NULL. A record whose
 * patches are gone may have the address of memory that was used again, so that
 * version and data must agree as well.
 */
struct klp_sdk_holder *klp_sdk_record_holder(struct klp_sdk_record *record,
					     const struct klp_state *kstate)
{
	struct klp_sdk_holder *holder;

	list_for_each_entry(holder, &record->holders, node)
		if (holder->kstate == kstate &&
		    kstate->version >= holder->version &&
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
		    props->grow[i].how->migration.version == version) {
			*how = KLP_SDK_HOW_GROW;
			return &props->grow[i].how->migration;
		}
		if (props->convert[i].how &&
		    props->convert[i].how->migration.version == version) {
			*how = KLP_SDK_HOW_CONVERT;
			return &props->convert[i].how->migration;
		}
	}

	return NULL;
}

/* A holder of @record whose patch the core lists before @patch, or NULL. */
static struct klp_sdk_holder *
klp_sdk_record_listed(const struct klp_sdk_patch *patch,
		      struct klp_sdk_record *record)
{
	struct klp_sdk_holder *holder;

	list_for_each_entry(holder, &record->holders, node)
		if (klp_sdk_compat_listed(&patch->patch, holder->patch))
			return holder;

	return NULL;
}

/*
 * Sticky: once a patch was forced out, a task may sit in its code for good, and
 * no later transition tells. The core marks the patches that are removed; a
 * forced enable without replace leaves no mark on 6.1 and later.
 */
void klp_sdk_record_check_forced(struct klp_sdk_record *record)
{
	struct klp_sdk_holder *holder;

	if (record->flags & KLP_SDK_RECORD_FORCED)
		return;
	list_for_each_entry(holder, &record->holders, node) {
		if (!klp_sdk_compat_forced(holder->patch))
			continue;
		record->flags |= KLP_SDK_RECORD_FORCED;
		pr_warn("klp-sdk: state '%s' (id %lu): %s was forced out; nothing of the state is freed any more, reboot to get the memory back\n",
			record->name, record->id, holder->patch_name);
		return;
	}
}

/* A state of another name or object under the same id is another state. */
static int klp_sdk_check_identity(struct klp_sdk_patch *patch,
				  struct klp_sdk_state *state,
				  struct klp_sdk_record *record,
				  const char *who)
{
	if (!strcmp(record->name, state->name) && !record->object[0])
		return 0;

	klp_sdk_state_err(patch, state,
			  "the id belongs to state '%s' of %s; choose another id",
			  record->name, who);
	return -EINVAL;
}

/* The same version must have the same layout, of which the size is known. */
static int klp_sdk_check_size(struct klp_sdk_patch *patch,
			      struct klp_sdk_state *state,
			      struct klp_sdk_record *record, const char *who)
{
	if (record->data_size == state->size)
		return 0;

	klp_sdk_state_err(patch, state,
			  "version %u has %llu bytes in %s and %zu here; raise .version",
			  record->version, record->data_size, who,
			  state->size);
	return -EINVAL;
}

/* The data is of an older @version and of @size, with @room allocated. */
static int klp_sdk_decide_migration(struct klp_sdk_patch *patch,
				    struct klp_sdk_state *state, u32 version,
				    u64 size, u64 room, const char *who)
{
	const struct klp_sdk_migration *from;

	from = klp_sdk_find_migration(state, version, &state->how);
	if (!from) {
		klp_sdk_state_err(patch, state,
				  "no migration from version %u, held by %s, to version %u; add a KLP_SDK_CONVERT() or KLP_SDK_GROW() from it",
				  version, who, state->props->version);
		return -EINVAL;
	}
	if (from->old_size != size) {
		klp_sdk_state_err(patch, state,
				  "version %u has %llu bytes in %s, but the migration takes %zu; correct the older type",
				  version, size, who, from->old_size);
		return -EINVAL;
	}
	if (state->how == KLP_SDK_HOW_GROW && from->new_size > room) {
		klp_sdk_state_err(patch, state,
				  "cannot grow to %zu bytes, version %u was made with room for %llu; use KLP_SDK_CONVERT()",
				  from->new_size, version, room);
		return -EINVAL;
	}

	state->from = from;
	return 0;
}

/*
 * A patch without the SDK has the state, as klp_state of the core only. Its
 * data becomes ours at completion, as that patch's callbacks run no more.
 */
static int klp_sdk_decide_raw(struct klp_sdk_patch *patch,
			      struct klp_sdk_state *state,
			      struct klp_state *prev)
{
	static const char who[] = "a livepatch without klp-sdk";
	size_t size = klp_sdk_compat_kmalloc_size(prev->data);
	const struct klp_sdk_migration *from;

	if (!patch->replace) {
		klp_sdk_state_err(patch, state,
				  "held by %s; set .replace or disable that patch first",
				  who);
		return -EBUSY;
	}
	if (state->props->retire) {
		klp_sdk_state_err(patch, state,
				  "held by %s, which cannot be retired; disable that patch first",
				  who);
		return -EINVAL;
	}
	if (!size) {
		klp_sdk_state_err(patch, state,
				  "the data of %s is not kmalloc() memory; disable that patch first",
				  who);
		return -EINVAL;
	}

	state->how = KLP_SDK_HOW_INHERIT;
	from = NULL;
	if (prev->version != state->props->version) {
		from = klp_sdk_find_migration(state, prev->version, &state->how);
		if (!from)
			return klp_sdk_decide_migration(patch, state,
							prev->version, size,
							size, who);
	}
	if (state->how == KLP_SDK_HOW_GROW) {
		klp_sdk_state_err(patch, state,
				  "cannot grow in place the data of %s; use KLP_SDK_CONVERT() from version %u",
				  who, prev->version);
		return -EINVAL;
	}
	/* What the other patch asked kmalloc() for is not known, only a limit. */
	if (size < (from ? from->old_size : state->size)) {
		klp_sdk_state_err(patch, state,
				  "version %u has at most %zu bytes in %s; correct the type",
				  prev->version, size, who);
		return -EINVAL;
	}

	state->from = from;
	state->raw = prev;
	return 0;
}

/*
 * Decide how this patch gets the state, from what the record says and what the
 * core shows of the patches before this one. A state that does not fit is
 * refused with its reason in the log. Nothing is changed but for records that
 * nobody holds.
 */
static int klp_sdk_decide(struct klp_sdk_patch *patch,
			  struct klp_sdk_state *state,
			  struct klp_sdk_record **recordp)
{
	const struct klp_sdk_state_props *props = state->props;
	struct klp_sdk_record *record = *recordp;
	struct klp_sdk_holder *holder;
	struct klp_state *prev;
	int ret;

	/* Safe: vmlinux's callbacks run within a transition only. */
	prev = klp_get_prev_state(klp_sdk_state_id(state));
	state->from = NULL;
	state->raw = NULL;
	state->stale = NULL;
	state->orphan = false;

	holder = prev && record ? klp_sdk_record_holder(record, prev) : NULL;
	if (prev && !holder) {
		/*
		 * What the core lists beats the record, which a patch without
		 * the SDK has made stale. It is forgotten at completion.
		 */
		if (record && klp_sdk_record_listed(patch, record)) {
			klp_sdk_state_err(patch, state,
					  "held by %s, and by a livepatch without klp-sdk that came later; disable the later one first",
					  klp_sdk_record_listed(patch, record)->patch_name);
			return -EBUSY;
		}
		state->stale = record;
		*recordp = NULL;
		return klp_sdk_decide_raw(patch, state, prev);
	}
	if (record && !holder &&
	    !(record->flags & KLP_SDK_RECORD_FORCED &&
	      list_empty(&record->holders))) {
		/*
		 * No patch has the state: one without the SDK replaced all
		 * holders, and the data was its business since then.
		 */
		klp_sdk_record_forget(record);
		record = NULL;
		*recordp = NULL;
	}

	if (!record) {
		state->how = props->retire ? KLP_SDK_HOW_NONE :
					     KLP_SDK_HOW_INTRODUCE;
		return 0;
	}

	ret = klp_sdk_check_identity(patch, state, record,
				     holder ? holder->patch_name : "no patch");
	if (ret)
		return ret;

	/* Forced out, with nobody after it: this patch takes it over. */
	if (!holder && props->retire) {
		state->how = KLP_SDK_HOW_NONE;
		return 0;
	}
	state->orphan = !holder;

	if (holder && !patch->replace) {
		if (record->version != props->version) {
			klp_sdk_state_err(patch, state,
					  "version %u is held by %s, version %u is here; set .replace or disable that patch first",
					  record->version, holder->patch_name,
					  props->version);
			return -EBUSY;
		}
		if (!props->stackable ||
		    !(record->flags & KLP_SDK_RECORD_STACKABLE)) {
			klp_sdk_state_err(patch, state,
					  "held by %s already; set .replace or disable that patch first",
					  holder->patch_name);
			return -EBUSY;
		}
	}

	if (holder && props->retire) {
		if (record->version != props->version) {
			klp_sdk_state_err(patch, state,
					  "%s has version %u, version %u is retired here; retire that version",
					  holder->patch_name, record->version,
					  props->version);
			return -EINVAL;
		}
		ret = klp_sdk_check_size(patch, state, record,
					 holder->patch_name);
		if (ret)
			return ret;
		state->how = KLP_SDK_HOW_NONE;
		return klp_sdk_leaver_add(patch, record, state->fns,
					  holder->fns);
	}

	if (holder && record->version > props->version) {
		if (record->flags & KLP_SDK_RECORD_PERMANENT) {
			klp_sdk_state_err(patch, state,
					  "permanent at version %u in %s, and version %u is older; go on from that version",
					  record->version, holder->patch_name,
					  props->version);
			return -EINVAL;
		}
		/* The holder undoes its own, and this patch starts afresh. */
		state->how = KLP_SDK_HOW_INTRODUCE;
		*recordp = NULL;
		return klp_sdk_leaver_add(patch, record, holder->fns,
					  holder->fns);
	}

	if (record->version != props->version)
		return klp_sdk_decide_migration(patch, state, record->version,
						record->data_size,
						record->alloc_size,
						holder ? holder->patch_name :
							 "no patch");

	ret = klp_sdk_check_size(patch, state, record,
				 holder ? holder->patch_name : "no patch");
	if (ret)
		return ret;
	state->how = patch->replace || !holder ? KLP_SDK_HOW_INHERIT :
						 KLP_SDK_HOW_SHARE;
	return 0;
}

/* pre_patch of a state that nobody holds. */
static int klp_sdk_introduce(struct klp_sdk_state *state)
{
	struct klp_sdk_record *record;
	int ret;

	record = klp_sdk_record_alloc(state, NULL);
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

/* A record for the data of a patch without the SDK. */
static int klp_sdk_record_raw(struct klp_sdk_state *state)
{
	struct klp_sdk_record *record;
	int ret;

	record = klp_sdk_record_alloc(state, state->raw->data);
	if (!record)
		return -ENOMEM;
	record->version = state->raw->version;
	/* What the other patch asked for is not known: no room to grow. */
	record->data_size = state->from ? state->from->old_size : state->size;
	record->alloc_size = record->data_size;
	/* The same data: what is sticky stays. */
	if (state->stale)
		record->flags |= state->stale->flags & (KLP_SDK_RECORD_FORCED |
							KLP_SDK_RECORD_PERMANENT);

	ret = klp_sdk_record_list(record);
	if (ret) {
		klp_sdk_record_forget(record);
		return ret;
	}

	state->record = record;
	return 0;
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

	if (state->how == KLP_SDK_HOW_CONVERT) {
		state->spare = kzalloc(klp_sdk_alloc_size(state), GFP_KERNEL);
		if (!state->spare) {
			ret = -ENOMEM;
			goto err;
		}
	}

	state->record = record;
	if (state->how == KLP_SDK_HOW_INTRODUCE)
		ret = klp_sdk_introduce(state);
	else if (state->raw)
		ret = klp_sdk_record_raw(state);
	if (!ret)
		return 0;

	kfree(state->spare);
	state->spare = NULL;
	state->record = NULL;
err:
	klp_sdk_holder_free(state->holder);
	state->holder = NULL;
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

	ret = klp_sdk_decide(patch, state, &record);
	if (!ret && state->how != KLP_SDK_HOW_NONE)
		ret = klp_sdk_take(patch, state, record);
	else if (ret != -ENOMEM)
		return ret;
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
	case KLP_SDK_HOW_SHARE:
		/* The system knows the state: it is live for both sides. */
		if (!state->orphan)
			klp_sdk_slot_publish(&state->slots->live, record->data);
		fallthrough;
	case KLP_SDK_HOW_INTRODUCE:
		klp_sdk_slot_publish(&state->slots->data, record->data);
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
	state->slots->live = NULL;
	/* A task in forced-out code counts on its data, which is still there. */
	if (!(state->record->flags & KLP_SDK_RECORD_FORCED))
		state->slots->data = NULL;
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

	/* What this patch's functions may have written while they ran. */
	if (state->how == KLP_SDK_HOW_GROW)
		memset(record->data + state->from->old_size, 0,
		       state->from->new_size - state->from->old_size);

	/* Forced to the way back: a task may still use what was prepared. */
	klp_sdk_record_check_forced(record);
	if (introduced && !(record->flags & KLP_SDK_RECORD_FORCED))
		state->fns->post_unpatch(record->data);
	klp_sdk_let_go(state);
	if (introduced)
		klp_sdk_record_free(record);
	else if (state->raw)
		klp_sdk_record_forget(record);
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
		if (old && !(state->record->flags & KLP_SDK_RECORD_FORCED)) {
			holder->kstate->data = NULL;
			klp_sdk_slot_publish(&holder->slots->live, NULL);
			klp_sdk_slot_publish(&holder->slots->data, NULL);
		}
		klp_sdk_holder_free(holder);
	}
	if (old && state->raw)
		state->raw->data = NULL;
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
 * What a conversion leaves in state->spare is freed by
 * klp_sdk_state_free_spare(), after a grace period.
 */
void klp_sdk_state_complete(struct klp_sdk_patch *patch,
			    struct klp_sdk_state *state)
{
	struct klp_sdk_record *record = state->record;
	const void *old = record->data;

	klp_sdk_record_check_forced(record);

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
	if (state->how != KLP_SDK_HOW_SHARE)
		record->flags = (record->flags & KLP_SDK_RECORD_FORCED) |
				klp_sdk_declared_flags(state);
	state->holder->kstate->data = record->data;
	state->holder->phase = KLP_SDK_LIVE;
	/* The change was reverted by the pre_unpatch of the forced-out patch. */
	if (state->orphan)
		state->fns->post_patch(record->data);
	klp_sdk_slot_publish(&state->slots->data, record->data);
	klp_sdk_slot_publish(&state->slots->live, record->data);

	if (state->how != KLP_SDK_HOW_INTRODUCE &&
	    state->how != KLP_SDK_HOW_SHARE) {
		state->fns->adopt(record->data, old);
		klp_sdk_drop_others(state, state->spare);
	}
	if (state->stale)
		klp_sdk_record_forget(state->stale);
	state->stale = NULL;
	state->raw = NULL;
	klp_sdk_state_dbg(patch, state, "live");
}

/* Free the object that was converted. */
void klp_sdk_state_free_spare(struct klp_sdk_state *state)
{
	if (state->spare)
		klp_sdk_record_free_data(state->record, state->spare);
	state->spare = NULL;
}

/* Do other patches hold the state, so that it stays when this one goes? */
static bool klp_sdk_shared(const struct klp_sdk_state *state)
{
	return !list_is_singular(&state->record->holders);
}

/* klp_sdk_state_leave() - LIVE to LEAVING: a disable begins */
void klp_sdk_state_leave(struct klp_sdk_patch *patch,
			 struct klp_sdk_state *state)
{
	if (!klp_sdk_shared(state)) {
		klp_sdk_slot_publish(&state->slots->live, NULL);
		state->fns->pre_unpatch(state->record->data);
	}
	state->holder->phase = KLP_SDK_LEAVING;
	klp_sdk_state_dbg(patch, state, "leaving");
}

/* klp_sdk_state_stay() - LEAVING to LIVE: the disable was reversed */
void klp_sdk_state_stay(struct klp_sdk_patch *patch,
			struct klp_sdk_state *state)
{
	if (!klp_sdk_shared(state))
		state->fns->post_patch(state->record->data);
	state->holder->phase = KLP_SDK_LIVE;
	klp_sdk_slot_publish(&state->slots->live, state->record->data);
	klp_sdk_state_dbg(patch, state, "live again");
}

/* klp_sdk_state_release() - LEAVING to IDLE: the disable is complete */
void klp_sdk_state_release(struct klp_sdk_patch *patch,
			   struct klp_sdk_state *state)
{
	struct klp_sdk_record *record = state->record;
	bool last = !klp_sdk_shared(state);

	klp_sdk_record_check_forced(record);
	/* A forced disable leaves an orphan, which the next patch adopts. */
	if (record->flags & KLP_SDK_RECORD_FORCED)
		last = false;

	if (last)
		state->fns->post_unpatch(record->data);
	klp_sdk_let_go(state);
	if (last)
		klp_sdk_record_free(record);
	klp_sdk_state_dbg(patch, state, "gone");
}
