// SPDX-License-Identifier: GPL-2.0
/* expect: klp-sdk: state thing: struct none is empty */
#include "common.h"

struct none { };

KLP_SDK_STATE(thing, struct none, .id = THING_ID, .version = 1);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));
