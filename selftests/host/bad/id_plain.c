// SPDX-License-Identifier: GPL-2.0
/* sparse: incorrect type in initializer */
#include "common.h"

KLP_SDK_STATE(thing, struct thing, .id = 7, .version = 1);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));
