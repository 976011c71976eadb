// SPDX-License-Identifier: GPL-2.0
/* Takes memory of each kind and gives none of it back. */
#include <linux/gfp.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../raw.h"

static void *areas[2];
static struct page *pages;
static void __percpu *counters;
static struct kmem_cache *cache;

static int pre_patch(struct klp_object *obj)
{
	areas[0] = vzalloc(5 * PAGE_SIZE);
	areas[1] = kvmalloc(1 << 20, GFP_KERNEL);
	pages = alloc_pages(GFP_KERNEL, 2);
	counters = __alloc_percpu(256, 8);
	cache = kmem_cache_create(KBUILD_MODNAME, 200, 0, 0, NULL);
	return areas[0] && areas[1] && pages && counters && cache ? 0 : -ENOMEM;
}

RAW_PATCH(.pre_patch = pre_patch);
MODULE_DESCRIPTION("klp-sdk test: keeps memory of each kind");
