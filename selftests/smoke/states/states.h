/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A livepatch without the SDK that has a state. The core itself refuses to go back
 * to version 1, and to a patch without the state: that is no mistake of the author.
 */
#include <linux/livepatch.h>
#include <linux/module.h>

static struct klp_func funcs[] = { { } };
static struct klp_object objs[] = { { .funcs = funcs }, { } };
static struct klp_state states[] = { { .id = 7002, .version = VERSION }, { } };

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.states = states,
	.replace = true,
};

static int __init states_init(void)
{
	return klp_enable_patch(&patch);
}
module_init(states_init);

static void __exit states_exit(void)
{
}
module_exit(states_exit);

MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("klp-sdk test: has a state");
MODULE_LICENSE("GPL");
