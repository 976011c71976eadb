// SPDX-License-Identifier: GPL-2.0
/*
 * Records of live states: found, made and freed. No decision is taken here.
 */
#include <linux/err.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "engine.h"

static struct klp_sdk_root *klp_sdk_root(void)
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
	return 0;
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
	if (root->abi != KLP_SDK_ABI)
		return ERR_PTR(-EPROTO);

	list_for_each_entry(record, &root->records, node) {
		if (record->id != id)
			continue;
		if (record->abi != KLP_SDK_ABI ||
		    record->size < sizeof(*record) || record->flags)
			return ERR_PTR(-EPROTO);
		return record;
	}

	return NULL;
}

/* A record with zeroed data for a state that is new; not listed yet. */
struct klp_sdk_record *klp_sdk_record_alloc(const struct klp_sdk_state *state)
{
	struct klp_sdk_record *record;

	record = kzalloc(sizeof(*record), GFP_KERNEL);
	if (!record)
		return NULL;

	record->abi = KLP_SDK_ABI;
	record->size = sizeof(*record);
	INIT_LIST_HEAD(&record->node);
	INIT_LIST_HEAD(&record->holders);
	record->id = klp_sdk_state_id(state);
	record->version = state->props->version;
	record->data_size = state->size;
	record->alloc_size = klp_sdk_alloc_size(state);
	strscpy(record->name, state->name, sizeof(record->name));

	record->data = kzalloc(record->alloc_size, GFP_KERNEL);
	if (!record->data) {
		kfree(record);
		return NULL;
	}

	return record;
}

/* Make @record the system's record of its state; the first makes the root. */
int klp_sdk_record_list(struct klp_sdk_record *record)
{
	struct klp_sdk_root *root;

	root = klp_shadow_get_or_alloc(NULL, KLP_SDK_ROOT_ID, sizeof(*root),
				       GFP_KERNEL, klp_sdk_root_ctor, NULL);
	if (!root)
		return -ENOMEM;

	list_add_tail_rcu(&record->node, &root->records);
	return 0;
}

/* Free @record with its data, and the root after the last one. */
void klp_sdk_record_free(struct klp_sdk_record *record)
{
	struct klp_sdk_root *root = klp_sdk_root();

	if (!list_empty(&record->node))
		list_del_rcu(&record->node);
	kfree(record->data);
	kfree_rcu(record, rcu);

	if (root && list_empty(&root->records))
		klp_shadow_free(NULL, KLP_SDK_ROOT_ID, NULL);
}

/* A holder for @patch, not yet on a record's list. */
struct klp_sdk_holder *klp_sdk_holder_alloc(struct klp_sdk_patch *patch,
					    struct klp_sdk_state *state)
{
	struct klp_sdk_holder *holder;

	holder = kzalloc(sizeof(*holder), GFP_KERNEL);
	if (!holder)
		return NULL;

	holder->abi = KLP_SDK_ABI;
	holder->size = sizeof(*holder);
	INIT_LIST_HEAD(&holder->node);
	holder->phase = KLP_SDK_IDLE;
	holder->version = state->props->version;
	holder->patch = &patch->patch;
	holder->kstate = klp_get_state(&patch->patch, klp_sdk_state_id(state));
	holder->slots = &state->slots;
	holder->fns = state->fns;
	strscpy(holder->patch_name, patch->patch.mod->name,
		sizeof(holder->patch_name));
	return holder;
}

void klp_sdk_holder_free(struct klp_sdk_holder *holder)
{
	if (!list_empty(&holder->node))
		list_del_rcu(&holder->node);
	kfree_rcu(holder, rcu);
}

/*
 * The core refuses a patch whose states do not fit the system's with nothing
 * but "not compatible". Name them. Nothing is decided here: the core has
 * refused already, so that a state that comes or goes meanwhile does no harm.
 */
void klp_sdk_record_explain(const struct klp_sdk_patch *patch)
{
	struct klp_sdk_state *const *pos;
	struct klp_sdk_record *record;
	struct klp_sdk_holder *holder;
	struct klp_sdk_root *root;

	rcu_read_lock();
	root = klp_sdk_root();
	if (!root || root->abi != KLP_SDK_ABI)
		goto out;

	list_for_each_entry_rcu(record, &root->records, node) {
		holder = list_first_or_null_rcu(&record->holders,
						struct klp_sdk_holder, node);
		if (!holder)
			continue;
		klp_sdk_for_each_state(patch, pos)
			if (klp_sdk_state_id(*pos) == record->id)
				break;

		if (pos && *pos && (*pos)->props->version < record->version)
			klp_sdk_state_err(patch, *pos,
					  "version %u is older than version %u held by %s; disable that patch first",
					  (*pos)->props->version,
					  record->version, holder->patch_name);
		else if ((!pos || !*pos) && patch->replace)
			pr_err("klp-sdk: %s: state '%s' (id %lu) of the replaced patch %s is not declared; declare it at version %u or later\n",
			       patch->patch.mod->name, record->name, record->id,
			       holder->patch_name, record->version);
	}
out:
	rcu_read_unlock();
}
