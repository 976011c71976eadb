// SPDX-License-Identifier: GPL-2.0
/* sparse: incorrect type in argument 1 (different address spaces) */
#include "../../../sdk/engine.h"

int read_state(const struct klp_sdk_state *state);
int read_state(const struct klp_sdk_state *state)
{
	klp_sdk_slot_publish(state->from->prev, state->record->data);
	return 0;
}
