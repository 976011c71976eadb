// SPDX-License-Identifier: GPL-2.0
/* expect: negative width in bit-field */
#include "shadow.h"

struct padded_v1 {
	long value;
	int flags;
};

struct padded {
	long value;
	int flags;
	int more;
};

KLP_SDK_SHADOW(thing, struct parent, struct padded, .id = SHADOW_ID,
	       .version = 1, .reserve = 64,
	       .grow = { KLP_SDK_SHADOW_GREW(struct padded_v1, struct padded, more) });
OWNER(&thing);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&owner));
