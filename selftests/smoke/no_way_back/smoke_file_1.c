// SPDX-License-Identifier: GPL-2.0
/* Makes the file, and cannot make it again while the newer version has it. */
#include "file.h"

static int pre_patch(struct klp_object *obj)
{
	return make_file();
}

static void post_unpatch(struct klp_object *obj)
{
	remove_file();
}

RAW_PATCH(.pre_patch = pre_patch, .post_unpatch = post_unpatch);
MODULE_DESCRIPTION("klp-sdk test: one cannot go back to it");
