// SPDX-License-Identifier: GPL-2.0
/*
 * Has the core fail to patch a function while this module is loaded: a kprobe
 * with a post_handler claims the function's instruction pointer, of which ftrace
 * allows one owner.
 *
 * A function of a module that is not loaded yet has no place for a kprobe. With the
 * parameter coming that is on ftrace_set_filter_ip(), which it has fail for it, or without
 * a symbol for each function that is to be patched for the first time.
 */
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

static char *symbol = "cmdline_proc_show";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "the function that cannot be patched");

static bool coming;
module_param(coming, bool, 0444);
MODULE_PARM_DESC(coming, "the function is of a module that is loaded later");

/* In place of ftrace_set_filter_ip(). */
static int refuse(struct ftrace_ops *ops, unsigned long ip, int remove, int reset)
{
	return -EBUSY;
}

static int pre_handler(struct kprobe *kp, struct pt_regs *regs)
{
	char name[KSYM_SYMBOL_LEN];

	if (!coming || (int)regs_get_kernel_argument(regs, 2))
		return 0;
	sprint_symbol_no_offset(name, regs_get_kernel_argument(regs, 1));
	*strchrnul(name, ' ') = '\0';
	if (*symbol && strcmp(name, symbol))
		return 0;
	instruction_pointer_set(regs, (unsigned long)refuse);
	return 1;
}

NOKPROBE_SYMBOL(pre_handler);

static void post_handler(struct kprobe *kp, struct pt_regs *regs,
			 unsigned long flags)
{
}

static struct kprobe probe = {
	.pre_handler = pre_handler,
	.post_handler = post_handler,
};

static int __init klp_sdk_block_init(void)
{
	probe.symbol_name = coming ? "ftrace_set_filter_ip" : symbol;
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
