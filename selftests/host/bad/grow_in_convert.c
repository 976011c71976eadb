// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible pointer type */
#include "common.h"

static void from_v1(struct thing *data)
{
}

KLP_SDK_GROW(thing_v1, 1, struct thing_v1, struct thing, more, from_v1);
KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 2,
	      .convert = { KLP_SDK_FROM(thing_v1) });
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));
