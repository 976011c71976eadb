// SPDX-License-Identifier: GPL-2.0
/*
 * Test module: holds a livepatch transition open, deterministically, by
 * putting a task to sleep inside the function which is to be (un)patched, or,
 * if that is not known, where no transition can end.
 *
 * Functions behind a /proc or /sys file print through seq_puts(), seq_printf()
 * or seq_write(). Kprobes on those redirect an armed task to a function of the
 * same prototype here, which sleeps and then does the original's work. Whoever
 * called the original - the kernel's function or a livepatch's replacement of
 * it - is on the task's stack meanwhile. It must not have made a tail call;
 * show() functions, which return a constant, do not.
 *
 * The core switches a sleeping task once its stack shows none of the functions.
 * Its trace has room for 100 frames (MAX_STACK_ENTRIES); a stack that is deeper
 * is unreliable, and whatever is patched, the task has to wait. That needs no
 * object without unwind data, which objtool would complain of.
 *
 * /proc/klp_sdk_hold: "arm" arms the writing task for its next such call,
 * "block" puts it to sleep at once, deep in the stack, "release" wakes all;
 * reading gives the number of tasks asleep.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#define BLOCK_DEPTH	128	/* frames; the core knows 100 */

static struct task_struct *armed[16];
static DECLARE_WAIT_QUEUE_HEAD(hold_wait);
static atomic_t held = ATOMIC_INIT(0);
static atomic_t releases = ATOMIC_INIT(0);

/* Disarms: a task is held once, and then runs the original unhindered */
static bool take(struct task_struct *from, struct task_struct *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(armed); i++)
		if (READ_ONCE(armed[i]) == from &&
		    cmpxchg(&armed[i], from, to) == from)
			return true;
	return false;
}

/*
 * TASK_IDLE: neither the fake signals of a stalled transition wake it, nor
 * does the hung task detector complain.
 */
static void hold(void)
{
	int seen = atomic_read(&releases);

	atomic_inc(&held);
	wait_event_idle(hold_wait, atomic_read(&releases) != seen);
	atomic_dec(&held);
}

static noinline void block(int depth)
{
	if (depth)
		block(depth - 1);
	else
		hold();
	barrier();	/* not a tail call, which would leave no frame */
}

static void hold_puts(struct seq_file *m, const char *s)
{
	hold();
	seq_write(m, s, strlen(s));
	module_put(THIS_MODULE);
}

static int hold_write(struct seq_file *m, const void *data, size_t len)
{
	int ret;

	hold();
	ret = seq_write(m, data, len);
	module_put(THIS_MODULE);
	return ret;
}

static __printf(2, 3) void hold_printf(struct seq_file *m, const char *fmt, ...)
{
	va_list ap;

	hold();
	va_start(ap, fmt);
	seq_vprintf(m, fmt, ap);
	va_end(ap);
	module_put(THIS_MODULE);
}

static struct {
	struct kprobe kp;
	unsigned long to;
} probes[] = {
	/* 6.9 made seq_puts() an inline around these two */
	{ { .symbol_name = "seq_puts" }, (unsigned long)hold_puts },
	{ { .symbol_name = "__seq_puts" }, (unsigned long)hold_puts },
	{ { .symbol_name = "seq_write" }, (unsigned long)hold_write },
	{ { .symbol_name = "seq_printf" }, (unsigned long)hold_printf },
};

static int redirect(struct kprobe *kp, struct pt_regs *regs)
{
	if (!in_task() || !take(current, NULL))
		return 0;
	/*
	 * The text must stay while the task sleeps in it. The reference is
	 * given back a few instructions early: reap the task, then unload.
	 */
	__module_get(THIS_MODULE);
	instruction_pointer_set(regs, container_of(kp, typeof(*probes), kp)->to);
	return 1;
}

NOKPROBE_SYMBOL(redirect);

/* Does nothing but forbid jump optimization, which cannot redirect */
static void no_optimization(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

NOKPROBE_SYMBOL(no_optimization);

static ssize_t ctl_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	char buf[16] = "";

	if (len >= sizeof(buf) || copy_from_user(buf, ubuf, len))
		return -EINVAL;
	if (sysfs_streq(buf, "arm"))
		return take(NULL, current) ? len : -ENOSPC;
	if (sysfs_streq(buf, "block")) {
		__module_get(THIS_MODULE);
		block(BLOCK_DEPTH);
		module_put(THIS_MODULE);
		return len;
	}
	if (!sysfs_streq(buf, "release"))
		return -EINVAL;
	/* Tasks which were armed and never came by are forgotten, too */
	for (size_t i = 0; i < ARRAY_SIZE(armed); i++)
		WRITE_ONCE(armed[i], NULL);
	atomic_inc(&releases);
	wake_up_all(&hold_wait);
	return len;
}

static ssize_t ctl_read(struct file *file, char __user *ubuf, size_t len, loff_t *pos)
{
	char buf[16];

	return simple_read_from_buffer(ubuf, len, pos, buf,
				       scnprintf(buf, sizeof(buf), "%d\n", atomic_read(&held)));
}

static const struct proc_ops ctl_ops = {
	.proc_read = ctl_read,
	.proc_write = ctl_write,
};

static void unprobe(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (probes[i].kp.addr)
			unregister_kprobe(&probes[i].kp);
}

static int __init klp_sdk_hold_init(void)
{
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		struct kprobe *kp = &probes[i].kp;

		kp->pre_handler = redirect;
		kp->post_handler = no_optimization;
		err = register_kprobe(kp);
		if (!err)
			continue;
		kp->addr = NULL;	/* marks it as not registered */
		if (err != -ENOENT) {
			pr_err("no kprobe on %s: %d\n", kp->symbol_name, err);
			goto fail;
		}
	}
	err = -ENOMEM;
	if (proc_create("klp_sdk_hold", 0600, NULL, &ctl_ops))
		return 0;
fail:
	unprobe();
	return err;
}
module_init(klp_sdk_hold_init);

/* No task is asleep here: each one holds a reference */
static void __exit klp_sdk_hold_exit(void)
{
	remove_proc_entry("klp_sdk_hold", NULL);
	unprobe();
}
module_exit(klp_sdk_hold_exit);

MODULE_DESCRIPTION("klp-sdk: hold a transition open");
MODULE_LICENSE("GPL");
