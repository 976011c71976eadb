/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The test patches. Each source sets what differs and includes this file.
 *
 * Three states, in this order:
 *   alpha (101)  raises console_loglevel and owns a buffer; it is converted
 *   beta  (102)  a counter that grows in place
 *   gamma (103)  owns a buffer, never changes
 * and in one patch delta (104), which owns a buffer.
 *
 * TP_STACK, TP_PERMANENT and TP_RETIRE are properties of alpha, TP_STACK of beta
 * too. TP_BACK gives version 2 of both a way back to version 1. TP_EARLY saves the
 * log level in pre_patch, TP_READS reads alpha by klp_sdk_data().
 * TP_ALPHA, TP_BETA	versions, 1 unless set; alpha has 1 to 3, beta 1 and 2
 *
 * All functions of the states say in the kernel log that they run, which the
 * tests compare with what must have run. The patched /proc/cmdline shows what
 * the readers see.
 */
#ifndef _TP_H
#define _TP_H

#include <linux/delay.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <klp-sdk/klp-sdk.h>

#include "tp-types.h"

#ifndef TP_ALPHA
#define TP_ALPHA	1
#endif
#ifndef TP_BETA
#define TP_BETA		1
#endif
#ifndef TP_BETA_RESERVE
#define TP_BETA_RESERVE	32
#endif
#ifndef TP_ALPHA_ID
#define TP_ALPHA_ID	101
#endif
#ifndef TP_OBJECTS
#define TP_OBJECTS	KLP_SDK_OBJECT(NULL, tp_funcs)
#endif
#ifndef TP_STATES
#define TP_STATES	&alpha, &beta, &gamma
#endif
#ifndef TP_REPLACE
#define TP_REPLACE	true
#endif

#ifdef TP_ALPHA_T
/* set by a patch that gets it wrong */
#elif TP_ALPHA == 1
#define TP_ALPHA_T	struct alpha_v1
#elif TP_ALPHA == 2
#define TP_ALPHA_T	struct alpha_v2
#else
#define TP_ALPHA_T	struct alpha_v3
#endif

#if TP_BETA == 1
#define TP_BETA_T	struct beta_v1
#elif defined(TP_BETA_HUGE)
#define TP_BETA_T	struct beta_huge
#define TP_BETA_NEW	more
#else
#define TP_BETA_T	struct beta_v2
#define TP_BETA_NEW	before
#endif

/* Read by inject.h in the engine's objects. */
extern int tp_fail_alloc;
int tp_fail_alloc;
module_param_named(fail_alloc, tp_fail_alloc, int, 0444);
MODULE_PARM_DESC(fail_alloc, "which allocation of the engine fails");

static char *tp_fail_state = "";
module_param_named(fail_state, tp_fail_state, charp, 0444);
MODULE_PARM_DESC(fail_state, "the state whose pre_patch fails");

static int tp_fail_error = -ENODEV;
module_param_named(fail_error, tp_fail_error, int, 0444);
MODULE_PARM_DESC(fail_error, "what that pre_patch returns");

#if TP_ALPHA == 2
static int tp_spin;
module_param_named(spin, tp_spin, int, 0444);
MODULE_PARM_DESC(spin, "how many ms the patched function reads the older object");
#endif

#if TP_BETA == 2 && !defined(TP_BETA_HUGE)
static bool tp_scribble;
module_param_named(scribble, tp_scribble, bool, 0444);
MODULE_PARM_DESC(scribble, "write beta's new field in the patched function");
#endif

#define tp_say(fmt, ...)	pr_info("tp: " KBUILD_MODNAME " " fmt "\n", ##__VA_ARGS__)

static inline int tp_pre_patch(const char *state, char **buf)
{
	tp_say("%s pre_patch", state);
	if (!strcmp(state, tp_fail_state))
		return tp_fail_error;
	/* not kstrdup(): the test finds leaks by the allocating function */
	*buf = klp_sdk_kzalloc(TP_BUF, GFP_KERNEL);
	if (!*buf)
		return -ENOMEM;
	strscpy(*buf, state, TP_BUF);
	return 0;
}

