// SPDX-License-Identifier: GPL-2.0
/* expect: klp-sdk: state thing: .version must not be 0 */
#include "common.h"

KLP_SDK_STATE(thing, struct thing, .id = THING_ID);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));
