// SPDX-License-Identifier: GPL-2.0
/*
 * How a patch comes to hold a state, and lets go of it.
 *
 * join decides from the system's records and from what the core lists whether
 * the patch may have the state, and how it will get the data; settle makes the
 * patch its holder when the transition is complete; quit is for a patch that
 * failed, was reversed, or was disabled. All this happens in the callbacks of
 * vmlinux, within a transition, whether or not the state's object is loaded.
 * What becomes of the data is in state.c.
 */
#include <linux/err.h>
#include <linux/rculist.h>
#include <linux/string.h>

#include "engine.h"

/* Does the core list the patch of @holder before @patch? */
static bool klp_sdk_holder_listed(const struct klp_sdk_patch *patch,
				  const struct klp_sdk_holder *holder)
{
	/* Another module's patch may be at the address of one that is gone. */
	return klp_sdk_compat_listed(&patch->patch, holder->patch) &&
	       !strcmp(holder->patch->mod->name, holder->patch_name);
}

/*
 * The holder whose patch the core lists with @kstate, before @patch, or NULL. A
 * record whose patches are gone may have the address of memory that was used
 * again, so that all that is known must agree.
 */
struct klp_sdk_holder *klp_sdk_record_holder(const struct klp_sdk_patch *patch,
					     struct klp_sdk_record *record,
					     const struct klp_state __klp_sdk_prev *kstate)
{
	/* To be compared. */
	const struct klp_state *listed = (const struct klp_state __force *)kstate;
	struct klp_sdk_holder *holder;

	list_for_each_entry(holder, &record->holders, node)
		if (holder->kstate == listed &&
		    listed->version >= holder->version &&
		    listed->data == record->data &&
		    klp_sdk_holder_listed(patch, holder))
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
		if (klp_sdk_holder_listed(patch, holder))
			return holder;

	return NULL;
}

