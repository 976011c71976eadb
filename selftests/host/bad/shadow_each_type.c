// SPDX-License-Identifier: GPL-2.0
/* expect: passing argument 1 of .thing_klp_sdk_each. from incompatible pointer type */
#include "shadow.h"

KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID,
	       .version = 1, .indexed = true);
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));

static void count(struct parent *parent, struct other *data, void *arg)
{
}

void list(void);
void list(void)
{
	klp_sdk_shadow_each(thing, count, NULL);
}
