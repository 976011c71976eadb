/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What both versions of the patch agree on: the ids, and every layout of the
 * shadow variable, a lock and what it guards, which each sequential file (struct
 * seq_file) has that was opened with data of its own, such as /proc/PID/maps.
 */
#ifndef _COLUMNS_H
#define _COLUMNS_H

#include <linux/fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <klp-sdk/klp-sdk.h>

#define SEQS_STATE	KLP_SDK_STATE_ID(4)
#define COLUMNS_SHADOW	KLP_SDK_SHADOW_ID(4)

/* Room for later versions in each shadow variable. */
#define COLUMNS_RESERVE	256

/* The lock's class must outlive the modules, and is the same for all files. */
struct seqs {
	struct klp_sdk_lock_class class;
};

/* Columns of a file that were padded, and with how many blanks. */
struct columns_v1 {
	spinlock_t lock;	/* guards the others */
	unsigned long columns;
	unsigned long blanks;
};

struct columns {
	spinlock_t lock;	/* guards the others */
	unsigned long columns;
	unsigned long blanks;
	unsigned long widest;
};

/* Of all files. */
struct columns_sum {
	unsigned long files;
	unsigned long columns;
	unsigned long blanks;
	unsigned long widest;
};

#endif /* _COLUMNS_H */
