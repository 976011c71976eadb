// SPDX-License-Identifier: GPL-2.0
/*
 * A patch whose shadow types do not fit those of tp_sh1, each in a way of its own;
 * the parameter says in which.
 */
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <klp-sdk/klp-sdk.h>

#include "tp_pool.h"
#include "tps-types.h"

/* Read by inject.h in the engine's objects. */
extern int tp_fail_alloc;
int tp_fail_alloc;

#define PLAIN	.id = KLP_SDK_SHADOW_ID(0x501)

/* A state of version 1 with one shadow type. */
#define BAD(_case, _type, ...)						\
	KLP_SDK_SHADOW(plain_##_case, struct tps_parent, _type, __VA_ARGS__); \
	KLP_SDK_STATE(sh_##_case, struct sh_v1,				\
		      .id	= KLP_SDK_STATE_ID(401),		\
		      .version	= 1,					\
		      .shadows	= KLP_SDK_SHADOWS(&plain_##_case))

/* The same at version 2. */
#define BAD_V2(_case, _type, ...)					\
	KLP_SDK_SHADOW(plain_##_case, struct tps_parent, _type, __VA_ARGS__); \
	KLP_SDK_GROW(sh_##_case##_v1, 1, struct sh_v1, struct sh_v2, two, grown); \
	KLP_SDK_STATE(sh_##_case, struct sh_v2,				\
		      .id	= KLP_SDK_STATE_ID(401),		\
		      .version	= 2,					\
		      .grow	= { KLP_SDK_FROM(sh_##_case##_v1) },	\
		      .shadows	= KLP_SDK_SHADOWS(&plain_##_case))

static void grown(struct sh_v2 *s)
{
}

static void grown_again(struct sh_v3 *s)
{
}

BAD(size, struct tps_v2, PLAIN, .version = 1);
BAD(version, struct tps_v2, PLAIN, .version = 2);
BAD(older, struct tps_v2, PLAIN, .version = 1);
BAD(backend, struct tps_v1, PLAIN, .version = 1, .indexed = true);
BAD(name, struct tps_v1, PLAIN, .version = 1);
BAD(room, struct tps_count_huge,
    .id = KLP_SDK_SHADOW_ID(0x503), .version = 1,
    .grow = { KLP_SDK_SHADOW_GREW(struct tps_count_v1, struct tps_count_huge,
				  since) });
BAD_V2(convert, struct tps_v2, PLAIN, .version = 2);

/* It takes version 1 for larger than it is. */
static void from_v2(struct tps_parent *p, struct tps_v3 *v, struct tps_v2 *old)
{
}

KLP_SDK_SHADOW_CONVERT(wrong_v1, 1, struct tps_parent, struct tps_v2,
		       struct tps_v3, from_v2, NULL);
BAD_V2(old, struct tps_v3, PLAIN, .version = 2,
       .convert = { KLP_SDK_SHADOW_FROM(wrong_v1) });

KLP_SDK_SHADOW_CONVERT(wrong_v2, 2, struct tps_parent, struct tps_v2,
		       struct tps_v3, from_v2, NULL);
BAD_V2(newer, struct tps_v3, PLAIN, .version = 2,
       .convert = { KLP_SDK_SHADOW_FROM(wrong_v2) });

/* An older layout than that of tp_sh2's values, and one that has not grown. */
BAD_V2(aged, struct tps_v1, PLAIN, .version = 1);
BAD_V2(small, struct tps_count_v1, .id = KLP_SDK_SHADOW_ID(0x503), .version = 1);
/* The layout of tp_sh2 by its version, but not by its size. */
BAD(same, struct tps_v1, PLAIN, .version = 2);
/* To be spoilt further. */
BAD(spoilt, struct tps_v3, PLAIN, .version = 3,
    .convert = { KLP_SDK_SHADOW_FROM(wrong_v2) });

/* Nothing for values of version 1 that nobody has asked for since. */
KLP_SDK_SHADOW_CONVERT(later_v2, 2, struct tps_parent, struct tps_v2,
		       struct tps_v3, from_v2, NULL);
KLP_SDK_SHADOW(plain_straggler, struct tps_parent, struct tps_v3, PLAIN,
	       .version = 3, .convert = { KLP_SDK_SHADOW_FROM(later_v2) });
KLP_SDK_GROW(sh_v2, 2, struct sh_v2, struct sh_v3, three, grown_again);
KLP_SDK_STATE(sh_straggler, struct sh_v3, .id = KLP_SDK_STATE_ID(401),
	      .version = 3, .grow = { KLP_SDK_FROM(sh_v2) },
	      .shadows = KLP_SDK_SHADOWS(&plain_straggler));

/* Another state with the id, one with two types of one id, two that list one again. */
KLP_SDK_SHADOW(plain_other, struct tps_parent, struct tps_v1, PLAIN, .version = 1);
KLP_SDK_STATE(thief, struct sh_v1, .id = KLP_SDK_STATE_ID(402), .version = 1,
	      .shadows = KLP_SDK_SHADOWS(&plain_other));
KLP_SDK_STATE(twice, struct sh_v1, .id = KLP_SDK_STATE_ID(403), .version = 1,
	      .shadows = KLP_SDK_SHADOWS(&plain_other, &plain_name));
KLP_SDK_STATE(again, struct sh_v1, .id = KLP_SDK_STATE_ID(405), .version = 1,
	      .shadows = KLP_SDK_SHADOWS(&plain_other, &plain_other));
KLP_SDK_STATE(both, struct sh_v1, .id = KLP_SDK_STATE_ID(404), .version = 1,
	      .shadows = KLP_SDK_SHADOWS(&plain_other));

/* A patch that shares the state, without the other types of it. */
KLP_SDK_STATE(sh_share, struct sh_v1, .id = KLP_SDK_STATE_ID(401), .version = 1,
	      .stackable = true,
	      .shadows = KLP_SDK_SHADOWS(&plain_other));

/* A type that those who share the state do not have. */
KLP_SDK_SHADOW(more, struct tps_parent, struct tps_v1,
	       .id = KLP_SDK_SHADOW_ID(0x509), .version = 1);
KLP_SDK_STATE(sh_more, struct sh_v1, .id = KLP_SDK_STATE_ID(401), .version = 1,
	      .stackable = true, .shadows = KLP_SDK_SHADOWS(&more));

static struct {
	const char *name;
	struct klp_sdk_state *states[3];
	/* the name of the shadow type to be, if it is not that of the variable */
	const char *shadow;
	bool share;
} cases[] = {
	{ "size", { &sh_size }, "plain" },
	{ "version", { &sh_version }, "plain" },
	/* Not bad: its values are none of tp_sh2's, though they look the same. */
	{ "older", { &sh_older }, "plain" },
	{ "backend", { &sh_backend }, "plain" },
	{ "name", { &sh_name } },
	{ "room", { &sh_room }, "count" },
	{ "convert", { &sh_convert }, "plain" },
	{ "old", { &sh_old }, "plain" },
	{ "newer", { &sh_newer }, "plain" },
	{ "straggler", { &sh_straggler }, "plain" },
	{ "thief", { &thief } },
	{ "twice", { &twice } },
	{ "again", { &again } },
	{ "both", { &thief, &both } },
	{ "share", { &sh_share }, "plain", true },
	{ "share-more", { &sh_more }, "more", true },
	{ "aged", { &sh_aged }, "plain" },
	{ "small", { &sh_small }, "count" },
	/* Not bad: it takes nothing over from tp_sh2. */
	{ "same", { &sh_same }, "plain" },
	{ "no-id", { &sh_spoilt }, "plain" },
	{ "long-name", { &sh_spoilt },
	  "a_name_of_a_shadow_type_that_is_longer_than_any_name_should_ever_be_anywhere" },
	{ "hole", { &sh_spoilt }, "plain" },
	{ "wide", { &sh_spoilt }, "plain" },
};

KLP_SDK_PATCH(.replace = true);

/* What the macros do not let through, or only by a type of such a size. */
static void spoil(const char *as, struct klp_sdk_shadow_type *type)
{
	static struct klp_sdk_shadow_props props;

	props = *type->props;
	if (!strcmp(as, "no-id"))
		props.id = KLP_SDK_SHADOW_ID(0);
	else if (!strcmp(as, "hole"))
		swap(props.convert[0], props.convert[1]);
	else if (!strcmp(as, "wide"))
		props.indexed = true;
	if (!strcmp(as, "wide"))
		type->size = PAGE_SIZE + 1;
	type->props = &props;
}

/* Called before the module's init. */
static int as_set(const char *val, const struct kernel_param *kp)
{
	static struct klp_sdk_shadow_type type;
	struct klp_sdk_shadow *shadow;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		if (!strcmp(val, cases[i].name))
			break;
	if (i == ARRAY_SIZE(cases))
		return -EINVAL;

	klp_sdk_patch.states = cases[i].states;
	while (cases[i].states[klp_sdk_patch.nr_listed])
		klp_sdk_patch.nr_listed++;
	klp_sdk_patch.replace = !cases[i].share;
	/* The state of the other patch has a shorter name. */
	if (!strncmp(cases[i].states[0]->name, "sh_", 3))
		cases[i].states[0]->name = "sh";
	if (cases[i].shadow) {
		shadow = cases[i].states[0]->props->shadows[0];
		type = *shadow->type;
		type.name = cases[i].shadow;
		spoil(val, &type);
		shadow->type = &type;
	}
	return 0;
}

static const struct kernel_param_ops as_ops = {
	.set = as_set,
};
module_param_cb(as, &as_ops, NULL, 0);
MODULE_PARM_DESC(as, "what is wrong with the patch");

MODULE_DESCRIPTION("klp-sdk test patch");
MODULE_LICENSE("GPL");
