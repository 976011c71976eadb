// SPDX-License-Identifier: GPL-2.0
/*
 * A livepatch without the SDK that has alpha of tp_a1, in memory that is no kmalloc()
 * object of its own: the parameter where says in which. The module frees it when it
 * is unloaded, whoever has the state by then.
 */
#include <linux/gfp.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "tp_raw.h"
#include "tp-types.h"

#define tp_say(fmt, ...)	pr_info("tp: " KBUILD_MODNAME " " fmt "\n", ##__VA_ARGS__)

static char *where = "static";
module_param(where, charp, 0444);
MODULE_PARM_DESC(where, "static, vmalloc, cache, inside, pages, none, bad or small");

static ulong id = 101;
module_param(id, ulong, 0444);
MODULE_PARM_DESC(id, "of the state");

static uint version = 1;
module_param(version, uint, 0444);
MODULE_PARM_DESC(version, "of the state");

static struct alpha_v1 static_alpha;
static struct kmem_cache *cache;
static void *memory;	/* that alpha is in */
static void *small;	/* that is shown instead, an object of its own */

struct outer {
	long before[3];
	struct alpha_v1 alpha;
};

static struct klp_state states[] = {
	{ },
	{ }
};

/* As a patch may do whose functions still run: static, or bad */
static int turn_set(const char *val, const struct kernel_param *kp)
{
	struct alpha_v1 *a = states[0].data;

	if (!strcmp(val, "static")) {
		static_alpha = *a;
		states[0].data = &static_alpha;
	} else {
		states[0].data = (void *)0xfffffffffffff000UL;
	}
	return 0;
}

static const struct kernel_param_ops turn_ops = {
	.set = turn_set,
};
module_param_cb(turn, &turn_ops, NULL, 0200);
MODULE_PARM_DESC(turn, "where the data is to be from now on");


static struct alpha_v1 *take(void)
{
	if (!strcmp(where, "vmalloc")) {
		memory = vzalloc(sizeof(struct alpha_v1));
	} else if (!strcmp(where, "cache")) {
		cache = kmem_cache_create("tp_rawmem", 40, 8, 0, NULL);
		memory = cache ? kmem_cache_zalloc(cache, GFP_KERNEL) : NULL;
	} else if (!strcmp(where, "inside")) {
		memory = kzalloc(sizeof(struct outer), GFP_KERNEL);
		return memory ? &((struct outer *)memory)->alpha : NULL;
	} else if (!strcmp(where, "pages")) {
		memory = (void *)get_zeroed_page(GFP_KERNEL);
	} else {
		return &static_alpha;
	}
	return memory;
}

static void give(void)
{
	if (!strcmp(where, "vmalloc"))
		vfree(memory);
	else if (!strcmp(where, "cache") && cache)
		kmem_cache_free(cache, memory);
	else if (!strcmp(where, "inside"))
		kfree(memory);
	else if (!strcmp(where, "pages"))
		free_page((unsigned long)memory);
	kmem_cache_destroy(cache);
	kfree(small);
}

static int pre_patch(struct klp_object *obj)
{
	struct alpha_v1 *a = take();

	if (!strcmp(where, "small"))
		small = kzalloc(40, GFP_KERNEL);
	if (!a || (!strcmp(where, "small") && !small))
		return -ENOMEM;
	a->magic = TP_MAGIC;
	a->buf = klp_sdk_kzalloc(TP_BUF, GFP_KERNEL);
	if (!a->buf)
		return -ENOMEM;
	strscpy(a->buf, "alpha", TP_BUF);
	a->hits = 40;
	states[0].data = a;
	return 0;
}

static void post_patch(struct klp_object *obj)
{
	struct alpha_v1 *a = states[0].data;

	a->saved = console_loglevel;
	console_loglevel = CONSOLE_LOGLEVEL_MOTORMOUTH;
	if (!strcmp(where, "none"))
		states[0].data = NULL;
	else if (!strcmp(where, "bad"))
		states[0].data = (void *)0xfffffffffffff000UL;
	else if (!strcmp(where, "small"))
		states[0].data = small;
}

static void pre_unpatch(struct klp_object *obj)
{
	struct alpha_v1 *a = memory ? states[0].data : &static_alpha;

	console_loglevel = a->saved;
}

static void post_unpatch(struct klp_object *obj)
{
	struct alpha_v1 *a = memory ? states[0].data : &static_alpha;

	tp_say("frees %s", a->buf);
	kfree(a->buf);
}

/* In place of cmdline_proc_show(): writes what is to be found by its successor. */
static int rawmem_show(struct seq_file *m, void *v)
{
	struct alpha_v1 *a = states[0].data;

	seq_printf(m, "patch=%s", KBUILD_MODNAME);
	seq_printf(m, " hits=%d\n", ++a->hits);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = rawmem_show },
	{ }
};

static struct klp_object objs[] = {
	{
		.funcs = funcs,
		.callbacks = {
			.pre_patch	= pre_patch,
			.post_patch	= post_patch,
			.pre_unpatch	= pre_unpatch,
			.post_unpatch	= post_unpatch,
		},
	},
	{ }
};

static struct klp_patch patch = {
	.mod		= THIS_MODULE,
	.objs		= objs,
	.states		= states,
	.replace	= true,
};

static int __init rawmem_init(void)
{
	states[0].id = id;
	states[0].version = version;
	return klp_enable_patch(&patch);
}
module_init(rawmem_init);

static void __exit rawmem_exit(void)
{
	struct alpha_v1 *a = states[0].data;

	if (strcmp(where, "none") && strcmp(where, "bad") && !small &&
	    (unsigned long)a < 0xfffffffffffff000UL && a->magic != TP_MAGIC)
		pr_err("tp: " KBUILD_MODNAME " BAD its memory was freed\n");
	give();
}
module_exit(rawmem_exit);

MODULE_DESCRIPTION("klp-sdk test: a raw livepatch");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
