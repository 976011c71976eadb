// SPDX-License-Identifier: GPL-2.0
/* expect: defined but not used */
#include "shadow.h"

KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID, .version = 1);
KLP_SDK_SHADOW(other, struct parent, struct thing, .id = KLP_SDK_SHADOW_ID(8),
	       .version = 1);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));

struct thing *find(struct parent *parent);
struct thing *find(struct parent *parent)
{
	return klp_sdk_shadow_get(other, parent);
}
