/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory, locks, timers and work items in a state's data, which outlives the
 * module that made it.
 */
#ifndef _KLP_SDK_LASTING_H
#define _KLP_SDK_LASTING_H

#include <linux/bitops.h>
#include <linux/irqflags.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include <klp-sdk/compat.h>
#include <klp-sdk/sparse.h>

/**
 * DOC: What must not stay behind in a module
 *
 * After a hand-off the replaced patch's module can be unloaded. What the data
 * holds must not lead into it any more:
 *
 * ==================  =======================================================
 * in the data         what leads into the module, and what to do
 * ==================  =======================================================
 * mutex, spinlock     lockdep's key and name, which mutex_init() and the like
 *                     put into the module: klp_sdk_mutex_init() and the like
 * timer               its function: klp_sdk_timer_setup(), and
 *                     klp_sdk_timer_adopt() in .adopt
 * work item           its function: klp_sdk_work_init(), and
 *                     klp_sdk_work_adopt() in .adopt
 * notifier, hook      its function: in .adopt write the new one, then wait
 *                     for callers of the old one; see examples/notifier
 * RCU callback        its function: use kfree_rcu(), or rcu_barrier() in .adopt
 *                     and in .post_unpatch
 * allocation          its tag, with CONFIG_MEM_ALLOC_PROFILING (6.10), which
 *                     kmalloc() and the like put into the module:
 *                     klp_sdk_kzalloc() and the like
 * pointer to a table  copy it into memory of its own, or re-point it in
 * or a string         .adopt
 * ==================  =======================================================
 *
 * The kernel's stack checks see none of the asynchronous ones: stop them in
 * .pre_unpatch. .post_unpatch does not run any more once a transition was forced.
 *
 * An object that is converted is freed, and so are locks in it: a state with
 * locks should grow, or keep them in an allocation of their own.
 */

/**
 * klp_sdk_kzalloc() - kzalloc() for memory that outlives the module
 * @size:	bytes
 * @gfp:	GFP_*
 *
 * For all that a state's data or a shadow variable points to, and whatever else a
 * later patch frees. The data and the shadow variables themselves are allocated so.
 * The kernel's own kzalloc() works as well until somebody turns on
 * CONFIG_MEM_ALLOC_PROFILING, by the sysctl vm.mem_profiling: it then warns when the
 * module is unloaded, and up to 6.14 the free of the memory writes to counters that
 * another module may own.
 *
 * Context: as for kzalloc(). Ownership: free it with kfree(), in any module.
 *
 * Return: zeroed memory, or NULL.
 */
static inline void *klp_sdk_kzalloc(size_t size, gfp_t gfp)
{
	return klp_sdk_compat_kzalloc(size, gfp);
}

/**
 * klp_sdk_kvzalloc() - kvzalloc() for memory that outlives the module
 * @size:	bytes
 *
 * For what may be large. As klp_sdk_kzalloc(), with GFP_KERNEL.
 *
 * Context: process context; may sleep. Ownership: free it with kvfree(), in any module.
 *
 * Return: zeroed memory, or NULL.
 */
static inline void *klp_sdk_kvzalloc(size_t size)
{
	return klp_sdk_compat_kvzalloc(size);
}

/**
 * klp_sdk_kmemdup() - kmemdup() for a copy that outlives the module
 * @src:	what is copied
 * @size:	its bytes
 * @gfp:	GFP_*
 *
 * As klp_sdk_kzalloc().
 *
 * Context: as for kmemdup(). Ownership: free it with kfree(), in any module.
 *
 * Return: the copy, or NULL.
 */
static inline void *klp_sdk_kmemdup(const void *src, size_t size, gfp_t gfp)
{
	void *copy = klp_sdk_kzalloc(size, gfp);

	return copy ? memcpy(copy, src, size) : NULL;
}

/**
 * klp_sdk_kstrdup() - kstrdup() for a string that outlives the module
 * @string:	what is copied
 * @gfp:	GFP_*
 *
 * As klp_sdk_kzalloc().
 *
 * Context: as for kstrdup(). Ownership: free it with kfree(), in any module.
 *
 * Return: the copy, or NULL, also if @string is NULL.
 */
static inline char *klp_sdk_kstrdup(const char *string, gfp_t gfp)
{
	return string ? klp_sdk_kmemdup(string, strlen(string) + 1, gfp) : NULL;
}

