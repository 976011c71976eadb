// SPDX-License-Identifier: GPL-2.0
/* sparse: context check failure */
#include "clock.h"

static int ctor(struct parent *parent, struct clock *value, void *arg)
{
	klp_sdk_lock_class_init(&value->class, "clock");
	return 0;
}

KLP_SDK_SHADOW(clock, struct parent, struct clock, .id = SHADOW_ID,
	       .version = 1, .ctor = ctor);
OWNER(&clock);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
