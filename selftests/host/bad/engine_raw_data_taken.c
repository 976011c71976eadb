// SPDX-License-Identifier: GPL-2.0
/* sparse: different address spaces */
#include "../../../sdk/engine.h"

int read_state(const struct klp_sdk_state *state);
int read_state(const struct klp_sdk_state *state)
{
	state->record->data = klp_sdk_compat_prev_data(state->raw);
	return 0;
}
