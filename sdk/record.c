// SPDX-License-Identifier: GPL-2.0
/*
 * Records of live states: found, made and freed. No decision is taken here.
 */
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "engine.h"

/*
 * The binary interface, pinned: docs/record.md. What is here never changes; new
 * fields go to the end of their struct and get a line of their own.
 */
static_assert(offsetof(struct klp_sdk_root, records) == 8);
static_assert(offsetof(struct klp_sdk_root, lost) == 24);
static_assert(KLP_SDK_ROOT_MIN == 40);

static_assert(offsetof(struct klp_sdk_record, node) == 8);
static_assert(offsetof(struct klp_sdk_record, holders) == 24);
static_assert(offsetof(struct klp_sdk_record, id) == 40);
static_assert(offsetof(struct klp_sdk_record, version) == 48);
static_assert(offsetof(struct klp_sdk_record, flags) == 52);
static_assert(offsetof(struct klp_sdk_record, data_size) == 56);
static_assert(offsetof(struct klp_sdk_record, alloc_size) == 64);
static_assert(offsetof(struct klp_sdk_record, data) == 72);
static_assert(offsetof(struct klp_sdk_record, name) == 80);
static_assert(offsetof(struct klp_sdk_record, object) == 144);
static_assert(offsetof(struct klp_sdk_record, hints) == 208);
static_assert(offsetof(struct klp_sdk_record, rcu) == 216);
static_assert(offsetof(struct klp_sdk_record, shadows) == 232);
static_assert(offsetof(struct klp_sdk_record, pinned) == 248);
static_assert(KLP_SDK_RECORD_MIN == 256);

static_assert(offsetof(struct klp_sdk_back_entry, data_size) == 8);
static_assert(offsetof(struct klp_sdk_back_entry, convert) == 16);
static_assert(offsetof(struct klp_sdk_back_entry, release) == 24);
static_assert(sizeof(struct klp_sdk_back_entry) == 32);

static_assert(offsetof(struct klp_sdk_holder, node) == 8);
static_assert(offsetof(struct klp_sdk_holder, phase) == 24);
static_assert(offsetof(struct klp_sdk_holder, version) == 28);
static_assert(offsetof(struct klp_sdk_holder, patch) == 32);
static_assert(offsetof(struct klp_sdk_holder, kstate) == 40);
static_assert(offsetof(struct klp_sdk_holder, slots) == 48);
static_assert(offsetof(struct klp_sdk_holder, fns) == 56);
static_assert(offsetof(struct klp_sdk_holder, patch_name) == 64);
static_assert(offsetof(struct klp_sdk_holder, slots_size) == 128);
static_assert(offsetof(struct klp_sdk_holder, fns_size) == 132);
static_assert(offsetof(struct klp_sdk_holder, flags) == 136);
static_assert(offsetof(struct klp_sdk_holder, hints) == 140);
static_assert(offsetof(struct klp_sdk_holder, rcu) == 144);
static_assert(offsetof(struct klp_sdk_holder, undo) == 160);
static_assert(offsetof(struct klp_sdk_holder, shadows) == 168);
static_assert(offsetof(struct klp_sdk_holder, nr_back) == 184);
static_assert(offsetof(struct klp_sdk_holder, back) == 192);
static_assert(KLP_SDK_HOLDER_MIN == 448);

static_assert(offsetof(struct klp_sdk_slots, live) == 0);
static_assert(offsetof(struct klp_sdk_slots, data) == 8);
static_assert(KLP_SDK_SLOTS_MIN == 16);

static_assert(offsetof(struct klp_sdk_state_fns, pre_patch) == 0);
static_assert(offsetof(struct klp_sdk_state_fns, post_patch) == 8);
static_assert(offsetof(struct klp_sdk_state_fns, pre_unpatch) == 16);
static_assert(offsetof(struct klp_sdk_state_fns, post_unpatch) == 24);
static_assert(offsetof(struct klp_sdk_state_fns, adopt) == 32);
static_assert(KLP_SDK_FNS_MIN == 40);

