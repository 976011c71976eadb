// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible pointer type .struct thing */
#include "shadow.h"

KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID, .version = 1);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));

long value_of(struct parent *parent)
{
	struct other *data = klp_sdk_shadow_get(thing, parent);

	return data ? data->value : 0;
}
