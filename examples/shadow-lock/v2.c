// SPDX-License-Identifier: GPL-2.0
/*
 * Version 2: knows the widest padding, too. The shadow variables grow: they stay
 * where they are, and version 1 and 2 take the same lock during the transition.
 */
#include "columns.h"

static int seqs_pre_patch(struct seqs *s) __klp_sdk_callback
{
	klp_sdk_lock_class_init(&s->class, "columns");
	return 0;
}

/* The shadow variables are gone before this, and their locks with them. */
static void seqs_post_unpatch(struct seqs *s) __klp_sdk_callback
{
	klp_sdk_lock_class_destroy(&s->class);
}

static int columns_ctor(struct seq_file *m, struct columns *c, void *arg)
{
	struct seqs *s = arg;

	klp_sdk_spin_lock_init(&c->lock, &s->class);
	return 0;
}

/* Indexed, to be listed. */
KLP_SDK_SHADOW(columns, struct seq_file, struct columns,
	       .id		= COLUMNS_SHADOW,
	       .version		= 1,
	       .indexed		= true,
	       .reserve		= COLUMNS_RESERVE,
	       .grow		= { KLP_SDK_SHADOW_GREW(struct columns_v1,
							struct columns, widest) },
	       .ctor		= columns_ctor);

KLP_SDK_STATE(seqs, struct seqs,
	      .id		= SEQS_STATE,
	      .version		= 1,
	      .shadows		= KLP_SDK_SHADOWS(&columns),
	      .pre_patch	= seqs_pre_patch,
	      .post_unpatch	= seqs_post_unpatch);

/* The constructor. Some callers in the kernel may have it inlined; not the test's. */
static void *v2_seq_open_private(struct file *file,
				 const struct seq_operations *ops, int size)
{
	struct seqs *s = klp_sdk_live(seqs);
	void *private = klp_sdk_kzalloc(size, GFP_KERNEL_ACCOUNT);
	struct seq_file *m;

	if (!private || seq_open(file, ops)) {
		kfree(private);
		return NULL;
	}
	m = file->private_data;
	m->private = private;

	/*
	 * Only a disable that was reversed leaves something at this address: tasks
	 * without the change closed files meanwhile.
	 */
	klp_sdk_shadow_free(columns, m);
	/* Not earlier: a task without the change would close it the same way. */
	if (s)
		klp_sdk_shadow_alloc(columns, m, GFP_KERNEL, s);
	return private;
}

static int v2_seq_release_private(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	klp_sdk_shadow_free(columns, m);
	kfree(m->private);
	m->private = NULL;
	return seq_release(inode, file);
}

static void v2_seq_pad(struct seq_file *m, char c)
{
	struct columns *col = klp_sdk_shadow_get(columns, m);
	int blanks = max_t(int, m->pad_until - m->count, 0);

	if (blanks)
		seq_printf(m, "%*s", blanks, "");
	if (c)
		seq_putc(m, c);
	/* Opened before the patch, or without memory. */
	if (!col)
		return;

	spin_lock(&col->lock);
	col->columns++;
	col->blanks += blanks;
	col->widest = max_t(unsigned long, col->widest, blanks);
	spin_unlock(&col->lock);
}

/* The file may be gone; the value is not. */
static void columns_add(struct seq_file *m, struct columns *c, void *arg)
{
	struct columns_sum *sum = arg;

	sum->files++;
	spin_lock(&c->lock);
	sum->columns += c->columns;
	sum->blanks += c->blanks;
	sum->widest = max(sum->widest, c->widest);
	spin_unlock(&c->lock);
}

static int v2_cmdline_proc_show(struct seq_file *m, void *v)
{
	struct columns_sum sum = { };

	seq_printf(m, "patch=v2 live=%d", !!klp_sdk_live(seqs));
	klp_sdk_shadow_each(columns, columns_add, &sum);
	seq_printf(m, " files=%lu columns=%lu blanks=%lu widest=%lu\n", sum.files,
		   sum.columns, sum.blanks, sum.widest);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "__seq_open_private", .new_func = v2_seq_open_private },
	{ .old_name = "seq_release_private", .new_func = v2_seq_release_private },
	{ .old_name = "seq_pad", .new_func = v2_seq_pad },
	{ .old_name = "cmdline_proc_show", .new_func = v2_cmdline_proc_show },
	{ }
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, funcs)),
	      .states	= KLP_SDK_STATES(&seqs),
	      .replace	= true);

MODULE_DESCRIPTION("klp-sdk example: a lock added to a structure, version 2");
MODULE_LICENSE("GPL");
