// SPDX-License-Identifier: GPL-2.0
/* expect: redefinition of .klp_sdk_patch */
#include "common.h"

KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 1);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));
KLP_SDK_PATCH(.replace = true);
