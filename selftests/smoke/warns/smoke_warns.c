// SPDX-License-Identifier: GPL-2.0
/* Warns when it is disabled. */
#include "../raw.h"

static void pre_unpatch(struct klp_object *obj)
{
	WARN(1, "smoke_warns is disabled\n");
}

RAW_PATCH(.pre_unpatch = pre_unpatch);
MODULE_DESCRIPTION("klp-sdk test: warns");
