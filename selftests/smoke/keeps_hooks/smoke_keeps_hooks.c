// SPDX-License-Identifier: GPL-2.0
/* Leaves what leads into its code: a notifier, a timer, a delayed work item. */
#include <linux/reboot.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "../raw.h"

static int on_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	return NOTIFY_DONE;
}

static struct notifier_block reboot_nb = { .notifier_call = on_reboot };

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
	return register_reboot_notifier(&reboot_nb);
}

RAW_PATCH(.pre_patch = pre_patch);
MODULE_DESCRIPTION("klp-sdk test: leaves hooks");
