// SPDX-License-Identifier: GPL-2.0
/*
 * Version 2: knows since when a file is open. Its layout is another one, so what
 * version 1 attached is converted when the transition is complete; until then the
 * put finds it as version 1 left it.
 */
#include "opener.h"

static int opener_ctor(struct seq_file *m, struct opener *o, void *arg)
{
	o->since = ktime_get();
	o->pid = get_pid(task_pid(current));
	return 0;
}

/* For all that goes, when the file is closed or, all at once, with the state. */
static void opener_dtor(struct seq_file *m, struct opener *o)
{
	put_pid(o->pid);
}

static void opener_v1_dtor(struct seq_file *m, struct opener_v1 *o)
{
	put_pid(o->pid);
}

/* The reference passes to the new value. */
static void opener_from_v1(struct seq_file *m, struct opener *o,
			   struct opener_v1 *old)
{
	o->pid = old->pid;
}

KLP_SDK_SHADOW_CONVERT(opener_v1, 1, struct seq_file, struct opener_v1,
		       struct opener, opener_from_v1, opener_v1_dtor);

KLP_SDK_SHADOW(opener, struct seq_file, struct opener,
	       .id		= OPENER_SHADOW,
	       .version		= 2,
	       .indexed		= true,
	       .convert		= { KLP_SDK_SHADOW_FROM(opener_v1) },
	       .ctor		= opener_ctor,
	       .dtor		= opener_dtor);

static void pairs_from_v1(struct pairs *s, const struct pairs_v1 *old)
{
	s->before = atomic_long_read(&old->gets);
	atomic_long_set(&s->gets, s->before);
}

/*
 * Converted, too: so klp_sdk_live() is NULL here until the shadow variables are
 * converted, and the get waits for that.
 */
KLP_SDK_CONVERT(pairs_v1, 1, struct pairs_v1, struct pairs, pairs_from_v1);

KLP_SDK_STATE(pairs, struct pairs,
	      .id		= PAIRS_STATE,
	      .version		= 2,
	      .convert		= { KLP_SDK_FROM(pairs_v1) },
	      .shadows		= KLP_SDK_SHADOWS(&opener));

/*
 * The get. Not while some tasks run another put: the kernel's would leave the
 * reference behind, and version 1 does not know this layout.
 */
static void opener_get(struct seq_file *m)
{
	struct pairs *s = klp_sdk_live(pairs);

	/*
	 * Only a disable that was reversed leaves something at this address: tasks
	 * without the change closed files meanwhile.
	 */
	klp_sdk_shadow_free(opener, m);
	if (s && klp_sdk_shadow_alloc(opener, m, GFP_KERNEL, NULL))
		atomic_long_inc(&s->gets);
}

/*
 * Of either layout, the older one first: in that order one of them is found. Nobody
 * else puts what this file has, so the reference stays when it is converted.
 */
static struct pid *opener_find(struct seq_file *m)
{
	struct pid *pid = NULL;
	struct opener_v1 __klp_sdk_prev *old;
	struct opener *o;

	rcu_read_lock();
	old = klp_sdk_shadow_prev(opener, opener_v1, m);
	o = klp_sdk_shadow_get(opener, m);
	if (old)
		pid = klp_sdk_dereference(old)->pid;
	else if (o)
		pid = o->pid;
	rcu_read_unlock();

	return pid;
}

/* The put. Not gated: who has something gets it put, live or not. */
static void opener_put(struct seq_file *m)
{
	struct pid *pid = opener_find(m);

	if (!pid)
		return;
	opener_report(pid);
	/* By the dtor of the layout that it has now. */
	klp_sdk_shadow_free(opener, m);
}

static void *v2_seq_open_private(struct file *file,
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

static int v2_seq_release_private(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	opener_put(m);
	kfree(m->private);
	m->private = NULL;
	return seq_release(inode, file);
}

struct opener_sum {
	unsigned long open;
	unsigned long undated;
};

static void opener_count(struct seq_file *m, struct opener *o, void *arg)
{
	struct opener_sum *sum = arg;

	sum->open++;
	sum->undated += !o->since;
}

static int v2_cmdline_proc_show(struct seq_file *m, void *v)
{
	struct pairs *s = klp_sdk_live(pairs);
	struct opener_sum sum = { };

	seq_printf(m, "patch=v2 live=%d", !!s);
	klp_sdk_shadow_each(opener, opener_count, &sum);
	seq_printf(m, " open=%lu undated=%lu", sum.open, sum.undated);
	if (s)
		seq_printf(m, " gets=%ld before=%ld",
			   atomic_long_read(&s->gets), s->before);
	seq_puts(m, "\n");
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "__seq_open_private", .new_func = v2_seq_open_private },
	{ .old_name = "seq_release_private", .new_func = v2_seq_release_private },
	{ .old_name = "cmdline_proc_show", .new_func = v2_cmdline_proc_show },
	{ }
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, funcs)),
	      .states	= KLP_SDK_STATES(&pairs),
	      .replace	= true);

MODULE_DESCRIPTION("klp-sdk example: a get and a put that a transition splits, version 2");
MODULE_LICENSE("GPL");
