// SPDX-License-Identifier: GPL-2.0
/* Undoes what the version before has made, also when it is reversed. */
#include <linux/proc_fs.h>

#include "../raw.h"

static void post_unpatch(struct klp_object *obj)
{
	klp_shadow_free_all(7001, NULL);
	remove_proc_entry("smoke_made", NULL);
}

RAW_PATCH(.post_unpatch = post_unpatch);
MODULE_DESCRIPTION("klp-sdk test: undoes what it has not done");
