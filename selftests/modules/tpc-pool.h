/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parents that several tasks give shadow variables to, and what each task
 * knows of its own. In a module, because it must outlive the patches.
 */
#ifndef _TPC_POOL_H
#define _TPC_POOL_H

#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/types.h>

#define TPC_WORKERS	6
#define TPC_PARENTS	(TPC_WORKERS * 64)

enum tpc_type {
	TPC_PLAIN,
	TPC_INDEXED,
	TPC_GROW,
	TPC_TYPES,
};

/*
 * Who may do what with a parent's shadow variables. What belongs to nobody is sound
 * or not there, what has an owner is what he knows.
 */
enum tpc_kind {
	TPC_COMMON,	/* all tasks attach and free them */
	TPC_KEPT,	/* the owner attaches them once, all tasks count in them */
	TPC_OWNED,	/* the owner attaches, writes and frees them */
	TPC_OWNED_TOO,
	TPC_KINDS,
};

/**
 * struct tpc_parent - What shadow variables are attached to
 * @nr:		which of all parents
 * @known:	what the owner knows of each shadow variable, used by no other task
 * @tokens:	values that a ctor has made and no dtor released
 * @hits:	what the value of %TPC_GROW must have counted if it is kept
 */
struct tpc_parent {
	u32 nr;
	struct {
		bool present;
		u32 seq;
	} known[TPC_TYPES];
	atomic_t tokens[TPC_TYPES];
	atomic_long_t hits;
};

/**
 * struct tpc_worker - One task at a time
 * @nr:		which of all workers
 * @linger:	how long it stays in the patched function, in milliseconds
 * @random:	state of the random numbers
 * @ops:	operations done
 * @allocs:	values attached
 * @frees:	values freed
 * @prevs:	values that were found in their old layout
 */
struct tpc_worker {
	u32 nr, linger, random;
	unsigned long ops, allocs, frees, prevs;
};

/*
 * All tasks go through the parents together, so that they meet: this many operations
 * before the next parent, on one of so many.
 */
#define TPC_SWEEP	8
#define TPC_NEAR	8

struct tpc_pool {
	unsigned int types;
	bool converting;	/* since the first conversion */
	atomic_t bad, converted, sweep;
	struct tpc_parent parents[TPC_PARENTS];
	struct tpc_worker workers[TPC_WORKERS];
};

extern struct tpc_pool tpc_pool;

static inline u32 tpc_owner(const struct tpc_parent *p)
{
	return p->nr % TPC_WORKERS;
}

static inline enum tpc_kind tpc_kind(const struct tpc_parent *p)
{
	return p->nr / TPC_WORKERS % TPC_KINDS;
}

/* One word that tells whether it was written as a whole, and for this parent. */
static inline u64 tpc_stamp(const struct tpc_parent *p, u32 seq)
{
	return (u64)seq << 32 | hash_32(seq * TPC_PARENTS + p->nr, 32);
}

static inline bool tpc_stamped(const struct tpc_parent *p, u64 stamp)
{
	return stamp == tpc_stamp(p, stamp >> 32);
}

static inline u32 tpc_random(struct tpc_worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 17;
	w->random ^= w->random << 5;
	return w->random;
}

#endif /* _TPC_POOL_H */
