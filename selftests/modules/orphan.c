// SPDX-License-Identifier: GPL-2.0
/*
 * Patches of which each is forced out or leaves after a force, which is the last that
 * can be done with its module: several twins are built of this file. ORPHAN_VERSION
 * is what differs, and in one ORPHAN_REPLACE. The one state is bound to ORPHAN_OBJECT,
 * owns a buffer and counts in @made how often the change was made.
 */
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <klp-sdk/klp-sdk.h>

/* Read by inject.h in the engine's objects. */
extern int tp_fail_alloc;
int tp_fail_alloc;
module_param_named(fail_alloc, tp_fail_alloc, int, 0644);
MODULE_PARM_DESC(fail_alloc, "which allocation of the engine fails");

#ifndef ORPHAN_REPLACE
#define ORPHAN_REPLACE	true
#endif

#define ORPHAN_MAGIC	0x0f0a
#define say(fn)		pr_info("tp: " KBUILD_MODNAME " left " fn "\n")

struct left_v1 {
	u32 magic;
	int made;
	char *buf;
};

struct left_v2 {
	u32 magic;
	char *buf;
	int made;
	long more;
};

#if ORPHAN_VERSION == 1
#define LEFT_T	struct left_v1
#else
#define LEFT_T	struct left_v2

static void left_from_v1(struct left_v2 *l, const struct left_v1 *old)
{
	say("convert");
	l->magic = old->magic;
	l->buf = old->buf;
	l->made = old->made;
}

KLP_SDK_CONVERT(left_v1, 1, struct left_v1, struct left_v2, left_from_v1);
#endif

static void check_made(LEFT_T *l, int made)
{
	if (l->magic != ORPHAN_MAGIC || l->made != made)
		pr_err("tp: " KBUILD_MODNAME " left BAD magic %x made %d\n",
		       l->magic, l->made);
}

static int left_pre_patch(LEFT_T *l)
{
	say("pre_patch");
	l->magic = ORPHAN_MAGIC;
	l->buf = kzalloc(40, GFP_KERNEL);
	return l->buf ? 0 : -ENOMEM;
}

static void left_post_patch(LEFT_T *l)
{
	say("post_patch");
	check_made(l, 0);
	l->made++;
}

static void left_pre_unpatch(LEFT_T *l)
{
	say("pre_unpatch");
	check_made(l, 1);
	l->made--;
}

static void left_post_unpatch(LEFT_T *l)
{
	say("post_unpatch");
	check_made(l, 0);
	kfree(l->buf);
}

static void left_adopt(LEFT_T *l, const void *old)
{
	say("adopt");
	check_made(l, 1);
}

KLP_SDK_STATE(left, LEFT_T,
	      .id		= KLP_SDK_STATE_ID(231),
	      .version		= ORPHAN_VERSION,
	      .object		= ORPHAN_OBJECT,
#if ORPHAN_VERSION == 2
	      .convert		= { KLP_SDK_FROM(left_v1) },
#endif
	      .pre_patch	= left_pre_patch,
	      .post_patch	= left_post_patch,
	      .pre_unpatch	= left_pre_unpatch,
	      .post_unpatch	= left_post_unpatch,
	      .adopt		= left_adopt);

/* Where the tests hold a task. */
static int orphan_show(struct seq_file *m, void *v)
{
	LEFT_T *l = klp_sdk_live(left);

	seq_printf(m, "patch=%s", KBUILD_MODNAME);
	/* The object is still there after the task was held. */
	seq_printf(m, " magic=%d\n", l ? l->magic == ORPHAN_MAGIC : -1);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = orphan_show },
	{ }
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, funcs)),
	      .states	= KLP_SDK_STATES(&left),
	      .replace	= ORPHAN_REPLACE);

MODULE_DESCRIPTION("klp-sdk test patch");
MODULE_LICENSE("GPL");
