// SPDX-License-Identifier: GPL-2.0
/* What the others would be without their mistake, and the cost of a read. */
#include "common.h"

static void from_v1(struct thing *data, const struct thing_v1 *old)
{
	data->value = old->value;
}

static int pre_patch(struct thing *data)
{
	return 0;
}

KLP_SDK_CONVERT(thing_v1, 1, struct thing_v1, struct thing, from_v1);
KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 2,
	      .convert = { KLP_SDK_FROM(thing_v1) },
	      .pre_patch = pre_patch);

KLP_SDK_STATE(shared, struct thing, .id = KLP_SDK_STATE_ID(8), .version = 1);

KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing, &shared));

int read_live(void);
int read_live(void)
{
	struct thing *data = klp_sdk_live(thing);

	return data ? data->value : -1;
}

int read_data(void);
int read_data(void)
{
	return klp_sdk_data(shared)->value;
}
