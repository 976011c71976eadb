// SPDX-License-Identifier: GPL-2.0
/* sparse: incorrect type in initializer (different address spaces) */
#include "../../../sdk/engine.h"

int read_state(const struct klp_sdk_state *state);
int read_state(const struct klp_sdk_state *state)
{
	struct klp_state *prev = klp_sdk_compat_prev_state(klp_sdk_state_id(state));

	return prev ? prev->version : 0;
}
