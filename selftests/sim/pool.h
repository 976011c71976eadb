/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the sources of the patches in selftests/modules say that the simulation and the
 * replay in a VM need to know: the names of states, which functions a patch changes, the
 * words in the kernel log and in klp_sdk_states, and how a patch is told to look for values.
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

extern const char *const fn_names[SIM_NR_FNS];
extern const char *const phase_names[SIM_NR_PHASES];
extern const char *const call_names[SIM_NR_SHADOW_CALLS];
extern const char *const type_names[SIM_NR_TYPES];
extern const char *const some_names[SIM_NR_SOME];

/* What to write into the parameter op of a patch for SIM_SHADOW with this @par */
void value_call(int par, char *buf, unsigned long size);
/* What its parameter seen has answered, @text; 0 if that is no sound value */
int value_seen(int par, const char *text, struct sim_value *value);

/* How many states patch @patch lists */
int sim_nr_states(int patch);
/* 0, or 1 if no text stands for @event: a number is out of range, or @par means nothing */
int sim_event_odd(const struct sim_event *event);

#endif /* _KLP_SDK_SIM_POOL_H */
