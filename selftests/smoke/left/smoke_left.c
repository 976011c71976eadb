// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves a record as the SDK would if it forgot to free one, and two
 * shadow variables.
 */
#include <linux/slab.h>

#include "../raw.h"
#include "../../../sdk/record.h"

static int init_root(void *obj, void *shadow_data, void *ctor_data)
{
	struct klp_sdk_root *root = shadow_data;

	root->abi = KLP_SDK_ABI;
	root->size = sizeof(*root);
	INIT_LIST_HEAD(&root->records);
	INIT_LIST_HEAD(&root->lost);
	return 0;
}

static void post_patch(struct klp_object *obj)
{
	struct klp_sdk_root *root;
	struct klp_sdk_record *record;

	if (klp_shadow_get(NULL, KLP_SDK_ROOT_ID))
		return;
	root = klp_shadow_get_or_alloc(NULL, KLP_SDK_ROOT_ID, sizeof(*root),
				       GFP_KERNEL, init_root, NULL);
	record = kzalloc(sizeof(*record), GFP_KERNEL);
	if (!root || !record)
		return;
	record->abi = KLP_SDK_ABI;
	record->size = sizeof(*record);
	record->id = 4711;
	strscpy(record->name, "forgotten", sizeof(record->name));
	INIT_LIST_HEAD(&record->holders);
	INIT_LIST_HEAD(&record->shadows);
	list_add_tail_rcu(&record->node, &root->records);
	/* The last call is a jump: the stack does not show whose it is. */
	klp_shadow_get_or_alloc(NULL, 77, sizeof(int), GFP_KERNEL, NULL, NULL);
}

RAW_PATCH(.post_patch = post_patch);
MODULE_DESCRIPTION("klp-sdk test: leaves something");