/**
 * struct klp_sdk_lock_class - Lockdep's class of a lock, timer or work item
 * @key:	lockdep's key
 * @name:	what lockdep's reports call it
 *
 * In the state's data, or in other kmalloc() memory that lives as long as what
 * uses it. Several locks may share a class if they are of one kind. Only lockdep
 * needs it, but it is there in all kernels, so that one source serves all.
 */
struct klp_sdk_lock_class {
	struct lock_class_key key;
	char name[24];
};

/**
 * klp_sdk_lock_class_init() - Register a class with lockdep
 * @class:	in kmalloc() memory, zeroed
 * @name:	copied
 *
 * Context: process context, in a function of the state that is marked
 * __klp_sdk_callback, usually .pre_patch. Ownership: undo it with
 * klp_sdk_lock_class_destroy() before the memory is freed, usually in
 * .post_unpatch.
 */
static __klp_sdk_inline void
klp_sdk_lock_class_init(struct klp_sdk_lock_class *class, const char *name)
	__klp_sdk_callback
{
	strscpy(class->name, name, sizeof(class->name));
	lockdep_register_key(&class->key);
}

/**
 * klp_sdk_lock_class_destroy() - Take a class from lockdep
 * @class:	what klp_sdk_lock_class_init() registered
 *
 * Nothing of the class is used any more: locks are free, timers and work items
 * are cancelled.
 *
 * Context: as for klp_sdk_lock_class_init(); may sleep under lockdep.
 */
static __klp_sdk_inline void
klp_sdk_lock_class_destroy(struct klp_sdk_lock_class *class)
	__klp_sdk_callback
{
	lockdep_unregister_key(&class->key);
}

/**
 * klp_sdk_mutex_init() - mutex_init() for a mutex that outlives the module
 * @lock:	the mutex
 * @class:	its class
 *
 * Context: any, before the mutex is used.
 */
static inline void klp_sdk_mutex_init(struct mutex *lock,
				      struct klp_sdk_lock_class *class)
{
	mutex_init(lock);
	lockdep_set_class_and_name(lock, &class->key, class->name);
}

/**
 * klp_sdk_spin_lock_init() - spin_lock_init() for one that outlives the module
 * @lock:	the spinlock
 * @class:	its class
 *
 * Context: any, before the spinlock is used.
 */
static inline void klp_sdk_spin_lock_init(spinlock_t *lock,
					  struct klp_sdk_lock_class *class)
{
	spin_lock_init(lock);
	lockdep_set_class_and_name(lock, &class->key, class->name);
}

/**
 * klp_sdk_rwsem_init() - init_rwsem() for one that outlives the module
 * @lock:	the semaphore
 * @class:	its class
 *
 * Context: any, before the semaphore is used.
 */
static inline void klp_sdk_rwsem_init(struct rw_semaphore *lock,
				      struct klp_sdk_lock_class *class)
{
	init_rwsem(lock);
	lockdep_set_class_and_name(lock, &class->key, class->name);
}

/* Timers and work items have a map that is no lock's, and only with lockdep. */
static inline void __klp_sdk_timer_set_class(struct timer_list *timer,
					     struct klp_sdk_lock_class *class)
{
#ifdef CONFIG_LOCKDEP
	lockdep_init_map(&timer->lockdep_map, class->name, &class->key, 0);
#endif
}

static inline void __klp_sdk_work_set_class(struct work_struct *work,
					    struct klp_sdk_lock_class *class)
{
#ifdef CONFIG_LOCKDEP
	lockdep_init_map(&work->lockdep_map, class->name, &class->key, 0);
#endif
}

/**
 * klp_sdk_timer_setup() - timer_setup() for a timer that outlives the module
 * @timer:	the timer
 * @fn:		its function
 * @flags:	TIMER_*
 * @class:	its class
 *
 * Context: any, before the timer is used. Ownership: each patch that takes the
 * state over calls klp_sdk_timer_adopt().
 */
static inline void klp_sdk_timer_setup(struct timer_list *timer,
				       void (*fn)(struct timer_list *timer),
				       unsigned int flags,
				       struct klp_sdk_lock_class *class)
{
	timer_setup(timer, fn, flags);
	__klp_sdk_timer_set_class(timer, class);
}

