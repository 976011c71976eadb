// SPDX-License-Identifier: GPL-2.0
/* expect: klp-sdk: state thing: .id must not be 0 */
#include "common.h"

KLP_SDK_STATE(thing, struct thing, .version = 1);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));
