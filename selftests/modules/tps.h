/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test patches with shadow variables. Each source sets what differs and includes
 * this file.
 *
 * A state sh (401) owns these shadow types, all for the parents of tp_pool:
 *   plain (0x501)	converted from version to version
 *   index (0x502)	the same, indexed
 *   count (0x503)	plain, grows in place
 *   quiet (0x504)	plain, in version 1 only
 *   sleep (0x505)	indexed, in version 1 only, whose functions sleep
 *
 * TPS		version of the state and of the layouts, 1 to 3; version 2 has a
 *		second state late (402)
 * TPS_DROP	leaves the last two out
 * TPS_COUNT	the version of count, 1 unless set
 * TPS_MOD	the module that the state is bound to; all ids are others then
 * TPS_STATE_ID, TPS_IDS	ids of its own, that of the state and those before the types'
 * TPS_RETIRE, TPS_STACK	properties of the state
 *
 * The parameter op performs one call, "CALL TYPE NUMBER", as the patch's
 * functions would; the parameter seen is what it found.
 */
#ifndef _TPS_H
#define _TPS_H

#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <klp-sdk/klp-sdk.h>

#include "tp_pool.h"
#include "tps-types.h"

#define TPS_CAT(_a, _b)		__TPS_CAT(_a, _b)
#define __TPS_CAT(_a, _b)	_a##_b

/* After a force the ids of what a state had may be of no use any more. */
#ifdef TPS_STATE_ID
/* set by a patch that is forced out */
#elif defined(TPS_MOD)
#define TPS_STATE_ID	403
#define TPS_IDS		0x510
#else
#define TPS_STATE_ID	401
#define TPS_IDS		0x500
#endif
#define TPS_ID(_nr)	KLP_SDK_SHADOW_ID(TPS_IDS + (_nr))

#ifndef TPS_COUNT
#define TPS_COUNT	1
#endif

#define TPS_STATE_T	struct TPS_CAT(sh_v, TPS)
#define TPS_T		struct TPS_CAT(tps_v, TPS)
#if TPS == 1
#define TPS_COUNT_T	struct tps_count_v1
#else
#define TPS_COUNT_T	struct tps_count_v2
#endif

/* Read by inject.h in the engine's objects. */
extern int tp_fail_alloc;
int tp_fail_alloc;
module_param_named(fail_alloc, tp_fail_alloc, int, 0644);
MODULE_PARM_DESC(fail_alloc, "which allocation of the engine fails");

static bool tps_fail_ctor;
module_param_named(fail_ctor, tps_fail_ctor, bool, 0644);
MODULE_PARM_DESC(fail_ctor, "let the constructors fail");

#define tp_say(fmt, ...)	pr_info("tp: " KBUILD_MODNAME " " fmt "\n", ##__VA_ARGS__)

static inline char *tps_buf(const char *name, gfp_t gfp)
{
	char *buf = tps_fail_ctor ? NULL : klp_sdk_kzalloc(16, gfp);

	if (buf)
		strscpy(buf, name, 16);
	return buf;
}

static inline void tps_release(const char *name, u32 magic, char *buf)
{
	tp_say("%s dtor", name);
	if (magic != TPS_MAGIC || !buf || strcmp(buf, name))
		pr_err("tp: " KBUILD_MODNAME " %s BAD VALUE\n", name);
	kfree(buf);
}

