// SPDX-License-Identifier: GPL-2.0
/* sparse: context check failure */
#include "clock.h"

static int pre_patch(struct clock *data)
{
	klp_sdk_lock_class_init(&data->class, "clock");
	return 0;
}

KLP_SDK_STATE(clock, struct clock, .id = THING_ID, .version = 1,
	      .pre_patch = pre_patch);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&clock));
