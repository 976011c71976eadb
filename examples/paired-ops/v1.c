// SPDX-License-Identifier: GPL-2.0
/* Version 1: the get when a file is opened, the put when it is released. */
#include "opener.h"

static int opener_ctor(struct seq_file *m, struct opener_v1 *o, void *arg)
{
	o->pid = get_pid(task_pid(current));
	return 0;
}

/* For all that goes, when the file is closed or, all at once, with the state. */
static void opener_dtor(struct seq_file *m, struct opener_v1 *o)
{
	put_pid(o->pid);
}

KLP_SDK_SHADOW(opener, struct seq_file, struct opener_v1,
	       .id		= OPENER_SHADOW,
	       .version		= 1,
	       .indexed		= true,
	       .ctor		= opener_ctor,
	       .dtor		= opener_dtor);

KLP_SDK_STATE(pairs, struct pairs_v1,
	      .id		= PAIRS_STATE,
	      .version		= 1,
	      .shadows		= KLP_SDK_SHADOWS(&opener));

/*
 * The get. Not while some tasks run the kernel's put, which would leave the
 * reference behind.
 */
static void opener_get(struct seq_file *m)
{
	struct pairs_v1 *s = klp_sdk_live(pairs);

	/*
	 * Only a disable that was reversed leaves something at this address: tasks
	 * without the change closed files meanwhile.
	 */
	klp_sdk_shadow_free(opener, m);
	if (s && klp_sdk_shadow_alloc(opener, m, GFP_KERNEL, NULL))
		atomic_long_inc(&s->gets);
}

/* The put. Not gated: who has something gets it put, live or not. */
static void opener_put(struct seq_file *m)
{
	struct opener_v1 *o = klp_sdk_shadow_get(opener, m);

	if (!o)
		return;
	opener_report(o->pid);
	klp_sdk_shadow_free(opener, m);
}

static void *v1_seq_open_private(struct file *file,
				 const struct seq_operations *ops, int size)
{
	void *private = klp_sdk_kzalloc(size, GFP_KERNEL_ACCOUNT);
	struct seq_file *m;

	if (!private || seq_open(file, ops)) {
		kfree(private);
		return NULL;
	}
	m = file->private_data;
	m->private = private;
	opener_get(m);
	return private;
}

static int v1_seq_release_private(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	opener_put(m);
	kfree(m->private);
	m->private = NULL;
	return seq_release(inode, file);
}

static void opener_count(struct seq_file *m, struct opener_v1 *o, void *arg)
{
	unsigned long *open = arg;

	(*open)++;
}

static int v1_cmdline_proc_show(struct seq_file *m, void *v)
{
	struct pairs_v1 *s = klp_sdk_live(pairs);
	unsigned long open = 0;

	seq_printf(m, "patch=v1 live=%d", !!s);
	klp_sdk_shadow_each(opener, opener_count, &open);
	seq_printf(m, " open=%lu", open);
	if (s)
		seq_printf(m, " gets=%ld", atomic_long_read(&s->gets));
	seq_puts(m, "\n");
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "__seq_open_private", .new_func = v1_seq_open_private },
	{ .old_name = "seq_release_private", .new_func = v1_seq_release_private },
	{ .old_name = "cmdline_proc_show", .new_func = v1_cmdline_proc_show },
	{ }
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, funcs)),
	      .states	= KLP_SDK_STATES(&pairs),
	      .replace	= true);

MODULE_DESCRIPTION("klp-sdk example: a get and a put that a transition splits, version 1");
MODULE_LICENSE("GPL");