/**
 * klp_sdk_timer_adopt() - Give a timer this module's function, in .adopt
 * @timer:	set up by klp_sdk_timer_setup() in a replaced patch
 * @fn:		its function from now on
 *
 * Waits for the old function if it runs. Whether and when the timer is to expire
 * does not change.
 *
 * Context: process context, in an .adopt that is marked __klp_sdk_callback; may
 * sleep.
 */
static __klp_sdk_inline void
klp_sdk_timer_adopt(struct timer_list *timer,
		    void (*fn)(struct timer_list *timer))
	__klp_sdk_callback
{
	WRITE_ONCE(timer->function, fn);
	/* Timers read it and call it in softirq, which is a reader of RCU. */
	synchronize_rcu();
}

/**
 * klp_sdk_work_init() - INIT_WORK() for a work item that outlives the module
 * @work:	the work item
 * @fn:		its function
 * @class:	its class
 *
 * Context: any, before the work item is used. Ownership: each patch that takes
 * the state over calls klp_sdk_work_adopt().
 */
static inline void klp_sdk_work_init(struct work_struct *work, work_func_t fn,
				     struct klp_sdk_lock_class *class)
{
	INIT_WORK(work, fn);
	__klp_sdk_work_set_class(work, class);
}

/*
 * Set the function of a work item unless it is queued or runs. The pending bit
 * keeps everybody from queueing it meanwhile; who does so with interrupts on
 * could be waited for in vain by mod_delayed_work() in an interrupt.
 */
static inline bool __klp_sdk_work_set(struct work_struct *work, work_func_t fn)
{
	unsigned long flags;
	bool done = false;

	local_irq_save(flags);
	if (!test_and_set_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(work))) {
		/* Looks for a worker that runs the item with its function. */
		done = !(work_busy(work) & WORK_BUSY_RUNNING);
		if (done)
			WRITE_ONCE(work->func, fn);
		/* The function, before anybody can queue the item. */
		clear_bit_unlock(WORK_STRUCT_PENDING_BIT, work_data_bits(work));
	}
	local_irq_restore(flags);

	return done;
}

/**
 * klp_sdk_work_adopt() - Give a work item this module's function, in .adopt
 * @work:	set up by klp_sdk_work_init() in a replaced patch
 * @fn:		its function from now on
 *
 * Cancels the item and waits for the old function if it runs. Queue it again
 * afterwards if there may be something to do: an item that was queued, that
 * queues itself, or that somebody queued meanwhile, is not queued any more.
 *
 * Context: as for klp_sdk_timer_adopt(). Do not hold a lock that the function
 * takes. The function must not load a module: .adopt runs under klp_mutex.
 */
static __klp_sdk_inline void
klp_sdk_work_adopt(struct work_struct *work, work_func_t fn)
	__klp_sdk_callback
{
	/*
	 * The function last: the workqueue finds the worker that runs an item by
	 * both, and would not wait for the old one.
	 */
	do {
		cancel_work_sync(work);
	} while (!__klp_sdk_work_set(work, fn));
}

/**
 * klp_sdk_delayed_work_init() - INIT_DELAYED_WORK() for what outlives the module
 * @dwork:	the work item
 * @fn:		its function
 * @class:	its class
 * @timer_class: the class of its timer; not the same as @class
 *
 * Context: any, before the work item is used. Ownership: each patch that takes
 * the state over calls klp_sdk_delayed_work_adopt().
 */
static inline void
klp_sdk_delayed_work_init(struct delayed_work *dwork, work_func_t fn,
			  struct klp_sdk_lock_class *class,
			  struct klp_sdk_lock_class *timer_class)
{
	INIT_DELAYED_WORK(dwork, fn);
	__klp_sdk_work_set_class(&dwork->work, class);
	__klp_sdk_timer_set_class(&dwork->timer, timer_class);
}

/**
 * klp_sdk_delayed_work_adopt() - Give it this module's function, in .adopt
 * @dwork:	set up by klp_sdk_delayed_work_init() in a replaced patch
 * @fn:		its function from now on
 *
 * As klp_sdk_work_adopt(), also of what is to be queued later.
 *
 * Context: as for klp_sdk_work_adopt().
 */
static __klp_sdk_inline void
klp_sdk_delayed_work_adopt(struct delayed_work *dwork, work_func_t fn)
	__klp_sdk_callback
{
	do {
		cancel_delayed_work_sync(dwork);
	} while (!__klp_sdk_work_set(&dwork->work, fn));
}

#endif /* _KLP_SDK_LASTING_H */
