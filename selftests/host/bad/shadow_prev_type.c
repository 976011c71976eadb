// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible pointer type .struct thing_v1 */
#include "shadow.h"

static void from_v1(struct parent *parent, struct thing *data,
		    struct thing_v1 *old)
{
}

KLP_SDK_SHADOW_CONVERT(thing_v1, 1, struct parent, struct thing_v1,
		       struct thing, from_v1, NULL);
KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID,
	       .version = 2, .convert = { KLP_SDK_SHADOW_FROM(thing_v1) });
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));

long value_of(struct parent *parent)
{
	struct thing *old;
	long value;

	rcu_read_lock();
	old = klp_sdk_dereference(klp_sdk_shadow_prev(thing, thing_v1, parent));
	value = old ? old->value : 0;
	rcu_read_unlock();

	return value;
}
