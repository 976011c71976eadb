// SPDX-License-Identifier: GPL-2.0
/*
 * What an administrator sees of the live states: a read-only parameter of every
 * patch module, /sys/module/PATCH/parameters/klp_sdk_states, that lists all
 * states of the system. It goes with the module, and so does its code.
 */
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/rculist.h>

#include "engine.h"

static const char *klp_sdk_phase_name(u32 phase)
{
	switch (phase) {
	case KLP_SDK_PREPARED:
		return "prepared";
	case KLP_SDK_LIVE:
		return "live";
	case KLP_SDK_LEAVING:
		return "leaving";
	default:
		return "idle";
	}
}

/* The shadow types: name, version of the layout and, if indexed, the number. */
static int klp_sdk_view_shadows(const struct klp_sdk_record *record,
				char *buffer, int len)
{
	const struct klp_sdk_shadow_record *owned;
	const struct klp_sdk_shadow_table *table;

	list_for_each_entry_rcu(owned, &record->shadows, node) {
		len += scnprintf(buffer + len, PAGE_SIZE - len, " +%s:%u",
				 owned->name, READ_ONCE(owned->now.version));
		table = READ_ONCE(owned->table);
		if (klp_sdk_shadow_indexed(owned))
			len += scnprintf(buffer + len, PAGE_SIZE - len, "=%u",
					 table ? atomic_read(&table->ht.nelems) : 0);
	}

	return len;
}

/*
 * Under RCU only, at any time, also while a transition changes the records:
 * records and holders are freed after a grace period and their names never
 * change. Nothing that leads into a patch is followed.
 */
static int klp_sdk_view_get(char *buffer, const struct kernel_param *kp)
{
	struct klp_sdk_record *record;
	struct klp_sdk_holder *holder;
	static const char rest[] = "...\n";
	struct klp_sdk_root *root;
	u32 declared;
	bool forced;
	int len;

	len = scnprintf(buffer, PAGE_SIZE, "id version size flags object name holders\n");

	rcu_read_lock();
	root = klp_sdk_root();
	if (!root)
		goto out;
	if (!klp_sdk_root_known(root)) {
		len += scnprintf(buffer + len, PAGE_SIZE - len,
				 "(records of another release of klp-sdk)\n");
		goto out;
	}

	list_for_each_entry_rcu(record, &root->records, node) {
		if (record->abi != KLP_SDK_ABI)
			continue;
		declared = klp_sdk_record_declared(record);
		forced = klp_sdk_forced(record);
		len += scnprintf(buffer + len, PAGE_SIZE - len,
				 "%lu %u %llu %s%s%s%s %s %s", record->id,
				 READ_ONCE(record->version),
				 READ_ONCE(record->data_size),
				 declared & KLP_SDK_HOLDER_STACKABLE ? "S" : "",
				 declared & KLP_SDK_HOLDER_PERMANENT ? "P" : "",
				 forced ? "F" : "",
				 declared || forced ? "" : "-",
				 klp_sdk_object_name(record->object),
				 record->name);
		list_for_each_entry_rcu(holder, &record->holders, node)
			len += scnprintf(buffer + len, PAGE_SIZE - len,
					 " %s:%s", holder->patch_name,
					 klp_sdk_phase_name(READ_ONCE(holder->phase)));
		len = klp_sdk_view_shadows(record, buffer, len);
		len += scnprintf(buffer + len, PAGE_SIZE - len, "\n");
	}
	/* A parameter has one page. */
	if (len >= PAGE_SIZE - 1)
		len = PAGE_SIZE - sizeof(rest) +
		      scnprintf(buffer + PAGE_SIZE - sizeof(rest), sizeof(rest),
				rest);
out:
	rcu_read_unlock();
	return len;
}

/* For insmod with the parameter: the kernel calls it without a look at perm. */
static int klp_sdk_view_set(const char *val, const struct kernel_param *kp)
{
	return -EPERM;
}

const struct kernel_param_ops klp_sdk_view_ops = {
	.set = klp_sdk_view_set,
	.get = klp_sdk_view_get,
};
