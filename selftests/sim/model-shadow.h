/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of the oracle that is about shadow variables: the values of the types of tps.h,
 * which its patches attach to the parents of tp_pool.
 */
#ifndef _KLP_SDK_MODEL_SHADOW_H
#define _KLP_SDK_MODEL_SHADOW_H

#include "sim.h"

#define MAX_VALUES	1024	/* of type index; more than sim_bulk[] has */

struct value {
	unsigned char layout;	/* the version that it has, 0: there is none */
	unsigned char born, from;
	unsigned short count;
};

struct values {
	unsigned char unknown;	/* nothing is expected any more, see values_event() */
	unsigned char owner;	/* 1 + the patch that has the state */
	unsigned char phases[SIM_NR_PATCHES];	/* of those that have a record of it */
	unsigned char apart[SIM_NR_PATCHES];	/* it is another record than the owner's */
	unsigned char born[SIM_NR_PARENTS];
	struct value of[SIM_NR_TYPES][SIM_NR_PARENTS];
	/* Type index: parents behind those above that have one, as the owner has them */
	unsigned char more[MAX_VALUES / 8];
};

/* Fills in what @event must do to values; @want has all else already. */
void values_event(struct values *v, const struct sim_event *event,
		  const struct sim_seen *got, struct sim_seen *want);
int values_sensible(const struct values *v, const struct sim_event *event);

#endif /* _KLP_SDK_MODEL_SHADOW_H */
