// SPDX-License-Identifier: GPL-2.0
/* expect: klp-sdk: shadow type thing: .id has more than 48 bits */
#include "shadow.h"

KLP_SDK_SHADOW(thing, struct parent, struct thing,
	       .id = KLP_SDK_SHADOW_ID(1UL << 48), .version = 1);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