/* Functions of a type whose values own a buffer. */
#define TPS_FNS(_name, _type, _gfp)					\
	static int _name##_ctor(struct tps_parent *p, _type *v, void *arg) \
	{								\
		v->buf = tps_buf(#_name, _gfp);				\
		v->magic = TPS_MAGIC;					\
		v->born = p->born;					\
		return v->buf ? 0 : -EIO;				\
	}								\
	static void _name##_dtor(struct tps_parent *p, _type *v)	\
	{								\
		if ((_gfp) == GFP_KERNEL)				\
			msleep(20);					\
		tps_release(#_name, v->magic, v->buf);			\
		v->magic = 0;						\
	}

/* A conversion of such a type, and what an older value needs. */
#define TPS_FROM(_name, _version)					\
	static void _name##_from_v##_version(struct tps_parent *p, TPS_T *v, \
					     struct tps_v##_version *old) \
	{								\
		if (old->magic != TPS_MAGIC || v->magic || v->buf)	\
			pr_err("tp: " KBUILD_MODNAME " " #_name " BAD OLD VALUE\n"); \
		v->magic = old->magic;					\
		v->born = old->born;					\
		v->buf = old->buf;					\
		v->from = (_version);					\
	}								\
	static void _name##_dtor_v##_version(struct tps_parent *p,	\
					     struct tps_v##_version *old) \
	{								\
		tps_release(#_name, old->magic, old->buf);		\
	}								\
	KLP_SDK_SHADOW_CONVERT(_name##_v##_version, _version,		\
			       struct tps_parent, struct tps_v##_version, TPS_T, \
			       _name##_from_v##_version,		\
			       _name##_dtor_v##_version)

TPS_FNS(plain, TPS_T, GFP_ATOMIC)
TPS_FNS(index, TPS_T, GFP_ATOMIC)

#if TPS == 2
TPS_FROM(plain, 1);
TPS_FROM(index, 1);
#elif TPS == 3
TPS_FROM(plain, 1);
TPS_FROM(plain, 2);
/* Eager: nothing of version 1 is left when version 2 is replaced. */
TPS_FROM(index, 2);
#endif

KLP_SDK_SHADOW(plain, struct tps_parent, TPS_T,
	       .id	= TPS_ID(1),
	       .version	= TPS,
#if TPS == 2
	       .convert	= { KLP_SDK_SHADOW_FROM(plain_v1) },
#elif TPS == 3
	       .convert	= { KLP_SDK_SHADOW_FROM(plain_v1),
			    KLP_SDK_SHADOW_FROM(plain_v2) },
#endif
	       .ctor	= plain_ctor,
	       .dtor	= plain_dtor);

KLP_SDK_SHADOW(index, struct tps_parent, TPS_T,
	       .id	= TPS_ID(2),
	       .version	= TPS,
	       .indexed	= true,
#if TPS == 2
	       .convert	= { KLP_SDK_SHADOW_FROM(index_v1) },
#elif TPS == 3
	       .convert	= { KLP_SDK_SHADOW_FROM(index_v2) },
#endif
	       .ctor	= index_ctor,
	       .dtor	= index_dtor);

static int count_ctor(struct tps_parent *p, TPS_COUNT_T *v, void *arg)
{
	v->magic = TPS_MAGIC;
	return 0;
}

KLP_SDK_SHADOW(count, struct tps_parent, TPS_COUNT_T,
	       .id	= TPS_ID(3),
	       .version	= TPS_COUNT,
	       .reserve	= 32,
#if TPS > 1
	       .grow	= { KLP_SDK_SHADOW_GREW(struct tps_count_v1,
						TPS_COUNT_T, since) },
#endif
	       .ctor	= count_ctor);

#if TPS == 1 && !defined(TPS_DROP)
TPS_FNS(quiet, TPS_T, GFP_ATOMIC)
TPS_FNS(sleep, TPS_T, GFP_KERNEL)

KLP_SDK_SHADOW(quiet, struct tps_parent, TPS_T,
	       .id	= TPS_ID(4),
	       .version	= 1,
	       .ctor	= quiet_ctor,
	       .dtor	= quiet_dtor);

KLP_SDK_SHADOW(sleep, struct tps_parent, TPS_T,
	       .id	= TPS_ID(5),
	       .version	= 1,
	       .indexed	= true,
	       .ctor	= sleep_ctor,
	       .dtor	= sleep_dtor);
#define TPS_SHADOWS	&plain, &index, &count, &quiet, &sleep
#else
#define TPS_SHADOWS	&plain, &index, &count
#endif

static bool tps_early;
module_param_named(early, tps_early, bool, 0444);
MODULE_PARM_DESC(early, "allocate a value in pre_patch, which is a mistake");

static int sh_pre_patch(TPS_STATE_T *s)
{
	tp_say("sh pre_patch");
	if (tps_early)
		klp_sdk_shadow_alloc(count, tp_pool_parent(1), GFP_KERNEL, NULL);
	return 0;
}

static void sh_post_patch(TPS_STATE_T *s)
{
	tp_say("sh post_patch");
}

static void sh_pre_unpatch(TPS_STATE_T *s)
{
	tp_say("sh pre_unpatch");
}

static void sh_post_unpatch(TPS_STATE_T *s)
{
	tp_say("sh post_unpatch");
}

#if TPS > 1
static void sh_grown(TPS_STATE_T *s)
{
}

KLP_SDK_GROW(sh_v1, 1, struct sh_v1, TPS_STATE_T, two, sh_grown);
#endif
#if TPS == 2
/* For the data. There is none for values of another layout, so it is not taken. */
static void sh_to_v1(TPS_STATE_T *s)
{
	tp_say("sh BAD shrink");
}

KLP_SDK_GROW_BACK(sh_to_v1, 1, struct sh_v1, TPS_STATE_T, two, sh_to_v1);
#endif
#if TPS > 2
KLP_SDK_GROW(sh_v2, 2, struct sh_v2, TPS_STATE_T, three, sh_grown);
#endif

KLP_SDK_STATE(sh, TPS_STATE_T,
	      .id		= KLP_SDK_STATE_ID(TPS_STATE_ID),
	      .version		= TPS,
	      .reserve		= 32,
#ifdef TPS_MOD
	      .object		= TPS_MOD,
#endif
#ifdef TPS_RETIRE
	      .retire		= true,
#endif
#ifdef TPS_STACK
	      .stackable	= true,
#endif
#if TPS == 2
	      .grow		= { KLP_SDK_FROM(sh_v1) },
	      .back		= { KLP_SDK_TO(sh_to_v1) },
#elif TPS == 3
	      .grow		= { KLP_SDK_FROM(sh_v1), KLP_SDK_FROM(sh_v2) },
#endif
	      .shadows		= KLP_SDK_SHADOWS(TPS_SHADOWS),
	      .pre_patch	= sh_pre_patch,
	      .post_patch	= sh_post_patch,
	      .pre_unpatch	= sh_pre_unpatch,
	      .post_unpatch	= sh_post_unpatch);

#if TPS == 2
/* One that has nothing to do with it and comes after it. */
KLP_SDK_STATE(late, struct sh_v1,
	      .id		= KLP_SDK_STATE_ID(402),
	      .version		= 1);
#define TPS_STATES	&sh, &late
#else
#define TPS_STATES	&sh
#endif

static char tps_seen[128];

#if TPS == 1
#define tps_from(_v)	0
#else
#define tps_from(_v)	((_v)->from)
#endif

#define TPS_SEE(_v)							\
	scnprintf(tps_seen, sizeof(tps_seen),				\
		  "magic=%d born=%u buf=%s from=%u at=%px",		\
		  (_v)->magic == TPS_MAGIC, (_v)->born, (_v)->buf,	\
		  tps_from(_v), _v)

static inline void tps_see_old(const struct tps_v1 *old)
{
	if (old)
		scnprintf(tps_seen, sizeof(tps_seen),
			  "magic=%d born=%u buf=%s at=%px",
			  old->magic == TPS_MAGIC, old->born, old->buf, old);
}

/* The calls for the values of one type, as typed as an author's. */
#define TPS_OPS(_name, _type)						\
	static int _name##_op(const char *call, struct tps_parent *p)	\
	{								\
		_type *v = NULL;					\
									\
		if (!strcmp(call, "alloc"))				\
			v = klp_sdk_shadow_alloc(_name, p, GFP_KERNEL, NULL); \
		else if (!strcmp(call, "get_or_alloc"))			\
			v = klp_sdk_shadow_get_or_alloc(_name, p, GFP_KERNEL, \
							NULL);		\
		else if (!strcmp(call, "get"))				\
			v = klp_sdk_shadow_get(_name, p);		\
		else if (!strcmp(call, "free"))				\
			klp_sdk_shadow_free(_name, p);			\
		else							\
			return -EINVAL;					\
		if (v)							\
			TPS_SEE(v);					\
		return 0;						\
	}

TPS_OPS(plain, TPS_T)
TPS_OPS(index, TPS_T)
#if TPS == 1 && !defined(TPS_DROP)
TPS_OPS(quiet, TPS_T)
TPS_OPS(sleep, TPS_T)
#endif

static int count_op(const char *call, struct tps_parent *p)
{
	TPS_COUNT_T *v;

	v = !strcmp(call, "get") ? klp_sdk_shadow_get(count, p) :
	    klp_sdk_shadow_get_or_alloc(count, p, GFP_KERNEL, NULL);
	if (!v)
		return 0;
	v->count++;
#if TPS > 1
	scnprintf(tps_seen, sizeof(tps_seen), "magic=%d count=%u since=%llu at=%px",
		  v->magic == TPS_MAGIC, v->count, v->since, v);
	v->since += 100;
#else
	scnprintf(tps_seen, sizeof(tps_seen), "magic=%d count=%u at=%px",
		  v->magic == TPS_MAGIC, v->count, v);
#endif
	return 0;
}

struct tps_sum {
	unsigned int values;
	unsigned int bad;
};

static void tps_add(struct tps_parent *p, TPS_T *v, void *arg)
{
	struct tps_sum *sum = arg;

	sum->values++;
	sum->bad += v->magic != TPS_MAGIC || strcmp(v->buf, "index") ||
		    klp_sdk_shadow_get(index, p) != v;
}

/* Whoever is listed is found, and nobody else is. */
static void tps_sum(void)
{
	struct tps_sum sum = { };
	struct tps_parent *p;
	unsigned int i, found = 0;

	klp_sdk_shadow_each(index, tps_add, &sum);
	for (i = 0; (p = tp_pool_parent(i)); i++)
		found += !!klp_sdk_shadow_get(index, p);
	scnprintf(tps_seen, sizeof(tps_seen), "values=%u bad=%u found=%u",
		  sum.values, sum.bad, found);
}

/* The number is how many values there shall be at least. */
static int tps_fill(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!klp_sdk_shadow_get_or_alloc(index, tp_pool_parent(i),
						 GFP_KERNEL, NULL))
			return -ENOMEM;
	return 0;
}

/* The number is of how many values one shall stay. */
static void tps_thin(unsigned int nr)
{
	struct tps_parent *p;
	unsigned int i;

	for (i = 0; (p = tp_pool_parent(i)); i++)
		if (i % nr)
			klp_sdk_shadow_free(index, p);
}

static void tps_irq(struct irq_work *work)
{
	klp_sdk_shadow_free(index, tp_pool_parent(1));
}

/* Calls that are mistakes, for kernels that check. */
static int tps_mistake(const char *call, struct tps_parent *p)
{
	struct irq_work work;

	if (!strcmp(call, "atomic")) {
		preempt_disable();
		klp_sdk_shadow_alloc(count, p, GFP_KERNEL, NULL);
		preempt_enable();
	} else if (!strcmp(call, "hardirq")) {
		init_irq_work(&work, tps_irq);
		irq_work_queue(&work);
		irq_work_sync(&work);
	} else if (!strcmp(call, "irqsoff")) {
		local_irq_disable();
		klp_sdk_shadow_free(index, p);
		local_irq_enable();
	} else if (!strcmp(call, "twice")) {
		klp_sdk_shadow_get_or_alloc(index, p, GFP_KERNEL, NULL);
		klp_sdk_shadow_alloc(index, p, GFP_KERNEL, NULL);
	} else {
		return -EINVAL;
	}
	return 0;
}

static int tps_op_set(const char *val, const struct kernel_param *kp)
{
	struct tps_parent *p;
	char call[16], type[16];
	unsigned int nr;

	if (sscanf(val, "%15s %15s %u", call, type, &nr) != 3)
		return -EINVAL;
	p = tp_pool_parent(nr);
	if (!p)
		return -ERANGE;
	strscpy(tps_seen, "none", sizeof(tps_seen));

	if (!strcmp(call, "fill"))
		return tps_fill(nr);
	if (!strcmp(call, "thin")) {
		tps_thin(nr);
		return 0;
	}
	if (!strcmp(call, "sum")) {
		tps_sum();
		return 0;
	}
	if (!strcmp(call, "live")) {
		if (klp_sdk_live(sh))
			strscpy(tps_seen, "live", sizeof(tps_seen));
		return 0;
	}
	if (!strcmp(type, "mistake"))
		return tps_mistake(call, p);
#if TPS == 2
	if (!strcmp(call, "prev")) {
		const struct tps_v1 __klp_sdk_prev *old;

		rcu_read_lock();
		if (!strcmp(type, "plain"))
			old = klp_sdk_shadow_prev(plain, plain_v1, p);
		else
			old = klp_sdk_shadow_prev(index, index_v1, p);
		tps_see_old(klp_sdk_dereference(old));
		rcu_read_unlock();
		return 0;
	}
#endif
	if (!strcmp(type, "plain"))
		return plain_op(call, p);
	if (!strcmp(type, "index"))
		return index_op(call, p);
	if (!strcmp(type, "count"))
		return count_op(call, p);
#if TPS == 1 && !defined(TPS_DROP)
	if (!strcmp(type, "quiet"))
		return quiet_op(call, p);
	if (!strcmp(type, "sleep"))
		return sleep_op(call, p);
#endif
	return -EINVAL;
}

static int tps_seen_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", tps_seen);
}

static const struct kernel_param_ops tps_op_ops = {
	.set = tps_op_set,
};
module_param_cb(op, &tps_op_ops, NULL, 0200);

static const struct kernel_param_ops tps_seen_ops = {
	.get = tps_seen_get,
};
module_param_cb(seen, &tps_seen_ops, NULL, 0400);

/* Where a test makes a task sleep that holds the transition. */
static int tps_show(struct seq_file *m, void *v)
{
	seq_printf(m, "patch=%s\n", KBUILD_MODNAME);
	return 0;
}

static struct klp_func tps_funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = tps_show },
	{ }
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, tps_funcs)),
	      .states	= KLP_SDK_STATES(TPS_STATES),
#ifndef TPS_STACK
	      .replace	= true
#endif
	      );

MODULE_DESCRIPTION("klp-sdk test patch");
MODULE_LICENSE("GPL");

#endif /* _TPS_H */
