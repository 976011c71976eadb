// SPDX-License-Identifier: GPL-2.0
/*
 * Does on purpose what the debug kernel's checkers are there for, so that a test
 * can see that they notice, and that a run then fails.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *bug = "";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "leak, overrun, stale, sleep, deadlock, timer or account");

static DEFINE_SPINLOCK(spin);
static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

struct timed {
	struct timer_list timer;
};

static void fire(struct timer_list *timer)
{
}

/* Several, since an address left on a stack hides an object from kmemleak. */
static int leak(void)
{
	int i;

	for (i = 0; i < 8; i++)
		if (!kzalloc(40, GFP_KERNEL))
			return -ENOMEM;
	return 0;
}

static int overrun(bool stale)
{
	char *object = kzalloc(40, GFP_KERNEL);

	if (!object)
		return -ENOMEM;
	OPTIMIZER_HIDE_VAR(object);
	if (!stale)
		object[40] = 1;
	kfree(object);
	OPTIMIZER_HIDE_VAR(object);
	return stale ? READ_ONCE(*object) : 0;
}

static int sleep(void)
{
	spin_lock(&spin);
	mutex_lock(&first);
	mutex_unlock(&first);
	spin_unlock(&spin);
	return 0;
}

/* Not both at once: that it could happen is enough. */
static int deadlock(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
	return 0;
}

static int timer(void)
{
	struct timed *timed = kzalloc(sizeof(*timed), GFP_KERNEL);

	if (!timed)
		return -ENOMEM;
	timer_setup(&timed->timer, fire, 0);
	mod_timer(&timed->timer, jiffies + HZ);
	kfree(timed);
	return 0;
}

/* The module is unloaded, what is accounted to it stays. */
static int account(void)
{
	void **kept = klp_shadow_alloc(NULL, 1, sizeof(*kept), GFP_KERNEL, NULL,
				       NULL);

	if (!kept)
		return -ENOMEM;
	*kept = kzalloc(40, GFP_KERNEL);
	return -ECANCELED;
}

static int __init klp_sdk_bug_init(void)
{
	if (!strcmp(bug, "leak"))
		return leak();
	if (!strcmp(bug, "overrun"))
		return overrun(false);
	if (!strcmp(bug, "stale"))
		return overrun(true);
	if (!strcmp(bug, "sleep"))
		return sleep();
	if (!strcmp(bug, "deadlock"))
		return deadlock();
	if (!strcmp(bug, "timer"))
		return timer();
	if (!strcmp(bug, "account"))
		return account();
	return -EINVAL;
}

static void __exit klp_sdk_bug_exit(void)
{
}

module_init(klp_sdk_bug_init);
module_exit(klp_sdk_bug_exit);

MODULE_DESCRIPTION("klp-sdk test: what the kernel's checkers must find");
MODULE_LICENSE("GPL");
