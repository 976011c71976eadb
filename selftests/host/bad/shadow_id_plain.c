// SPDX-License-Identifier: GPL-2.0
/* sparse: incorrect type in initializer */
#include "shadow.h"

KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = 7, .version = 1);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
