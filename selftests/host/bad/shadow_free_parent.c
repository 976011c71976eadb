// SPDX-License-Identifier: GPL-2.0
/* expect: passing argument 1 of .thing_klp_sdk_free. from incompatible pointer type */
#include "shadow.h"

KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID, .version = 1);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));

void release(struct uncle *uncle)
{
	klp_sdk_shadow_free(thing, uncle);
}