static_assert(sizeof(struct klp_sdk_shadow_layout) == 16);
static_assert(offsetof(struct klp_sdk_shadow_layout, data_size) == 8);
static_assert(offsetof(struct klp_sdk_shadow_record, node) == 8);
static_assert(offsetof(struct klp_sdk_shadow_record, id) == 24);
static_assert(offsetof(struct klp_sdk_shadow_record, flags) == 32);
static_assert(offsetof(struct klp_sdk_shadow_record, hints) == 36);
static_assert(offsetof(struct klp_sdk_shadow_record, alloc_size) == 40);
static_assert(offsetof(struct klp_sdk_shadow_record, table) == 48);
static_assert(offsetof(struct klp_sdk_shadow_record, name) == 56);
static_assert(offsetof(struct klp_sdk_shadow_record, nr_older) == 120);
static_assert(offsetof(struct klp_sdk_shadow_record, now) == 128);
static_assert(offsetof(struct klp_sdk_shadow_record, older) == 144);
static_assert(offsetof(struct klp_sdk_shadow_record, rcu) == 272);
static_assert(KLP_SDK_SHADOW_RECORD_MIN == 288);

static_assert(sizeof(struct klp_sdk_shadow_dtor) == 16);
static_assert(offsetof(struct klp_sdk_shadow_dtor, dtor) == 8);
static_assert(offsetof(struct klp_sdk_shadow_holder, node) == 8);
static_assert(offsetof(struct klp_sdk_shadow_holder, id) == 24);
static_assert(offsetof(struct klp_sdk_shadow_holder, slots) == 32);
static_assert(offsetof(struct klp_sdk_shadow_holder, undo) == 40);
static_assert(offsetof(struct klp_sdk_shadow_holder, slots_size) == 48);
static_assert(offsetof(struct klp_sdk_shadow_holder, nr_dtors) == 52);
static_assert(offsetof(struct klp_sdk_shadow_holder, dtors) == 56);
static_assert(offsetof(struct klp_sdk_shadow_holder, rcu) == 200);
static_assert(KLP_SDK_SHADOW_HOLDER_MIN == 216);

static_assert(offsetof(struct klp_sdk_shadow_slots, table) == 0);
static_assert(offsetof(struct klp_sdk_shadow_slots, live) == 8);
static_assert(KLP_SDK_SHADOW_SLOTS_MIN == 16);

static_assert(offsetof(struct klp_sdk_shadow_table, front) == 8);
static_assert(offsetof(struct klp_sdk_shadow_table, crowded) == 16);
static_assert(offsetof(struct klp_sdk_shadow_table, keep) == 17);
static_assert(offsetof(struct klp_sdk_shadow_table, ht) == 24);
static_assert(offsetof(struct klp_sdk_shadow_front, words) == 0);
static_assert(offsetof(struct klp_sdk_shadow_front, nr) == 32768);
static_assert(sizeof(struct klp_sdk_shadow_front) == 49152);
static_assert(KLP_SDK_FRONT_WORDS / KLP_SDK_FRONT_LOCKS == 256);
static_assert(KLP_SDK_FRONT_MORE == 1);
static_assert(offsetof(struct klp_sdk_shadow_node, head) == 0);
static_assert(offsetof(struct klp_sdk_shadow_node, parent) == 8);
static_assert(offsetof(struct klp_sdk_shadow_node, rcu) == 16);
static_assert(offsetof(struct klp_sdk_shadow_node, version) == 32);
static_assert(offsetof(struct klp_sdk_shadow_node, data) == 48);

/* The root of all records, or NULL if there is none. */
struct klp_sdk_root *klp_sdk_root(void)
{
	return klp_shadow_get(NULL, KLP_SDK_ROOT_ID);
}

/* Runs under the core's shadow lock with interrupts off: no sleeping. */
static int klp_sdk_root_ctor(void *obj, void *shadow_data, void *ctor_data)
{
	struct klp_sdk_root *root = shadow_data;

	root->abi = KLP_SDK_ABI;
	root->size = sizeof(*root);
	INIT_LIST_HEAD(&root->records);
	INIT_LIST_HEAD(&root->lost);
	return 0;
}

/* Is @root of a layout that this engine knows? */
bool klp_sdk_root_known(const struct klp_sdk_root *root)
{
	return root->abi == KLP_SDK_ABI && root->size >= KLP_SDK_ROOT_MIN;
}

