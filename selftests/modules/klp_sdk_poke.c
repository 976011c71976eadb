// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the system's records look as if another release of the SDK had made
 * them, looks for pointers into modules that are gone and for what does not agree,
 * and compares what is looked at before an index with that. Reads and writes of the
 * loaded module's parameters take effect at once.
 */
#include <linux/livepatch.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "tp_hash.h"
#include "../../sdk/front.h"

/* The same for the shadow types of a state and a holder's part in them. */
static void poke_types(struct klp_sdk_record *record, struct klp_sdk_holder *holder,
		       const char *name, unsigned long value)
{
	struct klp_sdk_shadow_record *owned;
	struct klp_sdk_shadow_holder *part;

	list_for_each_entry(owned, &record->shadows, node) {
		if (!strcmp(name, "type_abi"))
			owned->abi = value;
		else if (!strcmp(name, "type_grown"))
			owned->size = sizeof(*owned) + value;
		else if (!strcmp(name, "type_nr_older"))
			owned->nr_older = value;
		else if (!strcmp(name, "type_flags"))
			owned->flags ^= value;
		else if (!strcmp(name, "table_abi"))
			owned->table->abi = value;
	}
	list_for_each_entry(part, &holder->shadows, node) {
		if (!strcmp(name, "part_abi"))
			part->abi = value;
		else if (!strcmp(name, "part_grown"))
			part->size = sizeof(*part) + value;
		else if (!strcmp(name, "part_slots_size"))
			part->slots_size = value;
	}
}

/* All under the test's control: nothing else changes records meanwhile. */
static int poke(const char *val, const struct kernel_param *kp)
{
	struct klp_sdk_root *root = klp_shadow_get(NULL, KLP_SDK_ROOT_ID);
	struct klp_sdk_record *record;
	struct klp_sdk_holder *holder;
	unsigned long value;
	int ret;

	ret = *val == '-' ? kstrtol(val, 0, (long *)&value) :
			    kstrtoul(val, 0, &value);
	if (ret)
		return ret;
	if (!root)
		return -ENOENT;

	if (!strcmp(kp->name, "root_abi"))
		root->abi = value;
	else if (!strcmp(kp->name, "root_grown"))
		root->size = sizeof(*root) + value;
	list_for_each_entry(record, &root->records, node) {
		holder = list_first_entry(&record->holders,
					  struct klp_sdk_holder, node);
		if (!strcmp(kp->name, "record_abi"))
			record->abi = value;
		else if (!strcmp(kp->name, "record_grown"))
			record->size = sizeof(*record) + value;
		else if (!strcmp(kp->name, "record_flags"))
			record->flags = value;
		else if (!strcmp(kp->name, "record_hints"))
			record->hints = value;
		else if (!strcmp(kp->name, "holder_abi"))
			holder->abi = value;
		else if (!strcmp(kp->name, "holder_grown"))
			holder->size = sizeof(*holder) + value;
		else if (!strcmp(kp->name, "holder_flags"))
			holder->flags = value;
		else if (!strcmp(kp->name, "holder_hints"))
			holder->hints = value;
		else if (!strcmp(kp->name, "holder_fns_size"))
			holder->fns_size = value;
		else if (!strcmp(kp->name, "holder_slots_size"))
			holder->slots_size = value;
		else if (!strcmp(kp->name, "holder_nr_back"))
			holder->nr_back = value;
		else if (!strcmp(kp->name, "holder_kstate"))
			holder->kstate = (struct klp_state *)value;
		else if (!strcmp(kp->name, "holder_version"))
			holder->version = value;
		else if (!strcmp(kp->name, "holder_patch"))
			holder->patch = (struct klp_patch *)value;
		else if (!strcmp(kp->name, "holder_renamed"))
			strscpy(holder->patch_name, holder->patch->mod->name,
				sizeof(holder->patch_name));
		else if (!strcmp(kp->name, "record_data_size"))
			record->data_size = value;
		else if (!strcmp(kp->name, "record_room"))
			record->alloc_size = value;
		else
			poke_types(record, holder, kp->name, value);
	}

	return 0;
}

/* What record_hints is now, of the first record. */
static int peek(char *buffer, const struct kernel_param *kp)
{
	struct klp_sdk_root *root = klp_shadow_get(NULL, KLP_SDK_ROOT_ID);

	if (!root)
		return -ENOENT;
	return sysfs_emit(buffer, "%u\n",
			  list_first_entry(&root->records,
					   struct klp_sdk_record, node)->hints);
}

