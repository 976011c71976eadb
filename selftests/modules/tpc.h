/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test patches whose function is called by many tasks at once, and does random
 * operations with shadow variables of the parents in tpc-pool.h: plain ones,
 * indexed ones, and plain ones that grow in place. Each source sets TPC, the
 * version; the first two types are converted from version 1 to 2.
 *
 * Whatever is found must be sound: of the layout that it is found by, of this
 * parent, written as a whole. A parent's owner knows more, and finds just what he
 * left, in whichever patch. And each value that a ctor has made is released by
 * one dtor, however often it was converted.
 */
#ifndef _TPC_H
#define _TPC_H

#include <linux/jiffies.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <klp-sdk/klp-sdk.h>

#include "tpc-pool.h"

/* Read by inject.h in the engine's objects. */
extern int tp_fail_alloc;
int tp_fail_alloc;

/* How many operations one call does at least. */
#define TPC_BATCH	8

#define TPC_MAGIC_V1	0x7c000001
#define TPC_MAGIC_V2	0x7c000002
#define TPC_MAGIC_GROW	0x7c000003

enum tpc_life {
	TPC_LIVE = 1,
	TPC_MOVED,	/* a conversion has read it */
	TPC_DEAD,	/* its dtor has run */
};

struct tpc_head {
	u32 magic;
	u32 life;
	struct tpc_parent *parent;
	u64 stamp;
};

struct tpc_v1 {
	struct tpc_head head;
	u32 tail;
};

/* Its tail lies behind the end of the first layout. */
struct tpc_v2 {
	struct tpc_head head;
	u64 more[6];
	u32 tail;
};

struct tpc_g1 {
	struct tpc_head head;
	u32 tail;
	u32 reserved;
	atomic_long_t hits;
};

struct tpc_g2 {
	struct tpc_head head;
	u32 tail;
	u32 reserved;
	atomic_long_t hits;
	u64 more;	/* up to the end of 96 bytes, with the header */
	atomic_long_t since;
};

#if TPC == 1
#define TPC_TAG		tpc_v1
#define TPC_MAGIC	TPC_MAGIC_V1
#define TPC_GROW_TAG	tpc_g1
#else
#define TPC_TAG		tpc_v2
#define TPC_MAGIC	TPC_MAGIC_V2
#define TPC_GROW_TAG	tpc_g2
#endif
#define TPC_T		struct TPC_TAG
#define TPC_GROW_T	struct TPC_GROW_TAG

