// SPDX-License-Identifier: GPL-2.0
/*
 * Has the core fail to patch a function while this module is loaded: a kprobe
 * with a post_handler claims the function's instruction pointer, of which ftrace
 * allows one owner.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

static char *symbol = "cmdline_proc_show";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "the function that cannot be patched");

static void post_handler(struct kprobe *kp, struct pt_regs *regs,
			 unsigned long flags)
{
}

static struct kprobe probe = {
	.post_handler = post_handler,
};

static int __init klp_sdk_block_init(void)
{
	probe.symbol_name = symbol;
	return register_kprobe(&probe);
}

static void __exit klp_sdk_block_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(klp_sdk_block_init);
module_exit(klp_sdk_block_exit);
MODULE_DESCRIPTION("klp-sdk test: the core cannot patch a function");
MODULE_LICENSE("GPL");
