// SPDX-License-Identifier: GPL-2.0
/* Leaves what has a name when it is loaded for good: each time another one. */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/proc_fs.h>

#include "../raw.h"

static const struct file_operations no_fops;
static struct kobject *kobject;
static struct task_struct *thread;
static bool done;

static int thread_fn(void *data)
{
	return 0;
}

static void post_patch(struct klp_object *obj)
{
	unsigned long long now = ktime_get_ns();
	char name[32];

	if (done)
		return;
	done = true;
	snprintf(name, sizeof(name), "smoke_dir%llu", now);
	proc_mkdir(name, NULL);
	debugfs_create_dir(name, NULL);
	kobject = kobject_create_and_add(name, kernel_kobj);
	if (register_chrdev(0, "smoke_chrdev", &no_fops) < 0)
		pr_err("no device number\n");
	/* It is never woken, so none of this module's code runs in it. */
	thread = kthread_create(thread_fn, NULL, "smoke_thread");
}

RAW_PATCH(.post_patch = post_patch);
MODULE_DESCRIPTION("klp-sdk test: leaves names");
