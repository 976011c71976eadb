// SPDX-License-Identifier: GPL-2.0
/* sparse: context check failure */
#include "clock.h"

static void run(struct work_struct *work)
{
}

KLP_SDK_STATE(clock, struct clock, .id = THING_ID, .version = 1);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&clock));

int read_thing(void)
{
	klp_sdk_delayed_work_adopt(&klp_sdk_data(clock)->dwork, run);
	return 0;
}
