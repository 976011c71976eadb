/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A livepatch without the SDK, but for what its callbacks do: these modules are
 * what make smoke has to deal with. They know nothing of it.
 */
#ifndef _SMOKE_RAW_H
#define _SMOKE_RAW_H

#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

static int raw_show(struct seq_file *m, void *v)
{
	seq_puts(m, KBUILD_MODNAME "\n");
	return 0;
}

static struct klp_func raw_funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = raw_show },
	{ }
};

/* RAW_PATCH(): takes the callbacks as designated initialisers. */
#define RAW_PATCH(...)							\
	static struct klp_object raw_objs[] = {				\
		{ .funcs = raw_funcs, .callbacks = { __VA_ARGS__ } },	\
		{ }							\
	};								\
	static struct klp_patch raw_patch = {				\
		.mod = THIS_MODULE,					\
		.objs = raw_objs,					\
		.replace = true,					\
	};								\
	static int __init raw_init(void)				\
	{								\
		return klp_enable_patch(&raw_patch);			\
	}								\
	module_init(raw_init);						\
	static void __exit raw_exit(void)				\
	{								\
	}								\
	module_exit(raw_exit);						\
	MODULE_INFO(livepatch, "Y");					\
	MODULE_LICENSE("GPL")

#endif /* _SMOKE_RAW_H */
