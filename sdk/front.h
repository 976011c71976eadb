/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The front of an index: what makes a get among few values as fast as the core's.
 *
 * An index hashes with the kernel's jhash2(), which alone takes two thirds of the
 * instructions of a klp_shadow_get() that finds its value at once. The front is an array
 * of words, of which a parent has one, by a hash of one multiplication:
 *
 *   0		no parent of this word has a value
 *   a node	that parent's value; no other parent of the word has one
 *   MORE	is added if there are values that only the index knows
 *
 * The index has all values, the front never says anything else. So a change of the
 * index begins with klp_sdk_front_hush(), from where on it is the index that is asked,
 * and ends with klp_sdk_front_tell(), both under the lock of the parent. A value that
 * comes gets the word if no other one has it, and keeps it as long as it lives.
 */
#ifndef _KLP_SDK_FRONT_H
#define _KLP_SDK_FRONT_H

#include <linux/compiler.h>
#include <linux/hash.h>
#include <linux/spinlock.h>
#include <asm/barrier.h>

#include "record.h"

/* With more values the front knows less than a third of them. */
#define KLP_SDK_FRONT_VALUES	(3 * KLP_SDK_FRONT_WORDS)

/* The word of @parent, from 0 to KLP_SDK_FRONT_WORDS - 1. */
static inline u32 klp_sdk_front_slot(const void *parent)
{
	return hash_ptr(parent, KLP_SDK_FRONT_BITS);
}

/* Neighbours share a lock, so that no line of the cache has words of two. */
static inline spinlock_t *
klp_sdk_front_lock(struct klp_sdk_shadow_table *table, const void *parent)
{
	return &table->locks[klp_sdk_front_slot(parent) /
			     (KLP_SDK_FRONT_WORDS / KLP_SDK_FRONT_LOCKS)].lock;
}

static inline struct klp_sdk_shadow_node *klp_sdk_front_node(unsigned long word)
{
	return (struct klp_sdk_shadow_node *)(word & ~KLP_SDK_FRONT_MORE);
}

/* Is it worth to ask the front before the index? They say the same. */
static __always_inline bool
klp_sdk_front_asked(const struct klp_sdk_shadow_table *table)
{
	return !READ_ONCE(table->crowded);
}

/*
 * A value has come or gone: with more than @most it is not, until half of them have
 * gone. All readers have the line in their caches, so it is seldom written.
 */
static inline void klp_sdk_front_count(struct klp_sdk_shadow_table *table, int most)
{
	int nr = atomic_read(&table->ht.nelems);
	bool crowded = READ_ONCE(table->crowded);

	if (crowded ? nr < most / 2 : nr > most)
		WRITE_ONCE(table->crowded, !crowded);
}

/* Does the front know what @parent has? Then that is in @node, or NULL. Under RCU. */
static __always_inline bool
klp_sdk_front_find(const struct klp_sdk_shadow_front *front, const void *parent,
		   struct klp_sdk_shadow_node **node)
{
	unsigned long word;

	/* Pairs with the release in klp_sdk_front_tell(). */
	word = smp_load_acquire(&front->words[klp_sdk_front_slot(parent)]);
	*node = klp_sdk_front_node(word);
	if (*node && (*node)->parent == parent)
		return true;
	*node = NULL;
	return !(word & KLP_SDK_FRONT_MORE);
}

/* Before a change of the index. Returns the node that has the word of @parent. */
static inline struct klp_sdk_shadow_node *
klp_sdk_front_hush(struct klp_sdk_shadow_front *front, const void *parent)
{
	u32 slot = klp_sdk_front_slot(parent);
	struct klp_sdk_shadow_node *node = klp_sdk_front_node(front->words[slot]);

	/* Seen before the change is: an index changes by rcu_assign_pointer(). */
	WRITE_ONCE(front->words[slot], KLP_SDK_FRONT_MORE);
	return node;
}

/*
 * After it: @node, which may be NULL, has the word of @parent, and the word's parents
 * have @more values more.
 */
static inline void klp_sdk_front_tell(struct klp_sdk_shadow_front *front,
				      const void *parent,
				      const struct klp_sdk_shadow_node *node,
				      int more)
{
	u32 slot = klp_sdk_front_slot(parent);
	unsigned long word = (unsigned long)node;

	front->nr[slot] += more;
	if (front->nr[slot] > (node ? 1 : 0))
		word |= KLP_SDK_FRONT_MORE;
	/* Whoever sees the node sees what it is, and the index with it. */
	smp_store_release(&front->words[slot], word);
}

#endif /* _KLP_SDK_FRONT_H */