/* Does @holder's patch see anything of a state that it does not have? */
static int unsound_holder(const struct klp_sdk_holder *holder)
{
	const struct klp_sdk_shadow_holder *part;
	int nr;

	/* A patch without the SDK took its place. */
	if (!vmalloc_to_page(holder->slots) || holder->phase != KLP_SDK_IDLE)
		return 0;
	nr = holder->slots->live || holder->slots->data || holder->kstate->data;
	list_for_each_entry(part, &holder->shadows, node)
		nr += part->slots->live || part->slots->table;
	return nr;
}

/* How much in the records does not agree, while no transition runs. */
static int unsound(char *buffer, const struct kernel_param *kp)
{
	struct klp_sdk_root *root = klp_shadow_get(NULL, KLP_SDK_ROOT_ID);
	struct klp_sdk_shadow_record *owned;
	struct klp_sdk_record *record;
	struct klp_sdk_holder *holder;
	int nr = 0;

	if (!root)
		return sysfs_emit(buffer, "0\n");
	list_for_each_entry(record, &root->records, node) {
		nr += record->data_size > record->alloc_size;
		/* After a force a task may use all that was there. */
		if (record->flags & KLP_SDK_RECORD_FORCED)
			continue;
		list_for_each_entry(holder, &record->holders, node)
			nr += unsound_holder(holder);
		list_for_each_entry(owned, &record->shadows, node)
			nr += record->data ? !owned->table :
			      owned->table || owned->nr_older;
	}

	return sysfs_emit(buffer, "%d\n", nr);
}

/* How many words of @object lead into modules that are gone. */
static int dangling_in(const void *object, size_t size)
{
	const unsigned long *word;
	int nr = 0;

	for (word = object; size >= sizeof(*word); size -= sizeof(*word), word++)
		nr += *word >= MODULES_VADDR && *word < MODULES_END &&
		      !vmalloc_to_page((void *)*word);
	return nr;
}

/* The same of a table with its nodes, and of what its hash is made by. */
static int dangling_in_table(struct klp_sdk_shadow_table *table)
{
	struct klp_sdk_shadow_node *node;
	struct rhashtable_iter iter;
	int nr;

	nr = dangling_in(table, sizeof(*table));
	rhashtable_walk_enter(&table->ht, &iter);
	rhashtable_walk_start(&iter);
	while ((node = rhashtable_walk_next(&iter)))
		if (!IS_ERR(node))
			nr += dangling_in(node, sizeof(*node));
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	return nr;
}

/* The same of all that is reachable from the root. */
static int dangling(char *buffer, const struct kernel_param *kp)
{
	struct klp_sdk_root *root = klp_shadow_get(NULL, KLP_SDK_ROOT_ID);
	struct klp_sdk_shadow_record *owned;
	struct klp_sdk_shadow_holder *part;
	struct klp_sdk_record *record;
	struct klp_sdk_holder *holder;
	int nr;

	if (!root)
		return -ENOENT;
	nr = dangling_in(root, sizeof(*root));
	list_for_each_entry(record, &root->records, node) {
		nr += dangling_in(record, sizeof(*record));
		if (record->data)
			nr += dangling_in(record->data, record->alloc_size);
		list_for_each_entry(holder, &record->holders, node) {
			nr += dangling_in(holder, sizeof(*holder));
			list_for_each_entry(part, &holder->shadows, node)
				nr += dangling_in(part, sizeof(*part));
		}
		list_for_each_entry(owned, &record->shadows, node) {
			nr += dangling_in(owned, sizeof(*owned));
			if (owned->table)
				nr += dangling_in_table(owned->table);
		}
	}

	return sysfs_emit(buffer, "%d\n", nr);
}

struct front_sum {
	u32 nr[KLP_SDK_FRONT_WORDS];
	bool there[KLP_SDK_FRONT_WORDS];	/* the node that has the word */
};

