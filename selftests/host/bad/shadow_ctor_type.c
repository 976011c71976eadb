// SPDX-License-Identifier: GPL-2.0
/* expect: near initialization for .thing_klp_sdk_decl.*[.]ctor */
#include "shadow.h"

static int ctor(struct parent *parent, struct other *data, void *arg)
{
	return 0;
}

KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID,
	       .version = 1, .ctor = ctor);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
