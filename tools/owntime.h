/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The time that a program had for its work, for limits that hold on a busy machine too.
 * Time in which the program waits for a processor or for a disk, or is stopped, does
 * not count; time in which it waits for anything else does.
 */
#ifndef KLP_SDK_OWNTIME_H
#define KLP_SDK_OWNTIME_H

#include <sys/types.h>

#define OWN_TIME_PERIOD_MS	200	/* call own_time() about that often */

struct own_time {
	pid_t pid;
	long ms;		/* since own_time_start(), or since the caller set it to 0 */
	long at_ms, cpu_ms;	/* at the last call */
};

void own_time_start(struct own_time *t, pid_t pid);
/* Adds what @t's process and its descendants had since the last call */
long own_time(struct own_time *t);

#endif
