// SPDX-License-Identifier: GPL-2.0
/* Forgets that a transition may be reversed: then nobody frees its data. */
#include <linux/slab.h>

#include "../raw.h"

static void *data;
static bool patched;

static int pre_patch(struct klp_object *obj)
{
	data = kzalloc(32, GFP_KERNEL);
	return data ? 0 : -ENOMEM;
}

static void post_patch(struct klp_object *obj)
{
	patched = true;
}

static void post_unpatch(struct klp_object *obj)
{
	if (patched)
		kfree(data);
}

RAW_PATCH(.pre_patch = pre_patch, .post_patch = post_patch,
	  .post_unpatch = post_unpatch);
MODULE_DESCRIPTION("klp-sdk test: leaks when it is reversed");
