/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The init allocates and the exit frees. The init's text is freed at once, and the
 * next module's comes to its place, with functions around each address.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

static void *table;

#define FILLER(n)							\
static noinline int filler_##n(struct seq_file *m)			\
{									\
	seq_printf(m, "%d %d %d %d %s\n", n, n + 1, n + 2, n + 3,	\
		   KBUILD_MODNAME);					\
	return seq_has_overflowed(m);					\
}

FILLER(1) FILLER(2) FILLER(3) FILLER(4) FILLER(5) FILLER(6) FILLER(7) FILLER(8)

static int new_show(struct seq_file *m, void *v)
{
	filler_1(m);
	filler_2(m);
	filler_3(m);
	filler_4(m);
	filler_5(m);
	filler_6(m);
	filler_7(m);
	filler_8(m);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = new_show },
	{ }
};

static struct klp_object objs[] = { { .funcs = funcs }, { } };

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.replace = true,
};

static int __init init_memory_init(void)
{
	int ret;

	table = kzalloc(128, GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	ret = klp_enable_patch(&patch);
	if (ret)
		kfree(table);
	return ret;
}
module_init(init_memory_init);

static void __exit init_memory_exit(void)
{
	kfree(table);
}
module_exit(init_memory_exit);

MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("klp-sdk test: allocates in its init");
MODULE_LICENSE("GPL");
