// SPDX-License-Identifier: GPL-2.0
/*
 * A livepatch without the SDK that has the state of tp_sh1, and its shadow type
 * count under the id that the kernel knows it by. The parameter op attaches a value
 * to a parent, seen is what parent 1 has.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "tp_pool.h"
#include "tp_raw.h"
#include "tps-types.h"

#define COUNT_ID	0x503

static struct klp_state states[] = {
	{ .id = 401, .version = 1 },
	{ }
};

static int pre_patch(struct klp_object *obj)
{
	if (klp_get_prev_state(401))
		return 0;
	states[0].data = klp_sdk_kzalloc(sizeof(struct sh_v1), GFP_KERNEL);
	return states[0].data ? 0 : -ENOMEM;
}

static void post_patch(struct klp_object *obj)
{
	struct klp_state *prev = klp_get_prev_state(401);

	if (prev)
		states[0].data = prev->data;
}

static void pre_unpatch(struct klp_object *obj)
{
}

static void post_unpatch(struct klp_object *obj)
{
	kfree(states[0].data);
}

static int op(const char *val, const struct kernel_param *kp)
{
	struct tps_count_v1 *v;
	struct tps_parent *p;
	unsigned int nr;
	int ret = kstrtouint(val, 0, &nr);

	p = ret ? NULL : tp_pool_parent(nr);
	if (!p)
		return -EINVAL;
	/* As much as the other patches, which keep room to grow. */
	v = klp_shadow_alloc(p, COUNT_ID, 32, GFP_KERNEL, NULL, NULL);
	if (!v)
		return -ENOMEM;
	v->magic = TPS_MAGIC;
	v->count = 1000;
	return 0;
}

static int seen(char *buffer, const struct kernel_param *kp)
{
	struct tps_count_v1 *v = klp_shadow_get(tp_pool_parent(1), COUNT_ID);

	return sysfs_emit(buffer, "%d\n", v ? (int)v->count : -1);
}

static const struct kernel_param_ops ops = {
	.set = op,
	.get = seen,
};
module_param_cb(op, &ops, NULL, 0600);

static struct klp_func no_funcs[] = {
	{ }
};

static struct klp_object objs[] = {
	{
		.funcs = no_funcs,
		.callbacks = TP_RAW_CALLBACKS,
	},
	{ }
};

TP_RAW_PATCH(objs, states, true);
MODULE_DESCRIPTION("klp-sdk test: a raw livepatch with shadow variables");
MODULE_LICENSE("GPL");
