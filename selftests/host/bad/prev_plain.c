// SPDX-License-Identifier: GPL-2.0
/* sparse: dereference of noderef expression */
#include "common.h"

static void from_v1(struct thing *data, const struct thing_v1 *old)
{
	data->value = old->value;
}

KLP_SDK_CONVERT(thing_v1, 1, struct thing_v1, struct thing, from_v1);
KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 2,
	      .convert = { KLP_SDK_FROM(thing_v1) });
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));

int read_thing(void)
{
	const struct thing_v1 __klp_sdk_prev *old;
	int value = 0;

	rcu_read_lock();
	old = klp_sdk_prev(thing_v1);
	if (old)
		value = old->value;
	rcu_read_unlock();

	return value;
}
