// SPDX-License-Identifier: GPL-2.0
/* sparse: context check failure */
#include "common.h"

static void post_patch(struct thing *data) __klp_sdk_callback
{
	data->value++;
}

KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 1,
	      .post_patch = post_patch);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));

int read_thing(void)
{
	post_patch(klp_sdk_data(thing));
	return klp_sdk_data(thing)->value;
}
