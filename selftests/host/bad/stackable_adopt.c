// SPDX-License-Identifier: GPL-2.0
/* expect: is stackable and cannot have .adopt */
#include "common.h"

static void adopt(struct thing *data, const void *old)
{
}

KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 1,
	      .stackable = true, .adopt = adopt);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));
