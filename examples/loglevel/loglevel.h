/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all versions of the patch agree on: the ids, and every layout that was
 * ever released. A layout that is out in the field is never edited again.
 */
#ifndef _LOGLEVEL_H
#define _LOGLEVEL_H

#include <linux/atomic.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <klp-sdk/klp-sdk.h>

#define LOGLEVEL_STATE	KLP_SDK_STATE_ID(1)
#define READS_STATE	KLP_SDK_STATE_ID(2)

/* The console's log level, raised while the fix is in place. */
struct loglevel_v1 {
	int saved;
};

struct loglevel {
	int raised;
	int saved;
	unsigned int handovers;
};

/* Reads of /proc/cmdline. Counted by old and new code at once, so it grows. */
struct reads_v1 {
	atomic_long_t total;
};

struct reads {
	atomic_long_t total;
	long before;
};

#endif /* _LOGLEVEL_H */
