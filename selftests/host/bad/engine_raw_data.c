// SPDX-License-Identifier: GPL-2.0
/* sparse: dereference of noderef expression */
#include "../../../sdk/engine.h"

/* As in the engine: the state of a livepatch without the SDK. */
int read_state(const struct klp_sdk_state *state);
int read_state(const struct klp_sdk_state *state)
{
	return state->raw ? !!state->raw->data : 0;
}
