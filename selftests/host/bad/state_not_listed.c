// SPDX-License-Identifier: GPL-2.0
/* expect: defined but not used */
#include "common.h"

KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 1);
KLP_SDK_STATE(other, struct thing, .id = KLP_SDK_STATE_ID(8), .version = 1);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));

int reader(void);
int reader(void)
{
	return klp_sdk_data(other)->value;
}
