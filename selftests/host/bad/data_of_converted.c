// SPDX-License-Identifier: GPL-2.0
/* expect: klp-sdk: state thing is converted; use klp_sdk_live() */
#include "common.h"

static void from_v1(struct thing *data, const struct thing_v1 *old)
{
}

KLP_SDK_CONVERT(thing_v1, 1, struct thing_v1, struct thing, from_v1);
KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 2,
	      .convert = { KLP_SDK_FROM(thing_v1) });
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));

int reader(void);
int reader(void)
{
	return klp_sdk_data(thing)->value;
}
