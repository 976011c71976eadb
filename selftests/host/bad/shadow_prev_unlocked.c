// SPDX-License-Identifier: GPL-2.0
/* sparse: context check failure */
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
	return klp_sdk_shadow_prev(thing, thing_v1, parent) ? 1 : 0;
}
