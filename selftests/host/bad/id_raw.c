// SPDX-License-Identifier: GPL-2.0
/* sparse: incorrect type in argument 1 */
#include "common.h"

KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 1);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));

int read_thing(void)
{
	return !!klp_get_prev_state(THING_ID);
}
