// SPDX-License-Identifier: GPL-2.0
/* expect: klp-sdk: shadow type thing: .id must not be 0 */
#include "shadow.h"

KLP_SDK_SHADOW(thing, struct parent, struct thing, .version = 1);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
