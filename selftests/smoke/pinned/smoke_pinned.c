// SPDX-License-Identifier: GPL-2.0
/* Takes a reference to itself and does not give it back. */
#include "../raw.h"

static void post_patch(struct klp_object *obj)
{
	__module_get(THIS_MODULE);
}

RAW_PATCH(.post_patch = post_patch);
MODULE_DESCRIPTION("klp-sdk test: cannot be unloaded");