static inline void tp_post_unpatch(const char *state, char **buf)
{
	tp_say("%s post_unpatch", state);
	if (strcmp(*buf, state))
		pr_err("tp: " KBUILD_MODNAME " %s BAD BUFFER\n", state);
	kfree(*buf);
	*buf = NULL;
}

static int alpha_pre_patch(TP_ALPHA_T *a)
{
	a->magic = TP_MAGIC;
#ifdef TP_EARLY
	a->saved = console_loglevel;
#endif
	return tp_pre_patch("alpha", &a->buf);
}

static TP_ALPHA_T *tp_alpha_live(void);

static void alpha_post_patch(TP_ALPHA_T *a)
{
	tp_say("alpha post_patch live=%d", !!tp_alpha_live());
#ifndef TP_EARLY
	a->saved = console_loglevel;
#endif
	console_loglevel = CONSOLE_LOGLEVEL_MOTORMOUTH;
}

static void alpha_pre_unpatch(TP_ALPHA_T *a)
{
	tp_say("alpha pre_unpatch live=%d", !!tp_alpha_live());
	console_loglevel = a->saved;
}

static void alpha_post_unpatch(TP_ALPHA_T *a)
{
	tp_post_unpatch("alpha", &a->buf);
}

#ifndef TP_STACK
static void alpha_adopt(TP_ALPHA_T *a, const void *old)
{
	/* The first word of every older layout: poisoned if it was freed. */
	tp_say("alpha adopt same=%d old_ok=%d live=%d", a == old,
	       *(const u32 *)old == TP_MAGIC, tp_alpha_live() == a);
}
#endif

#if TP_ALPHA == 2
static void alpha_from_v1(struct alpha_v2 *a, const struct alpha_v1 *old)
{
	tp_say("alpha convert from=1 live=%d zeroed=%d", !!tp_alpha_live(),
	       !a->magic && !a->from);
	a->magic = old->magic;
	a->buf = old->buf;
	a->saved = old->saved;
	a->hits = old->hits;
	a->from = 1;
}

KLP_SDK_CONVERT(alpha_v1, 1, struct alpha_v1, struct alpha_v2, alpha_from_v1);
#define TP_ALPHA_FROM	KLP_SDK_FROM(alpha_v1)

#ifdef TP_BACK
static void alpha_to_v1(struct alpha_v1 *a, const struct alpha_v2 *newer)
{
	tp_say("alpha convert to=1 live=%d zeroed=%d", !!tp_alpha_live(), !a->magic);
	a->magic = newer->magic;
	a->buf = newer->buf;
	a->saved = newer->saved;
	a->hits = newer->hits;
}

KLP_SDK_CONVERT_BACK(alpha_to_v1, 1, struct alpha_v1, struct alpha_v2,
		     alpha_to_v1);
#endif
#elif TP_ALPHA == 3
static void alpha_from_v2(struct alpha_v3 *a, const struct alpha_v2 *old)
{
	tp_say("alpha convert from=2 live=%d", !!tp_alpha_live());
	a->magic = old->magic;
	a->buf = old->buf;
	a->saved = old->saved;
	a->hits = old->hits;
}

KLP_SDK_CONVERT(alpha_v2, 2, struct alpha_v2, struct alpha_v3, alpha_from_v2);
#ifdef TP_ALPHA_NO_V1
#define TP_ALPHA_FROM	KLP_SDK_FROM(alpha_v2)
#else
static void alpha_from_v1(struct alpha_v3 *a, const struct alpha_v1 *old)
{
	tp_say("alpha convert from=1 live=%d", !!tp_alpha_live());
	a->magic = old->magic;
	a->buf = old->buf;
	a->saved = old->saved;
	a->hits = old->hits;
}

KLP_SDK_CONVERT(alpha_v1, 1, struct alpha_v1, struct alpha_v3, alpha_from_v1);
#define TP_ALPHA_FROM	KLP_SDK_FROM(alpha_v2), KLP_SDK_FROM(alpha_v1)
#endif
#elif defined(TP_ALPHA_NEWER)
static void alpha_from_v2(struct alpha_v1 *a, const struct alpha_v2 *old)
{
}