static bool klp_sdk_holder_known(const struct klp_sdk_holder *holder)
{
	const struct klp_sdk_shadow_holder *part;

	if (holder->abi != KLP_SDK_ABI || holder->size < KLP_SDK_HOLDER_MIN ||
	    holder->flags & ~KLP_SDK_HOLDER_FLAGS ||
	    holder->slots_size < KLP_SDK_SLOTS_MIN ||
	    holder->fns_size < KLP_SDK_FNS_MIN ||
	    holder->nr_back > ARRAY_SIZE(holder->back))
		return false;
	list_for_each_entry_rcu(part, &holder->shadows, node, true)
		if (part->abi != KLP_SDK_ABI ||
		    part->size < KLP_SDK_SHADOW_HOLDER_MIN ||
		    part->slots_size < KLP_SDK_SHADOW_SLOTS_MIN ||
		    part->nr_dtors > ARRAY_SIZE(part->dtors))
			return false;

	return true;
}

static bool klp_sdk_shadow_known(const struct klp_sdk_shadow_record *owned)
{
	const struct klp_sdk_shadow_table *table = READ_ONCE(owned->table);

	if (owned->abi != KLP_SDK_ABI ||
	    owned->size < KLP_SDK_SHADOW_RECORD_MIN ||
	    owned->flags & ~KLP_SDK_SHADOW_FLAGS ||
	    owned->nr_older > ARRAY_SIZE(owned->older))
		return false;
	return !table || (table->abi == KLP_SDK_ABI &&
			  table->size >= sizeof(*table));
}

/* Is all of @record of a layout that this engine knows? */
static bool klp_sdk_record_known(const struct klp_sdk_record *record)
{
	const struct klp_sdk_shadow_record *owned;
	const struct klp_sdk_holder *holder;

	if (record->abi != KLP_SDK_ABI || record->size < KLP_SDK_RECORD_MIN ||
	    record->flags & ~KLP_SDK_RECORD_FLAGS)
		return false;
	list_for_each_entry_rcu(holder, &record->holders, node, true)
		if (!klp_sdk_holder_known(holder))
			return false;
	list_for_each_entry_rcu(owned, &record->shadows, node, true)
		if (!klp_sdk_shadow_known(owned))
			return false;

	return true;
}

/*
 * The record of @id, or NULL. An ERR_PTR if the system's records are of a
 * binary layout that this engine does not know. Under klp_mutex.
 */
struct klp_sdk_record *klp_sdk_record_find(unsigned long id)
{
	struct klp_sdk_root *root = klp_sdk_root();
	struct klp_sdk_record *record;

	if (!root)
		return NULL;
	if (!klp_sdk_root_known(root))
		return ERR_PTR(-EPROTO);

	list_for_each_entry(record, &root->records, node)
		if (record->id == id)
			return klp_sdk_record_known(record) ? record :
							      ERR_PTR(-EPROTO);

	return NULL;
}

/*
 * A record for a state that has none, without data. The first makes the root.
 * NULL if there is no memory.
 */
struct klp_sdk_record *klp_sdk_record_make(const struct klp_sdk_state *state)
{
	struct klp_sdk_record *record;
	struct klp_sdk_root *root;

	record = klp_sdk_compat_kzalloc(sizeof(*record), GFP_KERNEL);
	if (!record)
		return NULL;

	record->abi = KLP_SDK_ABI;
	record->size = sizeof(*record);
	INIT_LIST_HEAD(&record->holders);
	INIT_LIST_HEAD(&record->shadows);
	record->id = klp_sdk_state_id(state);
	record->version = state->props->version;
	record->data_size = state->size;
	record->alloc_size = klp_sdk_alloc_size(state);
	strscpy(record->name, state->name, sizeof(record->name));
	if (state->props->object)
		strscpy(record->object, state->props->object,
			sizeof(record->object));

	root = klp_shadow_get_or_alloc(NULL, KLP_SDK_ROOT_ID, sizeof(*root),
				       GFP_KERNEL, klp_sdk_root_ctor, NULL);
	if (!root) {
		kfree(record);
		return NULL;
	}

	list_add_tail_rcu(&record->node, &root->records);
	return record;
}

/*
 * Forget @record and its holders, not its data, and the root after the last
 * record. The holders' patches may be gone: nothing of theirs is followed.
 */
void klp_sdk_record_forget(struct klp_sdk_record *record)
{
	struct klp_sdk_root *root = klp_sdk_root();
	struct klp_sdk_holder *holder, *next;

	list_for_each_entry_safe(holder, next, &record->holders, node)
		klp_sdk_holder_free(holder);
	klp_sdk_shadows_forget(record);
	list_del_rcu(&record->node);
	kfree_rcu(record, rcu);

	if (root && list_empty(&root->records) && list_empty(&root->lost))
		klp_shadow_free(NULL, KLP_SDK_ROOT_ID, NULL);
}

