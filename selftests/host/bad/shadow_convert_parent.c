// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible pointer type .thing_v1_klp_sdk_parent */
#include "shadow.h"

static void from_v1(struct uncle *uncle, struct thing *data,
		    struct thing_v1 *old)
{
}

KLP_SDK_SHADOW_CONVERT(thing_v1, 1, struct uncle, struct thing_v1,
		       struct thing, from_v1, NULL);
KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID,
	       .version = 2, .convert = { KLP_SDK_SHADOW_FROM(thing_v1) });
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
