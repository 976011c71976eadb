// SPDX-License-Identifier: GPL-2.0
/* A module to be patched. */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

static int value_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "original\n");
}

static const struct kernel_param_ops value_ops = {
	.get = value_get,
};

module_param_cb(value, &value_ops, NULL, 0400);
MODULE_DESCRIPTION("klp-sdk test: a module to be patched");
MODULE_LICENSE("GPL");
