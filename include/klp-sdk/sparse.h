/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What sparse is told about the interface. Nothing of this is left for a compiler.
 */
#ifndef _KLP_SDK_SPARSE_H
#define _KLP_SDK_SPARSE_H

#include <linux/rcupdate.h>

/**
 * DOC: What sparse checks
 *
 * Run it as for any module, with ``C=1 CF=-Wsparse-error`` to have the build fail.
 * Besides what it knows of the kernel, it warns where
 *
 * - an id is a plain number, or that of another kind: klp_sdk_state_id_t and
 *   klp_sdk_shadow_id_t;
 * - a predecessor's object is used as if it was this patch's: __klp_sdk_prev;
 * - such an object is looked for or read outside rcu_read_lock();
 * - what only a state's functions may do is done elsewhere: __klp_sdk_callback.
 *
 * __klp_sdk_prev stands before the ``*`` of a pointer, __klp_sdk_callback behind the
 * parameters of a function that is called in a state's functions only, or is one.
 */

#ifdef __CHECKER__
# define __klp_sdk_prev							\
	__attribute__((noderef, address_space(__klp_sdk_prev)))

/*
 * A call of a function with __must_hold(), context (1, 1), is not checked by sparse:
 * nothing is taken or dropped. What it does check is a negative first number: the
 * caller must then have as much as the second one says. That is the first entry. The
 * others do nothing to a call; they bring the sums to 1 and 1, which is what sparse
 * goes by in the function itself: held when it begins and when it returns.
 */
# define __klp_sdk_callback						\
	__attribute__((context(KLP_SDK_CALLBACK, -1, 1),		\
		       context(KLP_SDK_CALLBACK, 2, 2),			\
		       context(KLP_SDK_CALLBACK, 0, -1),		\
		       context(KLP_SDK_CALLBACK, 0, -1)))

/* Sparse has no contexts for what it inlines, and would name a line of a header. */
# define __klp_sdk_inline	__maybe_unused
#else
# define __klp_sdk_prev
# define __klp_sdk_callback
# define __klp_sdk_inline	inline
#endif

/**
 * klp_sdk_dereference() - Use an object that the replaced patch has made
 * @_prev:	what klp_sdk_prev() or klp_sdk_shadow_prev() returned
 *
 * As rcu_dereference() is for __rcu. Sparse warns where such an object is used
 * without this. The function of a conversion and .adopt need it not: theirs is given
 * to them as a plain pointer.
 *
 * Context: under the rcu_read_lock() under which @_prev was found.
 *
 * Return: @_prev, as a plain pointer.
 */
#define klp_sdk_dereference(_prev)					\
({									\
	__klp_sdk_prev typeof(*(_prev)) *__old = (_prev);		\
									\
	klp_sdk_compat_under_rcu();					\
	RCU_LOCKDEP_WARN(!rcu_read_lock_held(),				\
			 "klp_sdk_dereference() outside RCU");		\
	(__force typeof(*__old) *)__old;				\
})

#endif /* _KLP_SDK_SPARSE_H */
