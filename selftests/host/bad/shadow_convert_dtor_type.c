// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible pointer type .void (\*)(struct parent \*, struct thing \*) */
#include "shadow.h"

static void from_v1(struct parent *parent, struct thing *data,
		    struct thing_v1 *old)
{
}

static void dtor(struct parent *parent, struct thing *data)
{
}

KLP_SDK_SHADOW_CONVERT(thing_v1, 1, struct parent, struct thing_v1,
		       struct thing, from_v1, dtor);
KLP_SDK_SHADOW(thing, struct parent, struct thing, .id = SHADOW_ID,
	       .version = 2, .dtor = dtor,
	       .convert = { KLP_SDK_SHADOW_FROM(thing_v1) });
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
