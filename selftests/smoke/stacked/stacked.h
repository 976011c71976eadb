/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A patch of smoke-target that does not replace others. It is of no use before
 * that module is loaded, so it warns then.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

static int new_value_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, NAME "\n");
}

static struct klp_func funcs[] = {
	{ .old_name = "value_get", .new_func = new_value_get },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "smoke_target", .funcs = funcs },
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init stacked_init(void)
{
	int ret = klp_enable_patch(&patch);

	if (!ret)
		WARN_ON(!objs[0].mod);
	return ret;
}
module_init(stacked_init);

static void __exit stacked_exit(void)
{
}
module_exit(stacked_exit);

MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("klp-sdk test: one of several patches");
MODULE_LICENSE("GPL");
