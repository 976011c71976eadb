// SPDX-License-Identifier: GPL-2.0
/* sparse: incorrect type in argument 2 (different address spaces) */
#include "../../../sdk/engine.h"

int read_state(const struct klp_sdk_state *state);
int read_state(const struct klp_sdk_state *state)
{
	state->from->convert(state->spare, state->record->data);
	return 0;
}
