// SPDX-License-Identifier: GPL-2.0
/*
 * A livepatch without the SDK that has the states of tp_a1, made as the kernel's
 * documentation says: allocate in pre_patch, copy the predecessor's pointers in
 * post_patch, free in post_unpatch.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "tp_raw.h"
#include "tp-types.h"

#define tp_say(fmt, ...)	pr_info("tp: " KBUILD_MODNAME " " fmt "\n", ##__VA_ARGS__)

static bool tp_stacked;
module_param_named(stacked, tp_stacked, bool, 0444);
MODULE_PARM_DESC(stacked, "do not replace other patches, and have data of its own");

static bool tp_inherits;

static struct klp_state states[] = {
	{ .id = 101, .version = 1 },
	{ .id = 102, .version = 1 },
	{ .id = 103, .version = 1 },
	{ }
};

/* Puts other data in the place of alpha's. */
static int move_set(const char *val, const struct kernel_param *kp)
{
	struct alpha_v1 *old = states[0].data, *a;

	a = klp_sdk_kmemdup(old, sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	a->hits += 100;
	states[0].data = a;
	kfree(old);
	return 0;
}

static const struct kernel_param_ops move_ops = {
	.set = move_set,
};
module_param_cb(move, &move_ops, NULL, 0200);

static int tp_alpha(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%d\n", !!states[0].data);
}

static const struct kernel_param_ops tp_alpha_ops = {
	.get = tp_alpha,
};
module_param_cb(alpha, &tp_alpha_ops, NULL, 0400);

static char *tp_buf(const char *name)
{
	char *buf = klp_sdk_kzalloc(TP_BUF, GFP_KERNEL);

	if (buf)
		strscpy(buf, name, TP_BUF);
	return buf;
}

static int pre_patch(struct klp_object *obj)
{
	struct alpha_v1 *a;
	struct beta_v1 *b;
	struct gamma *g;

	tp_inherits = !tp_stacked && klp_get_prev_state(101);
	if (tp_inherits)
		return 0;

	/* A test that runs out of memory here fails, and may leak. */
	a = klp_sdk_kzalloc(sizeof(*a), GFP_KERNEL);
	g = klp_sdk_kzalloc(sizeof(*g), GFP_KERNEL);
	b = klp_sdk_kzalloc(sizeof(*b), GFP_KERNEL);
	if (!a || !b || !g)
		return -ENOMEM;
	a->magic = TP_MAGIC;
	a->buf = tp_buf("alpha");
	g->buf = tp_buf("gamma");
	states[0].data = a;
	states[1].data = b;
	states[2].data = g;
	return 0;
}

static void post_patch(struct klp_object *obj)
{
	struct alpha_v1 *a;
	int i;

	if (tp_inherits) {
		for (i = 0; i < 3; i++)
			states[i].data = klp_get_prev_state(states[i].id)->data;
		a = states[0].data;
		tp_say("inherits magic=%d saved=%d hits=%d buf=%s",
		       a->magic == TP_MAGIC, a->saved, a->hits, a->buf);
		return;
	}
	a = states[0].data;
	a->saved = console_loglevel;
	console_loglevel = CONSOLE_LOGLEVEL_MOTORMOUTH;
}

static void pre_unpatch(struct klp_object *obj)
{
	struct alpha_v1 *a = states[0].data;

	console_loglevel = a->saved;
}

static void post_unpatch(struct klp_object *obj)
{
	struct alpha_v1 *a = states[0].data;
	struct gamma *g = states[2].data;

	/* A reversed enable that had inherited has nothing yet. */
	if (!a)
		return;
	tp_say("frees %s %s", a->buf, g->buf);
	kfree(a->buf);
	kfree(g->buf);
	kfree(a);
	kfree(states[1].data);
	kfree(g);
}

static int tp_show(struct seq_file *m, void *v)
{
	seq_printf(m, "patch=%s\n", KBUILD_MODNAME);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = tp_show },
	{ }
};

static struct klp_object objs[] = {
	{
		.funcs = funcs,
		.callbacks = TP_RAW_CALLBACKS,
	},
	{ }
};

TP_RAW_PATCH(objs, states, !tp_stacked);
MODULE_DESCRIPTION("klp-sdk test: a raw livepatch");
MODULE_LICENSE("GPL");
