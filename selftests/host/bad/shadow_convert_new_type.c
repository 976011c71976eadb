// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible pointer type .thing_v1_klp_sdk_new */
#include "shadow.h"

static void from_v1(struct parent *parent, struct other *data,
		    struct thing_v1 *old)
{
}

KLP_SDK_SHADOW_CONVERT(thing_v1, 1, struct parent, struct thing_v1,
		       struct other, from_v1, NULL);
KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID,
	       .version = 2, .convert = { KLP_SDK_SHADOW_FROM(thing_v1) });
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