/* The state is gone: free @record with all it has. */
void klp_sdk_record_free(struct klp_sdk_record *record)
{
	klp_sdk_free_data(record, record->data);
	klp_sdk_record_forget(record);
}

/* Is a patch other than that of @but live with the state? */
bool klp_sdk_record_live(const struct klp_sdk_record *record,
			 const struct klp_sdk_holder *but)
{
	const struct klp_sdk_holder *holder;

	list_for_each_entry(holder, &record->holders, node)
		if (holder != but && holder->phase == KLP_SDK_LIVE)
			return true;

	return false;
}

/* Has a patch other than that of @but anything to do with the data? */
bool klp_sdk_record_used(const struct klp_sdk_record *record,
			 const struct klp_sdk_holder *but)
{
	const struct klp_sdk_holder *holder;

	list_for_each_entry(holder, &record->holders, node)
		if (holder != but && holder->phase != KLP_SDK_IDLE)
			return true;

	return false;
}

/* A holder that declares the state permanent, or NULL. */
const struct klp_sdk_holder *
klp_sdk_record_permanent(const struct klp_sdk_record *record)
{
	const struct klp_sdk_holder *holder;

	list_for_each_entry_rcu(holder, &record->holders, node, true)
		if (holder->flags & KLP_SDK_HOLDER_PERMANENT)
			return holder;

	return NULL;
}

/*
 * What the holders together declare: stackable if all do, permanent as soon as one
 * does. Under klp_mutex or RCU.
 */
u32 klp_sdk_record_declared(const struct klp_sdk_record *record)
{
	const struct klp_sdk_holder *holder;
	u32 all = KLP_SDK_HOLDER_STACKABLE, any = 0;

	list_for_each_entry_rcu(holder, &record->holders, node, true) {
		all &= holder->flags;
		any |= holder->flags;
	}
	/* Without a holder there is nothing that was declared. */
	return any & ((all & KLP_SDK_HOLDER_STACKABLE) | KLP_SDK_HOLDER_PERMANENT);
}

/* The functions that undo the state for @holder: those of a patch that retires it. */
const struct klp_sdk_state_fns *
klp_sdk_holder_undo(const struct klp_sdk_holder *holder)
{
	return holder->undo ?: holder->fns;
}

static void klp_sdk_holder_set_back(struct klp_sdk_holder *holder,
				    const struct klp_sdk_state *state)
{
	const struct klp_sdk_back *how;
	struct klp_sdk_back_entry *entry;
	int i;

	for (i = 0; i < KLP_SDK_MAX_BACK; i++) {
		how = state->props->back[i].how;
		if (!how)
			continue;
		entry = &holder->back[holder->nr_back++];
		entry->version = how->version;
		entry->data_size = how->size;
		entry->convert = how->convert;
		entry->release = how->release;
	}
}

/* A holder for @patch, not yet on a record's list. */
struct klp_sdk_holder *klp_sdk_holder_alloc(struct klp_sdk_patch *patch,
					    struct klp_sdk_state *state)
{
	struct klp_sdk_holder *holder;

	holder = klp_sdk_compat_kzalloc(sizeof(*holder), GFP_KERNEL);
	if (!holder)
		return NULL;

	holder->abi = KLP_SDK_ABI;
	holder->size = sizeof(*holder);
	INIT_LIST_HEAD(&holder->node);
	INIT_LIST_HEAD(&holder->shadows);
	holder->phase = KLP_SDK_IDLE;
	holder->version = state->props->version;
	holder->patch = &patch->patch;
	holder->kstate = klp_get_state(&patch->patch, klp_sdk_state_id(state));
	holder->slots = state->slots;
	holder->slots_size = sizeof(*holder->slots);
	holder->fns_size = sizeof(*holder->fns);
	holder->fns = state->fns;
	holder->flags = klp_sdk_declared_flags(state);
	klp_sdk_holder_set_back(holder, state);
	strscpy(holder->patch_name, patch->patch.mod->name,
		sizeof(holder->patch_name));
	if (!klp_sdk_shadow_holders_make(holder, state)) {
		klp_sdk_holder_free(holder);
		return NULL;
	}
	return holder;
}

void klp_sdk_holder_free(struct klp_sdk_holder *holder)
{
	if (!list_empty(&holder->node))
		list_del_rcu(&holder->node);
	klp_sdk_shadow_holders_free(holder);
	kfree_rcu(holder, rcu);
}

