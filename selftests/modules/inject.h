/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes one allocation of the engine fail, in test modules only: this file is
 * put before the engine's sources by the Kbuild file of this folder, so that
 * the sources themselves carry nothing for tests.
 */
#ifndef _TP_INJECT_H
#define _TP_INJECT_H

#include <linux/livepatch.h>
#include <linux/slab.h>

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

static inline void *tp_shadow_get_or_alloc(void *obj, unsigned long id,
					   size_t size, gfp_t flags,
					   klp_shadow_ctor_t ctor, void *data)
{
	return tp_inject() ? NULL :
		klp_shadow_get_or_alloc(obj, id, size, flags, ctor, data);
}

#undef kzalloc
#undef kcalloc
#define kzalloc(size, flags)		tp_kzalloc(size, flags)
#define kcalloc(n, size, flags)		tp_kzalloc((n) * (size), flags)
#define klp_shadow_get_or_alloc		tp_shadow_get_or_alloc

#endif /* _TP_INJECT_H */
