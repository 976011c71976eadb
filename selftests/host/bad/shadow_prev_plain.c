// SPDX-License-Identifier: GPL-2.0
/* sparse: dereference of noderef expression */
#include "shadow.h"

static void from_v1(struct parent *parent, struct thing *data,
		    struct thing_v1 *old)
{
	data->value = old->value;
}

KLP_SDK_SHADOW_CONVERT(thing_v1, 1, struct parent, struct thing_v1,
		       struct thing, from_v1, NULL);
KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID,
	       .version = 2, .convert = { KLP_SDK_SHADOW_FROM(thing_v1) });
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));

long value_of(struct parent *parent)
{
	struct thing_v1 __klp_sdk_prev *old;
	long value = 0;

	rcu_read_lock();
	old = klp_sdk_shadow_prev(thing, thing_v1, parent);
	if (old)
		value = old->value;
	rcu_read_unlock();

	return value;
}