KLP_SDK_CONVERT(alpha_v2, 2, struct alpha_v2, struct alpha_v1, alpha_from_v2);
#endif

KLP_SDK_STATE(alpha, TP_ALPHA_T,
	      .id		= KLP_SDK_STATE_ID(TP_ALPHA_ID),
	      .version		= TP_ALPHA,
#ifdef TP_ALPHA_FROM
	      .convert		= { TP_ALPHA_FROM },
#endif
#ifdef TP_BACK
	      .back		= { KLP_SDK_TO(alpha_to_v1) },
#endif
	      .pre_patch	= alpha_pre_patch,
	      .post_patch	= alpha_post_patch,
	      .pre_unpatch	= alpha_pre_unpatch,
	      .post_unpatch	= alpha_post_unpatch,
#ifndef TP_STACK
	      .adopt		= alpha_adopt,
#else
	      .stackable	= true,
#endif
#ifdef TP_PERMANENT
	      .permanent	= true,
#endif
#ifdef TP_RETIRE
	      .retire		= true,
#endif
	);

static TP_ALPHA_T *tp_alpha_live(void)
{
	return klp_sdk_live(alpha);
}

static int beta_pre_patch(TP_BETA_T *b)
{
	tp_say("beta pre_patch");
	return strcmp("beta", tp_fail_state) ? 0 : tp_fail_error;
}

static void beta_post_patch(TP_BETA_T *b)
{
	tp_say("beta post_patch");
}

static void beta_pre_unpatch(TP_BETA_T *b)
{
	tp_say("beta pre_unpatch");
}

static void beta_post_unpatch(TP_BETA_T *b)
{
	tp_say("beta post_unpatch");
}

#ifndef TP_STACK
static void beta_adopt(TP_BETA_T *b, const void *old)
{
	tp_say("beta adopt same=%d", b == old);
}
#endif

#if TP_BETA == 2
static void beta_from_v1(TP_BETA_T *b)
{
	tp_say("beta grow");
#ifndef TP_BETA_HUGE
	if (b->before && !tp_scribble)
		pr_err("tp: " KBUILD_MODNAME " beta BAD ROOM\n");
	b->before = b->count;
#endif
}

KLP_SDK_GROW(beta_v1, 1, struct beta_v1, TP_BETA_T, TP_BETA_NEW, beta_from_v1);
#ifdef TP_BACK
static void beta_to_v1(TP_BETA_T *b)
{
	tp_say("beta shrink before=%ld", b->before);
}

KLP_SDK_GROW_BACK(beta_to_v1, 1, struct beta_v1, TP_BETA_T, TP_BETA_NEW,
		  beta_to_v1);
#endif
#endif

KLP_SDK_STATE(beta, TP_BETA_T,
	      .id		= KLP_SDK_STATE_ID(102),
	      .version		= TP_BETA,
	      .reserve		= TP_BETA_RESERVE,
#if TP_BETA == 2
	      .grow		= { KLP_SDK_FROM(beta_v1) },
#endif
#ifdef TP_BACK
	      .back		= { KLP_SDK_TO(beta_to_v1) },
#endif
	      .pre_patch	= beta_pre_patch,
	      .post_patch	= beta_post_patch,
	      .pre_unpatch	= beta_pre_unpatch,
	      .post_unpatch	= beta_post_unpatch,
#ifndef TP_STACK
	      .adopt		= beta_adopt);
#else
	      .stackable	= true);
#endif

#ifndef TP_NO_GAMMA
static int gamma_pre_patch(struct gamma *g)
{
	return tp_pre_patch("gamma", &g->buf);
}

static void gamma_post_patch(struct gamma *g)
{
	tp_say("gamma post_patch");
}

static void gamma_pre_unpatch(struct gamma *g)
{
	tp_say("gamma pre_unpatch");
}

static void gamma_post_unpatch(struct gamma *g)
{
	tp_post_unpatch("gamma", &g->buf);
}

static void gamma_adopt(struct gamma *g, const void *old)
{
	tp_say("gamma adopt same=%d", g == old);
}

