// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the system's records look as if another release of the SDK had made
 * them. Writes to the parameters of the loaded module take effect at once.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "../../sdk/record.h"

/* All under the test's control: nothing else changes records meanwhile. */
static int poke(const char *val, const struct kernel_param *kp)
{
	struct klp_sdk_root *root = klp_shadow_get(NULL, KLP_SDK_ROOT_ID);
	struct klp_sdk_record *record;
	struct klp_sdk_holder *holder;
	int ret, value;

	ret = kstrtoint(val, 0, &value);
	if (ret)
		return ret;
	if (!root)
		return -ENOENT;

	if (!strcmp(kp->name, "root_abi"))
		root->abi = value;
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
		else if (!strcmp(kp->name, "holder_fns_size"))
			holder->fns_size = value;
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

static const struct kernel_param_ops poke_ops = {
	.set = poke,
	.get = peek,
};

module_param_cb(root_abi, &poke_ops, NULL, 0600);
module_param_cb(record_abi, &poke_ops, NULL, 0600);
module_param_cb(record_grown, &poke_ops, NULL, 0600);
module_param_cb(record_flags, &poke_ops, NULL, 0600);
module_param_cb(record_hints, &poke_ops, NULL, 0600);
module_param_cb(holder_abi, &poke_ops, NULL, 0600);
module_param_cb(holder_fns_size, &poke_ops, NULL, 0600);

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
