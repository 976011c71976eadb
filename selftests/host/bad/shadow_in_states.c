// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible pointer type */
#include "shadow.h"

KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID, .version = 1);
KLP_SDK_STATE(owner, struct thing, .id = THING_ID, .version = 1);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner, &thing));
