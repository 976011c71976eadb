// SPDX-License-Identifier: GPL-2.0
/*
 * What the others would be without their mistake, and what reads and shadow
 * variables cost.
 */
#include <linux/livepatch.h>
#include "clock.h"

static void from_v1(struct thing *data, const struct thing_v1 *old)
{
	data->value = old->value;
}

static int pre_patch(struct thing *data)
{
	return 0;
}

static void adopt(struct thing *data, const void *old)
{
	const struct thing_v1 *v1 = old;

	data->more = v1->value;
}

KLP_SDK_CONVERT(thing_v1, 1, struct thing_v1, struct thing, from_v1);
KLP_SDK_STATE(thing, struct thing, .id = THING_ID, .version = 2,
	      .convert = { KLP_SDK_FROM(thing_v1) },
	      .pre_patch = pre_patch, .adopt = adopt);

/* What outlives the module, in functions that say where they run. */
static void tick(struct timer_list *timer)
{
}

static void run(struct work_struct *work)
{
}

static void clock_init(struct clock *data) __klp_sdk_callback
{
	klp_sdk_lock_class_init(&data->class, "clock");
}

static int clock_pre_patch(struct clock *data) __klp_sdk_callback
{
	if (!data)
		return -EINVAL;
	clock_init(data);
	return 0;
}

static void clock_post_unpatch(struct clock *data) __klp_sdk_callback
{
	klp_sdk_lock_class_destroy(&data->class);
}

static void clock_adopt(struct clock *data, const void *old) __klp_sdk_callback
{
	klp_sdk_timer_adopt(&data->timer, tick);
	klp_sdk_work_adopt(&data->work, run);
	klp_sdk_delayed_work_adopt(&data->dwork, run);
}

static void clock_from_v1(struct clock *data, const struct thing_v1 *old)
	__klp_sdk_callback
{
	clock_init(data);
}

static void clock_from_v2(struct clock *data) __klp_sdk_callback
{
	clock_init(data);
}

KLP_SDK_CONVERT(clock_v1, 1, struct thing_v1, struct clock, clock_from_v1);
KLP_SDK_GROW(clock_v2, 2, struct klp_sdk_lock_class, struct clock, timer,
	     clock_from_v2);
KLP_SDK_STATE(clock, struct clock, .id = KLP_SDK_STATE_ID(12), .version = 3,
	      .convert = { KLP_SDK_FROM(clock_v1) },
	      .grow = { KLP_SDK_FROM(clock_v2) },
	      .pre_patch = clock_pre_patch, .post_unpatch = clock_post_unpatch,
	      .adopt = clock_adopt);

/* A plain type, for the comparison below. */
struct value {
	long sum;
	int count;
};

static int ctor(struct parent *parent, struct value *value, void *arg)
{
	value->count = parent->value;
	return 0;
}

static void value_dtor(struct parent *parent, struct value *value)
{
	WRITE_ONCE(value->count, 0);
}

KLP_SDK_SHADOW(plain, struct parent, struct value,
	       .id = KLP_SDK_SHADOW_ID(9), .version = 1, .reserve = 48,
	       .ctor = ctor, .dtor = value_dtor);

/* The same without functions of the author's. */
KLP_SDK_SHADOW(bare, struct parent, struct value,
	       .id = KLP_SDK_SHADOW_ID(10), .version = 1);

/* All that a type can have. */
static void value_from_v1(struct parent *parent, struct thing *data,
			  struct thing_v1 *old)
{
	data->value = old->value;
}

static void dtor_v1(struct parent *parent, struct thing_v1 *old)
{
}

KLP_SDK_SHADOW_CONVERT(value_v1, 1, struct parent, struct thing_v1,
		       struct thing, value_from_v1, dtor_v1);
KLP_SDK_SHADOW(listed, struct parent, struct thing,
	       .id = KLP_SDK_SHADOW_ID((1UL << 48) - 1), .version = 4095,
	       .indexed = true, .reserve = 64,
	       .convert = { KLP_SDK_SHADOW_FROM(value_v1) },
	       .grow = { KLP_SDK_SHADOW_GREW(struct thing_v1, struct thing, more) });

/* A conversion whose dtor has a name that the SDK uses, too. */
static void named_from_v1(struct parent *parent, struct value *data,
			  struct thing *old)
{
	data->count = old->value;
}

static void dtor(struct parent *parent, struct thing *old)
{
}

KLP_SDK_SHADOW_CONVERT(named_v1, 1, struct parent, struct thing, struct value,
		       named_from_v1, dtor);