/* How many words of @table's front, and whether it is used, the index belies. */
static int wrong_words(struct klp_sdk_shadow_table *table, struct front_sum *sum)
{
	struct klp_sdk_shadow_front *front = table->front;
	struct klp_sdk_shadow_node *node;
	int i, nr = 0, values = 0;
	struct rhashtable_iter iter;
	bool more, wrong;

	/* A walk while the index is resized misses values. */
	while (flush_work(&table->ht.run_work))
		;
	memset(sum, 0, sizeof(*sum));
	rhashtable_walk_enter(&table->ht, &iter);
	rhashtable_walk_start(&iter);
	while ((node = rhashtable_walk_next(&iter))) {
		if (IS_ERR(node)) {
			nr++;
			continue;
		}
		i = klp_sdk_front_slot(node->parent);
		sum->nr[i]++;
		sum->there[i] |= klp_sdk_front_node(front->words[i]) == node;
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);

	for (i = 0; i < KLP_SDK_FRONT_WORDS; i++) {
		more = front->words[i] & KLP_SDK_FRONT_MORE;
		nr += front->nr[i] != sum->nr[i] ||
		      more != (sum->nr[i] > sum->there[i]) ||
		      !klp_sdk_front_node(front->words[i]) == sum->there[i];
		values += sum->nr[i];
	}
	wrong = table->crowded ? values < TP_FRONT_VALUES / 2 :
				 values > TP_FRONT_VALUES;
	return nr + wrong;
}

/* The same of all indexes. Values come and go at the test's word only. */
static int fronts(char *buffer, const struct kernel_param *kp)
{
	struct klp_sdk_root *root = klp_shadow_get(NULL, KLP_SDK_ROOT_ID);
	struct klp_sdk_shadow_record *owned;
	struct klp_sdk_record *record;
	struct front_sum *sum;
	int nr = 0;

	sum = kvmalloc(sizeof(*sum), GFP_KERNEL);
	if (!sum)
		return -ENOMEM;
	if (root)
		list_for_each_entry(record, &root->records, node)
			list_for_each_entry(owned, &record->shadows, node)
				if (owned->table && owned->table->front)
					nr += wrong_words(owned->table, sum);
	kvfree(sum);

	return sysfs_emit(buffer, "%d\n", nr);
}

static const struct kernel_param_ops fronts_ops = {
	.get = fronts,
};

static const struct kernel_param_ops dangling_ops = {
	.get = dangling,
};

static const struct kernel_param_ops unsound_ops = {
	.get = unsound,
};

static const struct kernel_param_ops poke_ops = {
	.set = poke,
	.get = peek,
};

module_param_cb(root_abi, &poke_ops, NULL, 0600);
module_param_cb(root_grown, &poke_ops, NULL, 0600);
module_param_cb(record_abi, &poke_ops, NULL, 0600);
module_param_cb(record_grown, &poke_ops, NULL, 0600);
module_param_cb(record_flags, &poke_ops, NULL, 0600);
module_param_cb(record_hints, &poke_ops, NULL, 0600);
module_param_cb(holder_abi, &poke_ops, NULL, 0600);
module_param_cb(holder_grown, &poke_ops, NULL, 0600);
module_param_cb(holder_flags, &poke_ops, NULL, 0600);
module_param_cb(holder_hints, &poke_ops, NULL, 0600);
module_param_cb(holder_fns_size, &poke_ops, NULL, 0600);
module_param_cb(holder_slots_size, &poke_ops, NULL, 0600);
module_param_cb(holder_nr_back, &poke_ops, NULL, 0600);
module_param_cb(holder_kstate, &poke_ops, NULL, 0600);

module_param_cb(holder_version, &poke_ops, NULL, 0600);
module_param_cb(holder_renamed, &poke_ops, NULL, 0600);
module_param_cb(holder_patch, &poke_ops, NULL, 0600);
module_param_cb(record_data_size, &poke_ops, NULL, 0600);
module_param_cb(record_room, &poke_ops, NULL, 0600);
module_param_cb(type_abi, &poke_ops, NULL, 0600);
module_param_cb(type_grown, &poke_ops, NULL, 0600);
module_param_cb(type_nr_older, &poke_ops, NULL, 0600);
module_param_cb(type_flags, &poke_ops, NULL, 0600);
module_param_cb(table_abi, &poke_ops, NULL, 0600);
module_param_cb(part_abi, &poke_ops, NULL, 0600);
module_param_cb(part_grown, &poke_ops, NULL, 0600);
module_param_cb(part_slots_size, &poke_ops, NULL, 0600);

module_param_cb(unsound, &unsound_ops, NULL, 0400);
module_param_cb(dangling, &dangling_ops, NULL, 0400);
module_param_cb(fronts, &fronts_ops, NULL, 0400);

static int __init klp_sdk_poke_init(void)
{
	return 0;
}

static void __exit klp_sdk_poke_exit(void)
{
}

module_init(klp_sdk_poke_init);
module_exit(klp_sdk_poke_exit);

MODULE_DESCRIPTION("klp-sdk test: records of another release");
MODULE_LICENSE("GPL");
