// SPDX-License-Identifier: GPL-2.0
/* expect: klp-sdk: shadow type thing: .version must be from 1 to 4095 */
#include "shadow.h"

KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
