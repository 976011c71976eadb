// SPDX-License-Identifier: GPL-2.0
/* sparse: incorrect type in initializer (different address spaces) */
#include "common.h"

KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 1);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));

int read_thing(void)
{
	int value;

	rcu_read_lock();
	value = klp_sdk_dereference(klp_sdk_data(thing))->value;
	rcu_read_unlock();

	return value;
}