KLP_SDK_STATE(gamma, struct gamma,
	      .id		= KLP_SDK_STATE_ID(103),
	      .version		= 1,
	      .pre_patch	= gamma_pre_patch,
	      .post_patch	= gamma_post_patch,
	      .pre_unpatch	= gamma_pre_unpatch,
	      .post_unpatch	= gamma_post_unpatch,
	      .adopt		= gamma_adopt);
#endif

#ifdef TP_DELTA
struct delta {
	char *buf;
};

static int delta_pre_patch(struct delta *d)
{
	return tp_pre_patch("delta", &d->buf);
}

static void delta_post_patch(struct delta *d)
{
	tp_say("delta post_patch");
}

static void delta_pre_unpatch(struct delta *d)
{
	tp_say("delta pre_unpatch");
}

static void delta_post_unpatch(struct delta *d)
{
	tp_post_unpatch("delta", &d->buf);
}

KLP_SDK_STATE(delta, struct delta,
	      .id		= KLP_SDK_STATE_ID(104),
	      .version		= 1,
	      .pre_patch	= delta_pre_patch,
	      .post_patch	= delta_post_patch,
	      .pre_unpatch	= delta_pre_unpatch,
	      .post_unpatch	= delta_post_unpatch);
#endif

/*
 * In place of cmdline_proc_show(). The first call of seq_printf() is where a
 * test can make a task sleep; what follows uses what was read before it, and for
 * beta what is read behind it.
 */
static int tp_show(struct seq_file *m, void *v)
{
	TP_ALPHA_T *a = klp_sdk_live(alpha);
	TP_BETA_T *b = klp_sdk_data(beta);
#if TP_ALPHA == 2
	const struct alpha_v1 *old;
	int i;
#endif

	seq_printf(m, "patch=%s", KBUILD_MODNAME);
#ifdef TP_READS
	seq_printf(m, " data=%px data_magic=%d", klp_sdk_data(alpha),
		   klp_sdk_data(alpha)->magic == TP_MAGIC);
#endif
	b = klp_sdk_data(beta);
	if (a)
		seq_printf(m, " alpha=%px magic=%d saved=%d hits=%d buf=%s", a,
			   a->magic == TP_MAGIC, a->saved, ++a->hits, a->buf);
	b->count++;
	seq_printf(m, " beta=%px count=%ld beta_live=%d", b, b->count,
		   klp_sdk_live(beta) == b);
#if TP_ALPHA == 2
	seq_printf(m, " from=%d", a ? a->from : -1);
	rcu_read_lock();
	old = klp_sdk_dereference(klp_sdk_prev(alpha_v1));
	if (old)
		seq_printf(m, " prev=%px prev_saved=%d", old, old->saved);
	if (old && tp_spin) {
		/* Preempted, as the completion asks each CPU to schedule. */
		for (i = 0; i < tp_spin; i++) {
			mdelay(1);
			if (!IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
				cond_resched();
		}
		if (READ_ONCE(old->magic) != TP_MAGIC)
			pr_err("tp: " KBUILD_MODNAME " BAD: freed under a reader\n");
	}
	rcu_read_unlock();
#endif
#if TP_BETA == 2 && !defined(TP_BETA_HUGE)
	if (tp_scribble)
		b->before = 77;
	seq_printf(m, " before=%ld", b->before);
#endif
	seq_puts(m, "\n");
	return 0;
}

static struct klp_func tp_funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = tp_show },
#ifndef TP_NO_TERMINATOR
	{ }
#endif
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(TP_OBJECTS),
	      .states	= KLP_SDK_STATES(TP_STATES),
	      .replace	= TP_REPLACE);

/* Code that stays in the module when the patch is gone sees this. */
static int tp_reads(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "live=%d data=%d listed=%d\n",
			  !!klp_sdk_live(alpha), !!klp_sdk_data(beta),
			  !!klp_sdk_patch.patch.states->data);
}

static const struct kernel_param_ops tp_reads_ops = {
	.get = tp_reads,
};
module_param_cb(reads, &tp_reads_ops, NULL, 0400);

MODULE_DESCRIPTION("klp-sdk test patch");
MODULE_LICENSE("GPL");

#endif /* _TP_H */
