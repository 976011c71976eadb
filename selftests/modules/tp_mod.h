/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A module that test patches change: its file in /proc shows a line. The source
 * sets TP_MOD, the module's name, and includes this file.
 */
#include <linux/completion.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/stringify.h>
#include <linux/wait.h>

static int fail;
module_param(fail, int, 0444);
MODULE_PARM_DESC(fail, "what the module's init returns");

static bool wait;
module_param(wait, bool, 0444);
MODULE_PARM_DESC(wait, "have the init wait until go is written");

/*
 * Read after the livepatches were told of the module, and before it has a folder in
 * sysfs. A signal to the program that loads it ends the wait.
 */
static int tp_mod_early_set(const char *val, const struct kernel_param *kp)
{
	DECLARE_WAIT_QUEUE_HEAD_ONSTACK(never);

	wait_event_interruptible(never, false);
	return 0;
}

static const struct kernel_param_ops tp_mod_early_ops = {
	.set = tp_mod_early_set,
};
module_param_cb(early, &tp_mod_early_ops, NULL, 0);
MODULE_PARM_DESC(early, "wait before the module is in sysfs");

static DECLARE_COMPLETION(tp_mod_go);

static int tp_mod_go_set(const char *val, const struct kernel_param *kp)
{
	complete_all(&tp_mod_go);
	return 0;
}

static const struct kernel_param_ops tp_mod_go_ops = {
	.set = tp_mod_go_set,
};
module_param_cb(go, &tp_mod_go_ops, NULL, 0200);

#define TP_MOD_FN(_mod, _fn)	__TP_MOD_FN(_mod, _fn)
#define __TP_MOD_FN(_mod, _fn)	_mod##_##_fn
#define tp_mod_show	TP_MOD_FN(TP_MOD, show)

static noinline int tp_mod_show(struct seq_file *m, void *v)
{
	seq_puts(m, "original\n");
	return 0;
}

static int __init tp_mod_init(void)
{
	if (wait)
		wait_for_completion(&tp_mod_go);
	if (fail)
		return fail;
	return proc_create_single(__stringify(TP_MOD), 0444, NULL,
				  tp_mod_show) ? 0 : -ENOMEM;
}
module_init(tp_mod_init);

static void __exit tp_mod_exit(void)
{
	remove_proc_entry(__stringify(TP_MOD), NULL);
}
module_exit(tp_mod_exit);

MODULE_DESCRIPTION("klp-sdk test: a module that is patched");
MODULE_LICENSE("GPL");
