// SPDX-License-Identifier: GPL-2.0
/* expect: near initialization for .thing_klp_sdk_decl.post_patch */
#include "common.h"

static void post_patch(struct other *data)
{
}

KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 1,
	      .post_patch = post_patch);
KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing));