/* A state of another name or object under the same id is another state. */
static int klp_sdk_check_identity(struct klp_sdk_patch *patch,
				  struct klp_sdk_state *state,
				  struct klp_sdk_record *record,
				  const char *who)
{
	const char *object = state->props->object ?: "";

	if (strcmp(record->name, state->name)) {
		klp_sdk_state_err(patch, state,
				  "the id belongs to state '%s' of %s; choose another id",
				  record->name, who);
		return -EINVAL;
	}
	if (strcmp(record->object, object)) {
		klp_sdk_state_err(patch, state,
				  "bound to '%s' in %s and to '%s' here; choose another id",
				  klp_sdk_object_name(record->object), who,
				  klp_sdk_object_name(object));
		return -EINVAL;
	}

	return 0;
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

/* The data has room for @size bytes only. */
int klp_sdk_check_room(struct klp_sdk_patch *patch,
		       struct klp_sdk_state *state, u64 room)
{
	if (state->plan != KLP_SDK_HOW_GROW || state->from->new_size <= room)
		return 0;

	klp_sdk_state_err(patch, state,
			  "cannot grow to %zu bytes, version %u was made with room for %llu; use KLP_SDK_CONVERT()",
			  state->from->new_size, state->from->version, room);
	return -EINVAL;
}

/* The data is or will be of an older @version. */
static int klp_sdk_plan_migration(struct klp_sdk_patch *patch,
				  struct klp_sdk_state *state, u32 version,
				  const char *who)
{
	state->from = klp_sdk_find_migration(state, version, &state->plan);
	if (state->from)
		return 0;

	if (version > state->props->version)
		klp_sdk_state_err(patch, state,
				  "version %u, held by %s, is newer than version %u here; load a patch with version %u or later, or disable that one first",
				  version, who, state->props->version, version);
	else
		klp_sdk_state_err(patch, state,
				  "no migration from version %u, held by %s, to version %u; add a KLP_SDK_CONVERT() or KLP_SDK_GROW() from it",
				  version, who, state->props->version);
	return -EINVAL;
}

/*
 * A patch without the SDK has the state, as klp_state of the core only. Its
 * data becomes ours at completion, as that patch's callbacks run no more.
 */
static int klp_sdk_plan_raw(struct klp_sdk_patch *patch,
			    struct klp_sdk_state *state,
			    struct klp_state __klp_sdk_prev *prev)
{
	u32 version = klp_sdk_compat_prev_version(prev);
	int ret;

	if (state->props->retire) {
		klp_sdk_state_err(patch, state,
				  "held by %s, which cannot be retired; disable that patch first",
				  klp_sdk_raw_name);
		return -EINVAL;
	}

	state->plan = KLP_SDK_HOW_INHERIT;
	if (version < state->props->version) {
		state->from = klp_sdk_find_migration(state, version,
						     &state->plan);
		if (!state->from || state->plan == KLP_SDK_HOW_GROW) {
			klp_sdk_state_err(patch, state,
					  "held at version %u by %s, whose data cannot grow in place; add a KLP_SDK_CONVERT() from version %u, or disable that patch first",
					  version, klp_sdk_raw_name, version);
			return -EINVAL;
		}
	} else if (version > state->props->version) {
		ret = klp_sdk_plan_migration(patch, state, version,
					     klp_sdk_raw_name);
		if (ret)
			return ret;
	}
	if (klp_sdk_compat_prev_data(prev) &&
	    !klp_sdk_compat_loaded(state->obj)) {
		klp_sdk_state_err(patch, state,
				  "the data of %s cannot be taken over while %s is not loaded; load that module first",
				  klp_sdk_raw_name, state->props->object);
		return -EAGAIN;
	}
	if (!patch->replace) {
		klp_sdk_state_err(patch, state,
				  "held by %s; set .replace or disable that patch first",
				  klp_sdk_raw_name);
		return -EBUSY;
	}

	state->raw = prev;
	return 0;
}

/*
 * The way back that one of the holders declares to the version of @state, or NULL. They
 * have the same version of the data.
 * After a force no way back is taken: it would release what a task in forced-out code
 * may use.
 */
static const struct klp_sdk_back_entry *
klp_sdk_find_back(const struct klp_sdk_state *state,
		  const struct klp_sdk_record *record)
{
	const struct klp_sdk_back_entry *back, *found = NULL;
	const struct klp_sdk_holder *holder;

	if (klp_sdk_forced(record))
		return NULL;
	list_for_each_entry_rcu(holder, &record->holders, node, true)
		for (back = holder->back; back < holder->back + holder->nr_back;
		     back++) {
			if (back->version != state->props->version)
				continue;
			found = back;
			if (back->data_size == state->size)
				return back;
		}

	return found;
}

/*
 * The patch of @holder has another version and stays, for this one does not replace
 * it. The advice must not be refused in turn. Under klp_mutex or RCU.
 */
void klp_sdk_stacked_err(const struct klp_sdk_patch *patch,
			 const struct klp_sdk_state *state,
			 const struct klp_sdk_record *record,
			 const struct klp_sdk_holder *holder)
{
	u32 version = state->props->version;
	bool stuck;
	int how;

	if (version < record->version)
		stuck = klp_sdk_record_permanent(record) &&
			!klp_sdk_find_back(state, record);
	else
		stuck = !klp_sdk_find_migration(state, record->version, &how);

	klp_sdk_state_err(patch, state,
			  "version %u is held by %s, version %u is here; %sdisable that patch first",
			  record->version, holder->patch_name, version,
			  stuck ? "" : "set .replace or ");
}

/* A patch of the SDK, that of @holder, has the state and stays. */
static int klp_sdk_check_stacked(struct klp_sdk_patch *patch,
				 struct klp_sdk_state *state,
				 struct klp_sdk_record *record,
				 struct klp_sdk_holder *holder)
{
	if (record->version != state->props->version) {
		klp_sdk_stacked_err(patch, state, record, holder);
		return -EBUSY;
	}
	/* It would not do with .replace, either. */
	if (klp_sdk_check_size(patch, state, record, holder->patch_name))
		return -EINVAL;
	if (!state->props->stackable ||
	    !(klp_sdk_record_declared(record) & KLP_SDK_HOLDER_STACKABLE)) {
		klp_sdk_state_err(patch, state,
				  "held by %s already; set .replace or disable that patch first",
				  holder->patch_name);
		return -EBUSY;
	}

	return 0;
}

/* This patch takes the state of @holder away. */
static int klp_sdk_plan_retire(struct klp_sdk_patch *patch,
			       struct klp_sdk_state *state,
			       struct klp_sdk_record *record,
			       struct klp_sdk_holder *holder)
{
	int ret;

	state->plan = KLP_SDK_HOW_NONE;
	/* Forced out, with nobody after it: it stays as it is. */
	if (!holder)
		return 0;

	if (record->version != state->props->version) {
		klp_sdk_state_err(patch, state,
				  "%s has version %u, version %u is retired here; retire that version",
				  holder->patch_name, record->version,
				  state->props->version);
		return -EINVAL;
	}
	ret = klp_sdk_check_size(patch, state, record, holder->patch_name);
	if (ret)
		return ret;
	return klp_sdk_leaver_add(patch, record, state);
}

/*
 * The patch of @holder has a newer version of the state. It is handed over if that
 * patch knows the way, and otherwise undone by it and introduced afresh.
 */
static int klp_sdk_plan_back(struct klp_sdk_patch *patch,
			     struct klp_sdk_state *state,
			     struct klp_sdk_record **recordp,
			     struct klp_sdk_holder *holder)
{
	const struct klp_sdk_back_entry *back;
	struct klp_sdk_record *record = *recordp;
	const struct klp_sdk_holder *permanent;

	back = klp_sdk_find_back(state, record);
	if (back && back->data_size != state->size) {
		klp_sdk_state_err(patch, state,
				  "version %u has %zu bytes here, but the way back of %s gives %llu; correct it in a patch that replaces %s first",
				  state->props->version, state->size,
				  holder->patch_name, back->data_size,
				  holder->patch_name);
		return -EINVAL;
	}
	/*
	 * klp_sdk_data() never gives NULL, and always the same: there is no object for it
	 * before the conversion is done.
	 */
	if (back && back->convert && state->reads_data)
		back = NULL;
	if (back && klp_sdk_shadows_same(state, record)) {
		state->plan = back->convert ? KLP_SDK_HOW_CONVERT_BACK :
					      KLP_SDK_HOW_SHRINK;
		state->back = back;
		return 0;
	}

	permanent = klp_sdk_record_permanent(record);
	if (permanent) {
		klp_sdk_state_err(patch, state,
				  "permanent at version %u in %s, and version %u is older; load a patch with version %u or later",
				  record->version, permanent->patch_name,
				  state->props->version, record->version);
		return -EINVAL;
	}
	*recordp = NULL;
	return klp_sdk_leaver_add(patch, record, NULL);
}

/*
 * The state goes on, from @record, which @holder has or, with an orphan, nobody; an
 * orphan whose module went has no data any more.
 */
static int klp_sdk_plan_record(struct klp_sdk_patch *patch,
			       struct klp_sdk_state *state,
			       struct klp_sdk_record *record,
			       struct klp_sdk_holder *holder)
{
	const char *who = holder ? holder->patch_name : klp_sdk_orphan_name;
	int ret;

	if (!holder && !record->data)
		return 0;
	if (!holder && record->version > state->props->version) {
		klp_sdk_state_err(patch, state,
				  "version %u was left behind by a forced transition, and version %u here is older; load a patch with version %u or later, or reboot",
				  record->version, state->props->version,
				  record->version);
		return -EINVAL;
	}
	if (record->version == state->props->version) {
		state->plan = patch->replace || !holder ? KLP_SDK_HOW_INHERIT :
							  KLP_SDK_HOW_SHARE;
		return klp_sdk_check_size(patch, state, record, who);
	}

	ret = klp_sdk_plan_migration(patch, state, record->version, who);
	if (ret)
		return ret;
	if (state->from->old_size != record->data_size) {
		klp_sdk_state_err(patch, state,
				  "version %u has %llu bytes in %s, but the migration takes %zu; correct the older type",
				  record->version, record->data_size, who,
				  state->from->old_size);
		return -EINVAL;
	}
	return klp_sdk_check_room(patch, state, record->alloc_size);
}

/*
 * Decide how this patch gets the state, from what the record says and what the
 * core shows of the patches before this one. A state that does not fit is
 * refused with its reason in the log. Nothing is changed but for records that
 * nobody holds. @recordp becomes NULL if the patch needs a record of its own.
 */
static int klp_sdk_plan(struct klp_sdk_patch *patch,
			struct klp_sdk_state *state,
			struct klp_sdk_record **recordp)
{
	const struct klp_sdk_state_props *props = state->props;
	struct klp_sdk_record *record = *recordp;
	struct klp_sdk_holder *holder;
	struct klp_state __klp_sdk_prev *prev;
	int ret;

	/* Safe: vmlinux's callbacks run within a transition only. */
	prev = klp_sdk_compat_prev_state(klp_sdk_state_id(state));
	state->plan = KLP_SDK_HOW_INTRODUCE;
	state->from = NULL;
	state->raw = NULL;
	state->stale = NULL;
	state->back = NULL;

	holder = prev && record ? klp_sdk_record_holder(patch, record, prev) :
				  NULL;
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
		ret = record ? klp_sdk_check_identity(patch, state, record,
						      "the patch before that") : 0;
		if (ret)
			return ret;
		state->stale = record;
		*recordp = NULL;
		return klp_sdk_plan_raw(patch, state, prev);
	}
	if (record && !holder &&
	    !(klp_sdk_forced(record) && list_empty(&record->holders))) {
		/*
		 * No patch has the state: one without the SDK replaced all
		 * holders, and the data was its business since then.
		 */
		klp_sdk_record_forget(record);
		record = NULL;
		*recordp = NULL;
	}

	if (!record) {
		if (props->retire)
			state->plan = KLP_SDK_HOW_NONE;
		return 0;
	}

	ret = klp_sdk_check_identity(patch, state, record,
				     holder ? holder->patch_name :
					      klp_sdk_orphan_name);
	if (ret)
		return ret;
	if (!holder)
		klp_sdk_orphan_check(record, state->obj);
	/* The orphan has gone with its module. */
	if (!holder && !record->data && props->retire) {
		klp_sdk_record_forget(record);
		state->plan = KLP_SDK_HOW_NONE;
		return 0;
	}
	if (holder && !patch->replace) {
		ret = klp_sdk_check_stacked(patch, state, record, holder);
		if (ret)
			return ret;
	}
	if (props->retire)
		return klp_sdk_plan_retire(patch, state, record, holder);

	if (holder && record->version > props->version)
		return klp_sdk_plan_back(patch, state, recordp, holder);
	return klp_sdk_plan_record(patch, state, record, holder);
}