KLP_SDK_SHADOW(named, struct parent, struct value,
	       .id = KLP_SDK_SHADOW_ID(11), .version = 2, .dtor = value_dtor,
	       .convert = { KLP_SDK_SHADOW_FROM(named_v1) });

KLP_SDK_STATE(shared, struct thing, .id = KLP_SDK_STATE_ID(8), .version = 1,
	      .shadows = KLP_SDK_SHADOWS(&plain, &bare, &listed, &named));

KLP_SDK_PATCH(.states = KLP_SDK_STATES(&thing, &clock, &shared));

int read_live(void);
int read_live(void)
{
	struct thing *data = klp_sdk_live(thing);

	return data ? data->value : -1;
}

int read_data(void);
int read_data(void)
{
	return klp_sdk_data(shared)->value;
}

/* The older object, by whom finds it and by a function that is told to. */
static int value_v1(const struct thing_v1 __klp_sdk_prev *old) __must_hold(RCU)
{
	return klp_sdk_dereference(old)->value;
}

int read_thing(void)
{
	const struct thing_v1 __klp_sdk_prev *old;
	int value = 0;

	rcu_read_lock();
	old = klp_sdk_prev(thing_v1);
	if (old)
		value = klp_sdk_dereference(old)->value + value_v1(old);
	rcu_read_unlock();

	return value;
}

static void add(struct parent *parent, struct thing *value, void *arg)
{
	*(int *)arg += value->value;
}

long value_of(struct parent *parent)
{
	struct thing *value = klp_sdk_shadow_get(listed, parent);
	int sum = value ? value->value : 0;
	struct thing_v1 __klp_sdk_prev *old;

	rcu_read_lock();
	old = klp_sdk_shadow_prev(listed, value_v1, parent);
	if (old)
		sum += klp_sdk_dereference(old)->value;
	rcu_read_unlock();

	klp_sdk_shadow_each(listed, add, &sum);
	klp_sdk_shadow_free(listed, parent);
	return sum;
}

struct value *use_named(struct parent *parent);
struct value *use_named(struct parent *parent)
{
	return klp_sdk_shadow_get(named, parent);
}

/* Each call of the SDK, and below it the one that it must be compiled to. */
struct value *typed_get(struct parent *parent);
struct value *typed_get(struct parent *parent)
{
	return klp_sdk_shadow_get(plain, parent);
}

struct value *raw_get(struct parent *parent);
struct value *raw_get(struct parent *parent)
{
	return klp_shadow_get(parent, 9);
}

static int raw_ctor(void *parent, void *data, void *arg)
{
	return ctor(parent, data, arg);
}

static void raw_dtor(void *parent, void *data)
{
	value_dtor(parent, data);
}

struct value *typed_alloc(struct parent *parent, void *arg);
struct value *typed_alloc(struct parent *parent, void *arg)
{
	return klp_sdk_shadow_alloc(plain, parent, GFP_KERNEL, arg);
}

struct value *raw_alloc(struct parent *parent, void *arg);
struct value *raw_alloc(struct parent *parent, void *arg)
{
	return klp_shadow_alloc(parent, 9, 48, GFP_KERNEL, raw_ctor, arg);
}

struct value *typed_get_or_alloc(struct parent *parent, void *arg);
struct value *typed_get_or_alloc(struct parent *parent, void *arg)
{
	return klp_sdk_shadow_get_or_alloc(plain, parent, GFP_ATOMIC, arg);
}

struct value *raw_get_or_alloc(struct parent *parent, void *arg);
struct value *raw_get_or_alloc(struct parent *parent, void *arg)
{
	return klp_shadow_get_or_alloc(parent, 9, 48, GFP_ATOMIC, raw_ctor, arg);
}

void typed_free(struct parent *parent);
void typed_free(struct parent *parent)
{
	klp_sdk_shadow_free(plain, parent);
}

void raw_free(struct parent *parent);
void raw_free(struct parent *parent)
{
	klp_shadow_free(parent, 9, raw_dtor);
}

struct value *typed_alloc_bare(struct parent *parent);
struct value *typed_alloc_bare(struct parent *parent)
{
	return klp_sdk_shadow_alloc(bare, parent, GFP_KERNEL, NULL);
}

struct value *raw_alloc_bare(struct parent *parent);
struct value *raw_alloc_bare(struct parent *parent)
{
	return klp_shadow_alloc(parent, 10, sizeof(struct value), GFP_KERNEL,
				NULL, NULL);
}

void typed_free_bare(struct parent *parent);
void typed_free_bare(struct parent *parent)
{
	klp_sdk_shadow_free(bare, parent);
}

void raw_free_bare(struct parent *parent);
void raw_free_bare(struct parent *parent)
{
	klp_shadow_free(parent, 10, NULL);
}