#define tpc_bad(_p, _type, fmt, ...)					\
do {									\
	if (atomic_inc_return(&tpc_pool.bad) <= 3)			\
		pr_err("tp: " KBUILD_MODNAME " BAD parent %u type %d: " fmt "\n", \
		       (_p)->nr, _type, ##__VA_ARGS__);			\
} while (0)

static int tpc_ctor(struct tpc_parent *p, enum tpc_type type,
		    struct tpc_head *head, u32 *tail, u32 magic, const u64 *stamp)
{
	int tokens = atomic_inc_return(&p->tokens[type]);

	/* An indexed value may be made in vain, and goes at once. */
	if (tokens != 1 && type != TPC_INDEXED)
		tpc_bad(p, type, "%d values at once", tokens);
	head->magic = magic;
	head->life = TPC_LIVE;
	head->parent = p;
	head->stamp = *stamp;
	*tail = magic ^ p->nr;
	return 0;
}

static void tpc_dtor(struct tpc_parent *p, enum tpc_type type,
		     struct tpc_head *head, u32 magic)
{
	if (head->magic != magic || head->life != TPC_LIVE)
		tpc_bad(p, type, "dtor for magic %x life %u", head->magic,
			head->life);
	WRITE_ONCE(head->life, TPC_DEAD);
	if (atomic_dec_return(&p->tokens[type]) < 0)
		tpc_bad(p, type, "released twice");
}

#if TPC == 2
static void tpc_convert(struct tpc_parent *p, enum tpc_type type,
			struct tpc_v2 *v, struct tpc_v1 *old)
{
	/* Lets the other CPU go on, as all such below; here long enough to look. */
	int i = old->head.stamp & 63;

	if (old->head.magic != TPC_MAGIC_V1 || old->head.life != TPC_LIVE)
		tpc_bad(p, type, "converts magic %x life %u", old->head.magic,
			old->head.life);
	WRITE_ONCE(tpc_pool.converting, true);
	v->head = old->head;
	/* Nobody has asked for an indexed one. Have the tasks come to it, and stay. */
	if (type == TPC_INDEXED)
		i += 300;
	for (; i; i--) {
		if (type == TPC_INDEXED)
			atomic_set(&tpc_pool.sweep,
				   (max_t(u32, p->nr, TPC_NEAR / 2) - TPC_NEAR / 2) *
				   TPC_SWEEP);
		cpu_relax();
	}
	v->head.magic = TPC_MAGIC_V2;
	v->tail = TPC_MAGIC_V2 ^ p->nr;
	WRITE_ONCE(old->head.life, TPC_MOVED);
	atomic_inc(&tpc_pool.converted);
}
#endif

/* What was found, and where, for another look at it. */
struct tpc_seen {
	const struct tpc_head *head;
	const u32 *tail_at;
	u32 magic, life, tail;
	const struct tpc_parent *parent;
	u64 stamp;
	bool old;
};

static void tpc_look(struct tpc_seen *s)
{
	s->magic = READ_ONCE(s->head->magic);
	s->parent = READ_ONCE(s->head->parent);
	s->stamp = READ_ONCE(s->head->stamp);
	s->life = READ_ONCE(s->head->life);
	s->tail = READ_ONCE(*s->tail_at);
}

static void tpc_see(struct tpc_seen *s, const struct tpc_head *head,
		    const u32 *tail, bool old)
{
	s->head = head;
	s->tail_at = tail;
	s->old = old;
	tpc_look(s);
}

/* The ctor and the dtor of one type, and its calls behind common prototypes. */
#define TPC_FNS(_name, _type, _tag, _magic)				\
static int _name##_ctor(struct tpc_parent *p, struct _tag *v, void *stamp) \
{									\
	return tpc_ctor(p, _type, &v->head, &v->tail, _magic, stamp);	\
}									\
									\
static void _name##_dtor(struct tpc_parent *p, struct _tag *v)		\
{									\
	tpc_dtor(p, _type, &v->head, _magic);				\
}

#define TPC_OPS(_name, _tag)						\
static bool _name##_get(struct tpc_parent *p, struct tpc_seen *s)	\
{									\
	const struct _tag *v = klp_sdk_shadow_get(_name, p);		\
									\
	if (v)								\
		tpc_see(s, &v->head, &v->tail, false);			\
	return v;							\
}									\
									\
static bool _name##_set(struct tpc_parent *p, u64 stamp)		\
{									\
	struct _tag *v = klp_sdk_shadow_get(_name, p);			\
									\
	if (v)								\
		WRITE_ONCE(v->head.stamp, stamp);			\
	return v;							\
}									\
									\
static bool _name##_new(struct tpc_parent *p, u64 stamp)		\
{									\
	return klp_sdk_shadow_alloc(_name, p, GFP_KERNEL, &stamp);	\
}									\
									\
static bool _name##_get_or_new(struct tpc_parent *p, u64 stamp,		\
			       struct tpc_seen *s)			\
{									\
	const struct _tag *v = klp_sdk_shadow_get_or_alloc(_name, p,	\
						  GFP_ATOMIC | __GFP_NOWARN, \
						  &stamp);		\
									\
	if (v)								\
		tpc_see(s, &v->head, &v->tail, false);			\
	return v;							\
}									\
									\
static void _name##_free(struct tpc_parent *p)				\
{									\
	klp_sdk_shadow_free(_name, p);					\
}