/*
 * klp_sdk_state_join() - Decide, and take a place among the state's holders
 *
 * Return: 0, or an error with nothing left behind. A state that is retired is
 * not joined: state->holder stays NULL.
 */
int klp_sdk_state_join(struct klp_sdk_patch *patch,
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

	ret = klp_sdk_plan(patch, state, &record);
	if (ret == -ENOMEM)
		goto no_memory;
	if (ret || state->plan == KLP_SDK_HOW_NONE)
		return ret;
	ret = klp_sdk_shadows_plan(patch, state, record);
	if (ret)
		return ret;

	state->holder = klp_sdk_holder_alloc(patch, state);
	if (!state->holder)
		goto no_memory;
	state->record = record ?: klp_sdk_record_make(state);
	if (!state->record)
		goto no_record;
	if (!klp_sdk_shadows_join(state))
		goto no_shadows;
	record = state->record;

	if (state->stale)
		klp_sdk_inherit_forced(record, state->stale);
	list_add_tail_rcu(&state->holder->node, &record->holders);
	return 0;

no_shadows:
	klp_sdk_shadows_quit(state);
	if (!record)
		klp_sdk_record_forget(state->record);
	state->record = NULL;
no_record:
	klp_sdk_holder_free(state->holder);
	state->holder = NULL;
no_memory:
	klp_sdk_state_failed(patch, state, -ENOMEM);
	return -ENOMEM;
}

