// SPDX-License-Identifier: GPL-2.0
/* expect: is stackable and cannot have .retire */
#include "common.h"

KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 1,
	      .stackable = true, .retire = true);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));
