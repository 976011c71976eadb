// SPDX-License-Identifier: GPL-2.0
/* Takes the file over when its transition is complete. */
#include "file.h"

static void post_patch(struct klp_object *obj)
{
	remove_file();
	if (make_file())
		pr_err("no file\n");
}

static void post_unpatch(struct klp_object *obj)
{
}

static void pre_unpatch(struct klp_object *obj)
{
	remove_file();
}

RAW_PATCH(.post_patch = post_patch, .pre_unpatch = pre_unpatch,
	  .post_unpatch = post_unpatch);
MODULE_DESCRIPTION("klp-sdk test: takes a file over");
