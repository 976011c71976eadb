// SPDX-License-Identifier: GPL-2.0
/* Makes a shadow variable and a folder. The next version undoes both. */
#include <linux/proc_fs.h>

#include "../raw.h"

static int pre_patch(struct klp_object *obj)
{
	int *value = klp_shadow_alloc(&raw_funcs, 7001, sizeof(*value), GFP_KERNEL, NULL, NULL);

	if (!value)
		return -ENOMEM;
	*value = 1;
	return proc_mkdir("smoke_made", NULL) ? 0 : -ENOMEM;
}

static void post_unpatch(struct klp_object *obj)
{
	klp_shadow_free_all(7001, NULL);
	remove_proc_entry("smoke_made", NULL);
}

RAW_PATCH(.pre_patch = pre_patch, .post_unpatch = post_unpatch);
MODULE_DESCRIPTION("klp-sdk test: what it makes is undone by the next");