#define TPC_OPS_OF(_name, _prev)					\
	{ _prev, _name##_get, _name##_set, _name##_new,			\
	  _name##_get_or_new, _name##_free }

#if TPC == 2
#define TPC_PREV(_name, _type)						\
static void _name##_from_v1(struct tpc_parent *p, struct tpc_v2 *v,	\
			    struct tpc_v1 *old)				\
{									\
	tpc_convert(p, _type, v, old);					\
}									\
									\
static void _name##_v1_dtor(struct tpc_parent *p, struct tpc_v1 *v)	\
{									\
	tpc_dtor(p, _type, &v->head, TPC_MAGIC_V1);			\
}									\
									\
KLP_SDK_SHADOW_CONVERT(_name##_v1, 1, struct tpc_parent, struct tpc_v1,	\
		       struct tpc_v2, _name##_from_v1, _name##_v1_dtor)

#define TPC_OPS_PREV(_name)						\
static bool _name##_prev(struct tpc_parent *p, struct tpc_seen *s)	\
	__must_hold(RCU)						\
{									\
	const struct tpc_v1 *old;					\
									\
	old = klp_sdk_dereference(klp_sdk_shadow_prev(_name, _name##_v1, p)); \
	if (old)							\
		tpc_see(s, &old->head, &old->tail, true);		\
	return old;							\
}
#endif

TPC_FNS(plain, TPC_PLAIN, TPC_TAG, TPC_MAGIC)
TPC_FNS(indexed, TPC_INDEXED, TPC_TAG, TPC_MAGIC)
TPC_FNS(grow, TPC_GROW, TPC_GROW_TAG, TPC_MAGIC_GROW)
#if TPC == 2
TPC_PREV(plain, TPC_PLAIN);
TPC_PREV(indexed, TPC_INDEXED);
#endif

KLP_SDK_SHADOW(plain, struct tpc_parent, TPC_T,
	       .id		= KLP_SDK_SHADOW_ID(0x7c01),
	       .version		= TPC,
#if TPC == 2
	       .convert		= { KLP_SDK_SHADOW_FROM(plain_v1) },
#endif
	       .ctor		= plain_ctor,
	       .dtor		= plain_dtor);

KLP_SDK_SHADOW(indexed, struct tpc_parent, TPC_T,
	       .id		= KLP_SDK_SHADOW_ID(0x7c02),
	       .version		= TPC,
	       .indexed		= true,
#if TPC == 2
	       .convert		= { KLP_SDK_SHADOW_FROM(indexed_v1) },
#endif
	       .ctor		= indexed_ctor,
	       .dtor		= indexed_dtor);

KLP_SDK_SHADOW(grow, struct tpc_parent, TPC_GROW_T,
	       .id		= KLP_SDK_SHADOW_ID(0x7c03),
	       .version		= 1,
	       .reserve		= sizeof(struct tpc_g2),
#if TPC == 2
	       .grow		= { KLP_SDK_SHADOW_GREW(struct tpc_g1,
							struct tpc_g2, more) },
#endif
	       .ctor		= grow_ctor,
	       .dtor		= grow_dtor);

TPC_OPS(plain, TPC_TAG)
TPC_OPS(indexed, TPC_TAG)
TPC_OPS(grow, TPC_GROW_TAG)

#if TPC == 1
#define plain_prev	NULL
#define indexed_prev	NULL
#else
TPC_OPS_PREV(plain)
TPC_OPS_PREV(indexed)
#endif

/* @prev is NULL if the patch knows no older layout. */
struct tpc_ops {
	bool (*prev)(struct tpc_parent *p, struct tpc_seen *s);
	bool (*get)(struct tpc_parent *p, struct tpc_seen *s);
	bool (*set)(struct tpc_parent *p, u64 stamp);
	bool (*new)(struct tpc_parent *p, u64 stamp);
	bool (*get_or_new)(struct tpc_parent *p, u64 stamp, struct tpc_seen *s);
	void (*free)(struct tpc_parent *p);
};

static const struct tpc_ops tpc_ops[TPC_TYPES] = {
	[TPC_PLAIN]	= TPC_OPS_OF(plain, plain_prev),
	[TPC_INDEXED]	= TPC_OPS_OF(indexed, indexed_prev),
	[TPC_GROW]	= TPC_OPS_OF(grow, NULL),
};

struct tpc_state_v1 {
	u32 one;
};

struct tpc_state_v2 {
	u32 one, two;
};

#if TPC == 1
#define TPC_STATE_T	struct tpc_state_v1
#else
#define TPC_STATE_T	struct tpc_state_v2

static void pool_from_v1(struct tpc_state_v2 *s, const struct tpc_state_v1 *old)
{
	s->one = old->one;
}

KLP_SDK_CONVERT(pool_v1, 1, struct tpc_state_v1, struct tpc_state_v2,
		pool_from_v1);
#endif

KLP_SDK_STATE(pool, TPC_STATE_T,
	      .id		= KLP_SDK_STATE_ID(501),
	      .version		= TPC,
#if TPC == 2
	      .convert		= { KLP_SDK_FROM(pool_v1) },
#endif
	      .shadows		= KLP_SDK_SHADOWS(&plain, &indexed, &grow));

/*
 * Find a value under RCU. Until they are converted it may be an old one; then
 * asking for a new one is enough, and for the plain type converts it.
 */
static bool tpc_find(struct tpc_parent *p, enum tpc_type type,
		     struct tpc_seen *s)
{
	const struct tpc_ops *ops = &tpc_ops[type];

	if (ops->prev && !klp_sdk_live(pool) && ops->prev(p, s))
		return true;
	cpu_relax();
	return ops->get(p, s);
}

static void tpc_check(struct tpc_parent *p, enum tpc_type type,
		      const struct tpc_seen *s)
{
	u32 magic = type == TPC_GROW ? TPC_MAGIC_GROW :
		    s->old ? TPC_MAGIC_V1 : TPC_MAGIC;

	if (s->magic != magic || s->tail != (magic ^ p->nr) || s->parent != p ||
	    !s->life || s->life > TPC_DEAD || !tpc_stamped(p, s->stamp))
		tpc_bad(p, type, "magic %x tail %x life %u stamp %llx",
			s->magic, s->tail, s->life, s->stamp);
}

/* Under RCU it stays sound for a while, whatever others do to it. */
static bool tpc_read(struct tpc_worker *w, struct tpc_parent *p,
		     enum tpc_type type, struct tpc_seen *s)
{
	u32 i = tpc_random(w);
	struct tpc_seen new;
	bool there, kept;

	/* Pairs with the release in tpc_own(). */
	kept = smp_load_acquire(&p->known[type].present);
	/* Such a value never goes, so that all tasks know that it is there. */
	kept = kept && tpc_kind(p) == TPC_KEPT;
	rcu_read_lock();
	there = tpc_find(p, type, s);
	if (kept && !there)
		tpc_bad(p, type, "is not there any more");
	/* There is no new one yet, or it has become one just now. */
	if (there && s->old && tpc_ops[type].get(p, &new))
		tpc_check(p, type, &new);
	if (there) {
		tpc_check(p, type, s);
		w->prevs += s->old;
		for (i = i % 4 ? 1 : i >> 2 & 15; i; i--)
			cpu_relax();
		tpc_look(s);
		tpc_check(p, type, s);
	}
	rcu_read_unlock();
	return there;
}

/*
 * Before they are converted no new ones come, so that some must be left; but while
 * they are they go as fast as they can.
 */
static bool tpc_frees(u32 r, bool live)
{
	return r % 4 == 0 && (live || READ_ONCE(tpc_pool.converting) ||
			      r / 4 % 256 == 0);
}

/* Only its owner writes and frees the value, so he knows what must be there. */
static void tpc_own(struct tpc_worker *w, struct tpc_parent *p,
		    enum tpc_type type)
{
	const struct tpc_ops *ops = &tpc_ops[type];
	bool live = klp_sdk_live(pool);
	u32 r = tpc_random(w);
	struct tpc_seen s;
	u64 stamp;

	if (tpc_read(w, p, type, &s) != p->known[type].present) {
		tpc_bad(p, type, "is%s there, live %d",
			p->known[type].present ? " not" : "", live);
		return;
	}
	if (!p->known[type].present) {
		if (!live || r % 2)
			return;
		stamp = tpc_stamp(p, ++p->known[type].seq);
		if (!ops->new(p, stamp))
			tpc_bad(p, type, "cannot be attached");
		/* Pairs with the acquire in tpc_read(). */
		smp_store_release(&p->known[type].present, true);
		w->allocs++;
		return;
	}

	stamp = tpc_stamp(p, p->known[type].seq);
	/* What is being converted may be seen by its old layout. */
	if (s.stamp != stamp || s.life == TPC_DEAD ||
	    (s.life == TPC_MOVED && !s.old))
		tpc_bad(p, type, "life %u stamp %llx, not %llx", s.life,
			s.stamp, stamp);
	if (tpc_frees(r, live) && tpc_kind(p) != TPC_KEPT) {
		ops->free(p);
		p->known[type].present = false;
		w->frees++;
	} else if (r % 4 < 3) {
		/* An old value is not written: that would be lost. */
		stamp = tpc_stamp(p, p->known[type].seq + 1);
		if (ops->set(p, stamp))
			p->known[type].seq++;
	}
}

/* All tasks attach and free these, and know only that they are sound. */
static void tpc_share(struct tpc_worker *w, struct tpc_parent *p,
		      enum tpc_type type)
{
	const struct tpc_ops *ops = &tpc_ops[type];
	bool live = klp_sdk_live(pool);
	u32 r = tpc_random(w);
	struct tpc_seen s;

	if (tpc_frees(r, live)) {
		ops->free(p);
		w->frees++;
	} else if (r % 4 == 1 && live) {
		/* Under RCU: another task may free it at once. */
		rcu_read_lock();
		if (ops->get_or_new(p, tpc_stamp(p, r), &s)) {
			tpc_check(p, type, &s);
			w->allocs++;
		}
		rcu_read_unlock();
	} else {
		tpc_read(w, p, type, &s);
	}
}

/* A value that grew in place is one for both sides: nothing counted is lost. */
static void tpc_count(struct tpc_parent *p)
{
	TPC_GROW_T *v;

	rcu_read_lock();
	v = klp_sdk_shadow_get(grow, p);
	if (v) {
		atomic_long_inc(&v->hits);
#if TPC == 2
		atomic_long_inc(&v->since);
#endif
		atomic_long_inc(&p->hits);
	}
	rcu_read_unlock();
}

static void tpc_op(struct tpc_worker *w)
{
	u32 nr, type = tpc_random(w) % TPC_TYPES;
	struct tpc_parent *p;
	struct tpc_seen s;

	if (!(tpc_pool.types & BIT(type)))
		return;
	nr = (u32)atomic_inc_return(&tpc_pool.sweep) / TPC_SWEEP;
	nr = (nr + tpc_random(w) % TPC_NEAR) % TPC_PARENTS;
	if (tpc_random(w) % 2)
		nr += w->nr - nr % TPC_WORKERS;
	p = &tpc_pool.parents[nr];
	w->ops++;
	if (tpc_kind(p) == TPC_COMMON)
		tpc_share(w, p, type);
	else if (tpc_owner(p) == w->nr)
		tpc_own(w, p, type);
	else
		tpc_read(w, p, type, &s);
	if (tpc_kind(p) == TPC_KEPT && type == TPC_GROW)
		tpc_count(p);
}

static void tpc_each(struct tpc_parent *p, TPC_T *v, void *arg)
{
	int *nr = arg;

	++*nr;
	if (v->head.parent != p)
		tpc_bad(p, TPC_INDEXED, "listed for another parent");
}

/* No worker runs: what is there is what the owners know, no more and no less. */
static void tpc_check_type(struct tpc_parent *p, enum tpc_type type, int *nr)
{
	struct tpc_seen s = { };
	bool there;

	rcu_read_lock();
	there = tpc_find(p, type, &s);
	rcu_read_unlock();
	nr[type] += there;
	if (there)
		tpc_check(p, type, &s);
	if (atomic_read(&p->tokens[type]) != there ||
	    (there && s.life != TPC_LIVE))
		tpc_bad(p, type, "there %d life %u, %d values", there, s.life,
			atomic_read(&p->tokens[type]));
	if (tpc_kind(p) == TPC_COMMON)
		return;
	if (there != p->known[type].present ||
	    (there && s.stamp != tpc_stamp(p, p->known[type].seq)))
		tpc_bad(p, type, "there %d stamp %llx, known %d", there,
			s.stamp, p->known[type].present);
}

static void tpc_check_hits(struct tpc_parent *p)
{
	TPC_GROW_T *v = klp_sdk_shadow_get(grow, p);
	long hits = atomic_long_read(&p->hits);

	if (!v || tpc_kind(p) != TPC_KEPT)
		return;
	if (atomic_long_read(&v->hits) != hits)
		tpc_bad(p, TPC_GROW, "%ld hits, not %ld",
			atomic_long_read(&v->hits), hits);
#if TPC == 2
	if (atomic_long_read(&v->since) > hits)
		tpc_bad(p, TPC_GROW, "%ld since, of %ld",
			atomic_long_read(&v->since), hits);
#endif
}

static void tpc_check_all(struct seq_file *m)
{
	unsigned long ops = 0, allocs = 0, frees = 0, prevs = 0;
	int nr[TPC_TYPES] = { }, listed = 0, type, i;
	struct tpc_parent *p;
	struct tpc_worker *w;

	for (i = 0; i < TPC_PARENTS; i++) {
		p = &tpc_pool.parents[i];
		for (type = 0; type < TPC_TYPES; type++)
			tpc_check_type(p, type, nr);
		tpc_check_hits(p);
	}
	klp_sdk_shadow_each(indexed, tpc_each, &listed);
	if (listed != nr[TPC_INDEXED])
		tpc_bad(p, TPC_INDEXED, "%d listed of %d", listed,
			nr[TPC_INDEXED]);
	for (i = 0; i < TPC_WORKERS; i++) {
		w = &tpc_pool.workers[i];
		ops += w->ops;
		allocs += w->allocs;
		frees += w->frees;
		prevs += w->prevs;
	}
	seq_printf(m, "patch=%s bad=%d plain=%d indexed=%d grow=%d converted=%d",
		   KBUILD_MODNAME, atomic_read(&tpc_pool.bad), nr[TPC_PLAIN],
		   nr[TPC_INDEXED], nr[TPC_GROW],
		   atomic_read(&tpc_pool.converted));
	seq_printf(m, " ops=%lu allocs=%lu frees=%lu prevs=%lu\n", ops, allocs,
		   frees, prevs);
}

/* In place of tpc_show() of the pool. */
static int tpc_run(struct seq_file *m, void *v)
{
	struct tpc_worker *w = m->private;
	unsigned long end;
	int i;

	if (!w) {
		tpc_check_all(m);
		return 0;
	}
	end = jiffies + msecs_to_jiffies(w->linger);
	do {
		for (i = 0; i < TPC_BATCH; i++)
			tpc_op(w);
		cond_resched();
	} while (time_before(jiffies, end));
	return 0;
}

static struct klp_func tpc_funcs[] = {
	{ .old_name = "tpc_show", .new_func = tpc_run },
	{ }
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT("tp_smp", tpc_funcs)),
	      .states	= KLP_SDK_STATES(&pool),
	      .replace	= true);

MODULE_DESCRIPTION("klp-sdk test patch");
MODULE_LICENSE("GPL");

#endif /* _TPC_H */
