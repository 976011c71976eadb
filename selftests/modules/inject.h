/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes one allocation of the engine fail, and lets other CPUs go on where they may
 * meet with it, in test modules only: this file is put before the engine's
 * sources by the Kbuild file of this folder, so that the sources themselves carry
 * nothing for tests.
 */
#ifndef _TP_INJECT_H
#define _TP_INJECT_H

#include <linux/livepatch.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "tp_hash.h"
#include "../../sdk/front.h"

/* The module's parameter: 1 lets its first allocation fail, and so on. */
extern int tp_fail_alloc;

static inline bool tp_inject(void)
{
	return tp_fail_alloc && --tp_fail_alloc == 0;
}

static inline void *tp_kzalloc(size_t size, gfp_t flags)
{
	return !(flags & __GFP_NOFAIL) && tp_inject() ? NULL :
		kzalloc(size, flags);
}

static inline void *tp_lasting(size_t size, gfp_t flags)
{
	return !(flags & __GFP_NOFAIL) && tp_inject() ? NULL :
		klp_sdk_compat_kzalloc(size, flags);
}

static inline void *tp_lasting_kv(size_t size)
{
	return tp_inject() ? NULL : klp_sdk_compat_kvzalloc(size);
}

static inline void *tp_shadow_get_or_alloc(void *obj, unsigned long id,
					   size_t size, gfp_t flags,
					   klp_shadow_ctor_t ctor, void *data)
{
	return tp_inject() ? NULL :
		klp_shadow_get_or_alloc(obj, id, size, flags, ctor, data);
}

static inline unsigned int tp_random(void)
{
	static unsigned int seed;

	WRITE_ONCE(seed, READ_ONCE(seed) * 1664525 + 1013904223);
	return READ_ONCE(seed) >> 28;
}

/*
 * Whether a get asks the front of an index or the index itself is left to chance,
 * for there must be no difference.
 */
#define klp_sdk_front_asked(table)	(tp_random() & 1)
#undef KLP_SDK_FRONT_VALUES
#define KLP_SDK_FRONT_VALUES		TP_FRONT_VALUES

/*
 * QEMU's CPUs take turns at a pause, and seldom elsewhere. Mostly none, or so few that
 * both are in the engine, sometimes enough for the other to be done with all of it.
 */
static inline void tp_window(void)
{
	unsigned int i = tp_random();

	for (i = i < 8 ? 0 : i < 15 ? i - 7 : 200; i; i--)
		cpu_relax();
}

static inline void *tp_shadow_get(void *obj, unsigned long id)
{
	void *data;

	tp_window();
	data = klp_shadow_get(obj, id);
	tp_window();
	return data;
}

static inline void tp_shadow_free(void *obj, unsigned long id,
				  klp_shadow_dtor_t dtor)
{
	tp_window();
	klp_shadow_free(obj, id, dtor);
}

static inline void *tp_lookup(struct rhashtable *ht, const void *key,
			      const struct rhashtable_params params)
{
	void *obj;

	tp_window();
	obj = rhashtable_lookup(ht, key, params);
	tp_window();
	return obj;
}

static inline void *tp_insert(struct rhashtable *ht, struct rhash_head *obj,
			      const struct rhashtable_params params)
{
	void *other;

	tp_window();
	/* As when many of them outrun the index's worker. */
	if (!tp_random() && !tp_random())
		return ERR_PTR(-EBUSY);
	other = rhashtable_lookup_get_insert_fast(ht, obj, params);
	tp_window();
	return other;
}

static inline int tp_remove(struct rhashtable *ht, struct rhash_head *obj,
			    const struct rhashtable_params params)
{
	int ret;

	tp_window();
	ret = rhashtable_remove_fast(ht, obj, params);
	tp_window();
	return ret;
}

static inline int tp_replace(struct rhashtable *ht, struct rhash_head *old,
			     struct rhash_head *obj,
			     const struct rhashtable_params params)
{
	int ret, i;

	tp_window();
	ret = rhashtable_replace_fast(ht, old, obj, params);
	/* There are few of these. */
	for (i = 200; i; i--)
		cpu_relax();
	return ret;
}

static inline void *tp_walk_next(struct rhashtable_iter *iter)
{
	void *obj = rhashtable_walk_next(iter);

	tp_window();
	return obj;
}

static inline void *tp_shadow_alloc(void *obj, unsigned long id, size_t size,
				    gfp_t flags, klp_shadow_ctor_t ctor,
				    void *data)
{
	tp_window();
	return klp_shadow_alloc(obj, id, size, flags, ctor, data);
}

#undef kzalloc
#undef kcalloc
#define kzalloc(size, flags)		tp_kzalloc(size, flags)
#define kcalloc(n, size, flags)		tp_kzalloc((n) * (size), flags)
#define klp_sdk_compat_kzalloc		tp_lasting
#define klp_sdk_compat_kvzalloc		tp_lasting_kv
#define klp_shadow_get_or_alloc		tp_shadow_get_or_alloc
#define klp_shadow_get			tp_shadow_get
#define klp_shadow_alloc		tp_shadow_alloc
#define klp_shadow_free			tp_shadow_free
#define rhashtable_lookup		tp_lookup
#define rhashtable_lookup_get_insert_fast tp_insert
#define rhashtable_remove_fast		tp_remove
#define rhashtable_replace_fast		tp_replace
#define rhashtable_walk_next		tp_walk_next

#endif /* _TP_INJECT_H */
