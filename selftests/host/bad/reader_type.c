// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible pointer type .struct thing */
#include "common.h"

KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 1);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));

long reader(void);
long reader(void)
{
	struct other *data = klp_sdk_live(thing);

	return data ? data->value : 0;
}
