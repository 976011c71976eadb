// SPDX-License-Identifier: GPL-2.0
/* expect: klp-sdk: shadow type thing is not indexed and cannot be listed */
#include "shadow.h"

KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID, .version = 1);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));

static void count(struct parent *parent, struct thing *data, void *arg)
{
}

void list(void);
void list(void)
{
	klp_sdk_shadow_each(thing, count, NULL);
}
