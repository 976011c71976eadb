// SPDX-License-Identifier: GPL-2.0
/* Leaves what leads into its code: a notifier, a timer, a delayed work item. */
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "../raw.h"

static int on_panic(struct notifier_block *nb, unsigned long action, void *data)
{
	return NOTIFY_DONE;
}

static struct notifier_block panic_nb = { .notifier_call = on_panic };

static void on_timer(struct timer_list *timer)
{
}

static DEFINE_TIMER(timer, on_timer);

static void on_work(struct work_struct *work)
{
}

static DECLARE_DELAYED_WORK(work, on_work);

static int pre_patch(struct klp_object *obj)
{
	mod_timer(&timer, jiffies + 3600 * HZ);
	schedule_delayed_work(&work, 3600 * HZ);
	return atomic_notifier_chain_register(&panic_notifier_list, &panic_nb);
}

RAW_PATCH(.pre_patch = pre_patch);
MODULE_DESCRIPTION("klp-sdk test: leaves hooks");
