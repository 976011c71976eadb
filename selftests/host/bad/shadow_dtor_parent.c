// SPDX-License-Identifier: GPL-2.0
/* expect: near initialization for .thing_klp_sdk_decl.*[.]dtor */
#include "shadow.h"

static void dtor(struct uncle *uncle, struct thing *data)
{
}

KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID,
	       .version = 1, .dtor = dtor);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
