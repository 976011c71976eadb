/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the sources of the patches in selftests/modules say that others than the kernel
 * side need to know: the names of states, and which functions a patch changes.
 */
#ifndef _KLP_SDK_SIM_POOL_H
#define _KLP_SDK_SIM_POOL_H

#include "sim.h"

#define SIM_MAX_STATES	8
#define SIM_FUNC_BIT(_func)	(1u << (_func))

struct sim_pool_patch {
	const char *name;		/* without tp_ */
	const char *states[SIM_MAX_STATES + 1];	/* in the order listed, ended by NULL */
	unsigned char funcs;		/* SIM_FUNC_BIT() of those that it changes */
	unsigned char replace;		/* tp_raw: unless SIM_PAR_RAW_STACKED */
	unsigned char values;		/* it has shadow variables */
	unsigned char fails;		/* it has the parameter fail_state */
};

extern const struct sim_pool_patch sim_pool[SIM_NR_PATCHES];

/* How many states patch @patch lists */
int sim_nr_states(int patch);
/* 0, or 1 if no text stands for @event: a number is out of range, or @par means nothing */
int sim_event_odd(const struct sim_event *event);

#endif /* _KLP_SDK_SIM_POOL_H */
