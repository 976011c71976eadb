// SPDX-License-Identifier: GPL-2.0
/* expect: needs an alignment of more than 8 */
#include "shadow.h"

struct wide {
	int value;
} __aligned(32);

KLP_SDK_SHADOW(thing, struct parent, struct wide, .id = SHADOW_ID, .version = 1);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
