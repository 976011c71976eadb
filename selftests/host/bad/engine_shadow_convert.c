// SPDX-License-Identifier: GPL-2.0
/* sparse: incorrect type in argument 3 (different address spaces) */
#include "../../../sdk/engine.h"

int read_state(const struct klp_sdk_state *state);
int read_state(const struct klp_sdk_state *state)
{
	const struct klp_sdk_shadow *shadow = state->props->shadows[0];

	shadow->from->convert(NULL, state->spare, state->record->data);
	return 0;
}
