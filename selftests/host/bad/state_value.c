// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible types when initializing type .struct klp_sdk_state \* */
#include "common.h"

KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 1);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(thing));