/*
 * How many records there are, for an array that klp_sdk_record_merge() fills;
 * -EPROTO if this engine does not know them all, which has the patch refused
 * before the core does so without a reason.
 */
int klp_sdk_record_count(void)
{
	struct klp_sdk_record *record;
	struct klp_sdk_root *root;
	int nr = 0;

	rcu_read_lock();
	root = klp_sdk_root();
	if (root && !klp_sdk_root_known(root))
		nr = -EPROTO;
	else if (root)
		list_for_each_entry_rcu(record, &root->records, node) {
			if (!klp_sdk_record_known(record)) {
				nr = -EPROTO;
				break;
			}
			nr++;
		}
	rcu_read_unlock();

	return nr;
}

/*
 * Copy the names of the modules that states are bound to, at most @room, to
 * @modules. Returns how many. Records may come meanwhile: a patch that lacks an
 * object is refused later.
 */
int klp_sdk_record_modules(struct klp_sdk_module_name *modules, int room)
{
	struct klp_sdk_record *record;
	struct klp_sdk_root *root;
	int nr = 0;

	rcu_read_lock();
	root = klp_sdk_root();
	if (root && klp_sdk_root_known(root))
		list_for_each_entry_rcu(record, &root->records, node)
			if (nr < room && klp_sdk_record_known(record) &&
			    record->object[0])
				strscpy(modules[nr++].name, record->object,
					sizeof(modules->name));
	rcu_read_unlock();

	return nr;
}

/*
 * The newest version that the core knows of the state: in a transition it is that of the
 * patch which is being enabled, while the data still has an older one.
 */
static u32 klp_sdk_record_newest(const struct klp_sdk_record *record)
{
	u32 newest = READ_ONCE(record->version);
	const struct klp_sdk_holder *holder;

	list_for_each_entry_rcu(holder, &record->holders, node)
		newest = max(newest, holder->version);
	return newest;
}

/*
 * The core lets a patch replace others only if it lists all their states, none
 * at a lower version. Make the states of @patch look so: what is to be undone
 * is listed until the transition is complete. @room is for states that @patch
 * does not declare. Records may come and go meanwhile: an entry too many does
 * no harm, and one too few has the core refuse the patch.
 */
void klp_sdk_record_merge(struct klp_sdk_patch *patch, int room)
{
	struct klp_state *kstate = patch->patch.states;
	struct klp_sdk_record *record;
	struct klp_sdk_root *root;

	while (kstate->id)
		kstate++;

	rcu_read_lock();
	root = klp_sdk_root();
	if (!root || !klp_sdk_root_known(root))
		goto out;

	list_for_each_entry_rcu(record, &root->records, node) {
		/* An orphan is no patch's: it must not carry this one over others. */
		if (record->abi != KLP_SDK_ABI ||
		    record->flags & KLP_SDK_RECORD_ORPHAN)
			continue;
		if (!klp_sdk_find_state(patch, record->id)) {
			if (room-- <= 0)
				break;
			kstate->id = record->id;
			kstate->version = klp_sdk_record_newest(record);
			kstate++;
		} else {
			struct klp_state *own;

			own = klp_get_state(&patch->patch, record->id);
			own->version = max(own->version,
					   klp_sdk_record_newest(record));
		}
	}
out:
	rcu_read_unlock();
}

/*
 * The core refuses a patch whose states do not fit the system's with nothing
 * but "not compatible". Name them. Nothing is decided here: the core has
 * refused already, so that a state that comes or goes meanwhile does no harm.
 */
void klp_sdk_record_explain(const struct klp_sdk_patch *patch)
{
	struct klp_sdk_record *record;
	struct klp_sdk_holder *holder;
	struct klp_sdk_state *state;
	struct klp_sdk_root *root;

	rcu_read_lock();
	root = klp_sdk_root();
	if (!root || !klp_sdk_root_known(root))
		goto out;

	list_for_each_entry_rcu(record, &root->records, node) {
		if (record->abi != KLP_SDK_ABI)
			continue;
		holder = list_first_or_null_rcu(&record->holders,
						struct klp_sdk_holder, node);
		state = klp_sdk_find_state(patch, record->id);
		if (holder && state && !patch->replace &&
		    state->props->version < record->version)
			klp_sdk_stacked_err(patch, state, record, holder);
	}
out:
	rcu_read_unlock();
}
