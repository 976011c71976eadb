/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test patches with a state that has locks, a timer and work items, all of which
 * outlive the module that made them. Each source sets TPT, its number.
 */
#ifndef _TPT_H
#define _TPT_H

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/seq_file.h>
#include <klp-sdk/klp-sdk.h>

/* Read by inject.h in the engine's objects. */
extern int tp_fail_alloc;
int tp_fail_alloc;

struct clock {
	struct mutex mutex;	/* guards works */
	spinlock_t lock;	/* guards ticks */
	struct rw_semaphore rwsem;	/* guards dworks */
	struct timer_list timer;
	struct work_struct work;
	struct delayed_work dwork;
	struct klp_sdk_lock_class mutex_class, lock_class, rwsem_class;
	struct klp_sdk_lock_class timer_class, work_class;
	struct klp_sdk_lock_class dwork_class, dwork_timer_class;
	int ticks, works, dworks;
	int timer_by, work_by, dwork_by;	/* whose function ran last */
};

static void clock_tick(struct timer_list *timer)
{
	struct clock *c = container_of(timer, struct clock, timer);

	spin_lock(&c->lock);
	c->ticks++;
	c->timer_by = TPT;
	spin_unlock(&c->lock);
	schedule_work(&c->work);
	mod_timer(timer, jiffies + HZ / 20);
}

static void clock_work(struct work_struct *work)
{
	struct clock *c = container_of(work, struct clock, work);

	mutex_lock(&c->mutex);
	c->works++;
	c->work_by = TPT;
	mutex_unlock(&c->mutex);
}

static void clock_dwork(struct work_struct *work)
{
	struct clock *c = container_of(work, struct clock, dwork.work);

	down_write(&c->rwsem);
	c->dworks++;
	c->dwork_by = TPT;
	up_write(&c->rwsem);
	/* Most of the time it is here, also when it is adopted. */
	msleep(200);
	schedule_delayed_work(&c->dwork, HZ / 20);
}

static int clock_pre_patch(struct clock *c) __klp_sdk_callback
{
	klp_sdk_lock_class_init(&c->mutex_class, "clock_mutex");
	klp_sdk_lock_class_init(&c->lock_class, "clock_lock");
	klp_sdk_lock_class_init(&c->rwsem_class, "clock_rwsem");
	klp_sdk_lock_class_init(&c->timer_class, "clock_timer");
	klp_sdk_lock_class_init(&c->work_class, "clock_work");
	klp_sdk_lock_class_init(&c->dwork_class, "clock_dwork");
	klp_sdk_lock_class_init(&c->dwork_timer_class, "clock_dwork_timer");
	klp_sdk_mutex_init(&c->mutex, &c->mutex_class);
	klp_sdk_spin_lock_init(&c->lock, &c->lock_class);
	klp_sdk_rwsem_init(&c->rwsem, &c->rwsem_class);
	klp_sdk_timer_setup(&c->timer, clock_tick, 0, &c->timer_class);
	klp_sdk_work_init(&c->work, clock_work, &c->work_class);
	klp_sdk_delayed_work_init(&c->dwork, clock_dwork, &c->dwork_class,
				  &c->dwork_timer_class);
	return 0;
}

static void clock_post_patch(struct clock *c)
{
	mod_timer(&c->timer, jiffies + HZ / 20);
	schedule_delayed_work(&c->dwork, HZ / 20);
}

static void clock_pre_unpatch(struct clock *c)
{
	timer_delete_sync(&c->timer);
	cancel_work_sync(&c->work);
	cancel_delayed_work_sync(&c->dwork);
}

static void clock_post_unpatch(struct clock *c) __klp_sdk_callback
{
	klp_sdk_lock_class_destroy(&c->mutex_class);
	klp_sdk_lock_class_destroy(&c->lock_class);
	klp_sdk_lock_class_destroy(&c->rwsem_class);
	klp_sdk_lock_class_destroy(&c->timer_class);
	klp_sdk_lock_class_destroy(&c->work_class);
	klp_sdk_lock_class_destroy(&c->dwork_class);
	klp_sdk_lock_class_destroy(&c->dwork_timer_class);
}

static void clock_adopt(struct clock *c, const void *old) __klp_sdk_callback
{
	klp_sdk_timer_adopt(&c->timer, clock_tick);
	/* The timer queues it again. */
	klp_sdk_work_adopt(&c->work, clock_work);
	/* This one queues itself, and no more. */
	klp_sdk_delayed_work_adopt(&c->dwork, clock_dwork);
	schedule_delayed_work(&c->dwork, HZ / 20);
}

KLP_SDK_STATE(clock, struct clock,
	      .id		= KLP_SDK_STATE_ID(301),
	      .version		= 1,
	      .pre_patch	= clock_pre_patch,
	      .post_patch	= clock_post_patch,
	      .pre_unpatch	= clock_pre_unpatch,
	      .post_unpatch	= clock_post_unpatch,
	      .adopt		= clock_adopt);

static int tpt_show(struct seq_file *m, void *v)
{
	struct clock *c = klp_sdk_data(clock);

	seq_printf(m, "patch=%s", KBUILD_MODNAME);
	mutex_lock(&c->mutex);
	down_read(&c->rwsem);
	spin_lock_bh(&c->lock);
	seq_printf(m, " ticks=%d works=%d dworks=%d", c->ticks, c->works,
		   c->dworks);
	seq_printf(m, " timer_by=%d work_by=%d dwork_by=%d\n", c->timer_by,
		   c->work_by, c->dwork_by);
	spin_unlock_bh(&c->lock);
	up_read(&c->rwsem);
	mutex_unlock(&c->mutex);
	return 0;
}

static struct klp_func tpt_funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = tpt_show },
	{ }
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, tpt_funcs)),
	      .states	= KLP_SDK_STATES(&clock),
	      .replace	= true);

MODULE_DESCRIPTION("klp-sdk test patch");
MODULE_LICENSE("GPL");

#endif /* _TPT_H */
