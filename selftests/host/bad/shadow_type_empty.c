// SPDX-License-Identifier: GPL-2.0
/* expect: klp-sdk: shadow type thing: struct none is empty */
#include "shadow.h"

struct none { };

KLP_SDK_SHADOW(thing, struct parent, struct none, .id = SHADOW_ID, .version = 1);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
