// SPDX-License-Identifier: GPL-2.0
/* expect: passing argument 1 of .thing_klp_sdk_alloc. from incompatible pointer type */
#include "shadow.h"

KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID, .version = 1);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));

struct thing *make(struct uncle *uncle);
struct thing *make(struct uncle *uncle)
{
	return klp_sdk_shadow_alloc(thing, uncle, GFP_KERNEL, NULL);
}
