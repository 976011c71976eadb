// SPDX-License-Identifier: GPL-2.0
/* expect: klp-sdk: migration thing_v1: struct thing_v1 is smaller than struct thing */
#include "common.h"

static void from_v1(struct thing_v1 *data)
{
}

KLP_SDK_GROW(thing_v1, 1, struct thing, struct thing_v1, value, from_v1);
KLP_SDK_STATE(thing, struct thing_v1, .id = THING_ID, .version = 2,
	      .grow = { KLP_SDK_FROM(thing_v1) });
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));
