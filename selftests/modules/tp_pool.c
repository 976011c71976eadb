// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that test patches attach shadow variables to. An object that is born
 * again has the address of the one before, of which no patch is told: as when
 * code that is not patched frees and allocates.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "tp_pool.h"

static struct tps_parent parents[4096];

struct tps_parent *tp_pool_parent(unsigned int nr)
{
	return nr < ARRAY_SIZE(parents) ? &parents[nr] : NULL;
}
EXPORT_SYMBOL_GPL(tp_pool_parent);

static int again(const char *val, const struct kernel_param *kp)
{
	unsigned int nr;
	int ret = kstrtouint(val, 0, &nr);

	if (ret)
		return ret;
	if (!tp_pool_parent(nr))
		return -ERANGE;
	parents[nr].born++;
	return 0;
}

static const struct kernel_param_ops again_ops = {
	.set = again,
};
module_param_cb(again, &again_ops, NULL, 0200);
MODULE_PARM_DESC(again, "the object whose address gets another one");

static int __init tp_pool_init(void)
{
	unsigned int nr;

	for (nr = 0; nr < ARRAY_SIZE(parents); nr++)
		parents[nr].nr = nr;
	return 0;
}
module_init(tp_pool_init);

static void __exit tp_pool_exit(void)
{
}
module_exit(tp_pool_exit);

MODULE_DESCRIPTION("klp-sdk test: parents of shadow variables");
MODULE_LICENSE("GPL");