/*
 * klp_sdk_state_quit() - This patch does not hold the state any more
 *
 * It has let go of the data already. Data that stays in a record without
 * holders is an orphan.
 */
void klp_sdk_state_quit(struct klp_sdk_state *state)
{
	struct klp_sdk_record *record = state->record;

	/* Of a module that is not there, too, as after a forced replace. */
	klp_sdk_check_forced_out(record, state->holder);
	klp_sdk_shadows_quit(state);
	klp_sdk_holder_free(state->holder);
	state->holder = NULL;
	state->record = NULL;
	if (list_empty(&record->holders) && !record->data)
		klp_sdk_record_forget(record);
}

/* The replaced patches lose the state; their modules are still in place. */
static void klp_sdk_drop_others(struct klp_sdk_state *state)
{
	bool freed = state->spare && !state->borrowed &&
		     !klp_sdk_forced(state->record);
	struct klp_sdk_holder *holder, *next;

	list_for_each_entry_safe(holder, next, &state->record->holders, node) {
		if (holder == state->holder)
			continue;
		/*
		 * Their functions run no more. Leave no pointer to an object
		 * that is about to be freed even so.
		 */
		if (freed) {
			holder->kstate->data = NULL;
			klp_sdk_slot_publish(&holder->slots->live, NULL);
			klp_sdk_slot_publish(&holder->slots->data, NULL);
		}
		klp_sdk_holder_free(holder);
	}
	if (state->spare && state->raw && !state->borrowed)
		klp_sdk_compat_prev_clear(state->raw);
}

/*
 * klp_sdk_state_settle() - The transition is complete: the state is this patch's
 *
 * Comes after klp_sdk_state_complete(), which is left out while the state's
 * object is not loaded.
 */
void klp_sdk_state_settle(struct klp_sdk_patch *patch,
			  struct klp_sdk_state *state)
{
	struct klp_sdk_record *record = state->record;

	klp_sdk_check_forced(record);
	record->version = state->props->version;
	record->data_size = state->size;
	if (!record->data)
		record->alloc_size = klp_sdk_alloc_size(state);
	klp_sdk_shadows_settle(patch, state);
	if (patch->replace)
		klp_sdk_drop_others(state);

	if (state->stale) {
		klp_sdk_orphan_check(state->stale, state->obj);
		klp_sdk_orphan_abandon(state->stale);
		klp_sdk_record_forget(state->stale);
	}
	state->stale = NULL;
	state->raw = NULL;
	state->from = NULL;
	state->back = NULL;
	/* Who has it when its module is loaded again stays beside this patch. */
	state->plan = KLP_SDK_HOW_SHARE;
}
