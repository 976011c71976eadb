/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What both versions of the patch agree on: the ids, and every layout. The patch
 * adds a pair to what opens and releases sequential files with data of their own,
 * such as /proc/PID/maps: a reference to the task that opened the file is taken
 * and put, and a file that another task closes is reported.
 *
 * A file that is opened before a transition is closed during it or after it, so
 * the pair is split. What was taken is in a shadow variable of the file: who puts
 * looks there, and nowhere else.
 */
#ifndef _OPENER_H
#define _OPENER_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <klp-sdk/klp-sdk.h>

#define PAIRS_STATE	KLP_SDK_STATE_ID(5)
#define OPENER_SHADOW	KLP_SDK_SHADOW_ID(5)

/* How many references were taken. */
struct pairs_v1 {
	atomic_long_t gets;
};

struct pairs {
	atomic_long_t gets;
	long before;
};

struct opener_v1 {
	struct pid *pid;
};

/* Since when the file is open; 0 if version 1 opened it. */
struct opener {
	ktime_t since;
	struct pid *pid;
};

static inline void opener_report(struct pid *pid)
{
	if (pid != task_pid(current))
		pr_info("%s: file opened by %d is closed by %d\n", KBUILD_MODNAME,
			pid_nr(pid), task_pid_nr(current));
}

#endif /* _OPENER_H */
