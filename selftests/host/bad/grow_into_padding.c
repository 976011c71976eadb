// SPDX-License-Identifier: GPL-2.0
/* expect: more lies within struct padded_v1 */
#include "common.h"

struct padded_v1 {
	long value;
	int flags;
};

struct padded {
	long value;
	int flags;
	int more;
};

static void from_v1(struct padded *data)
{
}

KLP_SDK_GROW(thing_v1, 1, struct padded_v1, struct padded, more, from_v1);
KLP_SDK_STATE(thing, struct padded, .id = THING_ID, .version = 2,
	      .grow = { KLP_SDK_FROM(thing_v1) });
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));
