// SPDX-License-Identifier: GPL-2.0
/* sparse: context check failure */
#include "clock.h"

KLP_SDK_STATE(clock, struct clock, .id = THING_ID, .version = 1);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&clock));

int read_thing(void)
{
	klp_sdk_lock_class_init(&klp_sdk_data(clock)->class, "clock");
	return 0;
}
