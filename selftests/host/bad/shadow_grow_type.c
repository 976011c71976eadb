// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible pointer type .struct other */
#include "shadow.h"

KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID,
	       .version = 1, .reserve = 64,
	       .grow = { KLP_SDK_SHADOW_GREW(struct thing_v1, struct other, more) });
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
