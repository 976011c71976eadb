/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of shadow types have in common, besides their mistakes. */
#include "common.h"

struct parent {
	int value;
};

struct uncle {
	int value;
};

#define SHADOW_ID	KLP_SDK_SHADOW_ID(7)

/* The state that the shadow types belong to. */
#define OWNER(...)							\
	KLP_SDK_STATE(owner, struct thing, .id = THING_ID, .version = 1, \
		      .shadows = KLP_SDK_SHADOWS(__VA_ARGS__))

/* A function of each kind that some file has. */
void release(struct uncle *uncle);
long value_of(struct parent *parent);
