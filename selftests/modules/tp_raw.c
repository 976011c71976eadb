// SPDX-License-Identifier: GPL-2.0
/* A livepatch without the SDK that has the state of alpha's id. */
#include <linux/livepatch.h>
#include <linux/module.h>

static struct klp_func funcs[] = { { } };

static struct klp_object objs[] = {
	{ .funcs = funcs },
	{ }
};

static struct klp_state states[] = {
	{ .id = 101, .version = 1 },
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.states = states,
	.replace = true,
};

static int __init tp_raw_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit tp_raw_exit(void)
{
}

module_init(tp_raw_init);
module_exit(tp_raw_exit);
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("klp-sdk test: a raw livepatch");
MODULE_LICENSE("GPL");
