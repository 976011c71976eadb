// SPDX-License-Identifier: GPL-2.0
/*
 * Chooses events at random so that most of them do something, and patches so that they
 * meet: few in a sequence, and mostly such as have states in common. Each sequence has
 * weights of its own, so that some have what others never have.
 */
#include <string.h>

#include "driver.h"
#include "pool.h"

#define MAX_TRIES	12

/* How often an event is tried: in no transition, and in one */
static const unsigned char weights[2][SIM_NR_OPS] = {
	{
		[SIM_LOAD] = 40, [SIM_UNLOAD] = 12, [SIM_ENABLE] = 1, [SIM_DISABLE] = 14,
		[SIM_FORCE] = 0, [SIM_TICK] = 0, [SIM_ENTER] = 14, [SIM_LEAVE] = 8,
		[SIM_COMING] = 8, [SIM_INIT] = 8, [SIM_RMMOD] = 6, [SIM_GRACE] = 3,
		[SIM_SHADOW] = 60, [SIM_READ] = 1, [SIM_CALL] = 2,
	}, {
		[SIM_LOAD] = 2, [SIM_UNLOAD] = 3, [SIM_ENABLE] = 14, [SIM_DISABLE] = 14,
		[SIM_FORCE] = 6, [SIM_TICK] = 14, [SIM_ENTER] = 4, [SIM_LEAVE] = 14,
		[SIM_COMING] = 14, [SIM_INIT] = 14, [SIM_RMMOD] = 12, [SIM_GRACE] = 2,
		[SIM_SHADOW] = 60, [SIM_READ] = 1, [SIM_CALL] = 2,
	},
};

/* splitmix64 */
static unsigned long long next(struct chooser *c)
{
	unsigned long long z = c->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

unsigned int pick(struct chooser *c, unsigned int n)
{
	return (next(c) >> 32) * n >> 32;
}

static void add_patch(struct chooser *c, int patch)
{
	if (c->nr_patches < (int)sizeof(c->patches) &&
	    !memchr(c->patches, patch, c->nr_patches))
		c->patches[c->nr_patches++] = patch;
}

/* Some of a pool, or of all patches */
static void add_some(struct chooser *c, const struct spec *spec, int nr)
{
	while (nr--)
		add_patch(c, spec ? spec->patches[pick(c, spec->nr)] : pick(c, SIM_NR_PATCHES));
}

static void choose_patches(struct chooser *c, const struct spec *spec)
{
	struct spec named;

	c->nr_patches = 0;
	if (spec) {
		add_some(c, spec, 2 + pick(c, 5));
		return;
	}
	if (pick(c, 4)) {
		spec_named(pick(c, spec_nr_named()), &named);
		add_some(c, &named, 2 + pick(c, 6));
		add_some(c, NULL, pick(c, 3));
	} else {
		add_some(c, NULL, 2 + pick(c, 5));
	}
}

static bool use(struct chooser *c, unsigned int of, const struct spec *spec, bool allowed)
{
	return !pick(c, of) && (!spec || allowed);
}

/* Some patch has shadow variables. */
static bool has_values(const struct chooser *c)
{
	int i;

	for (i = 0; i < c->nr_patches; i++)
		if (sim_pool[c->patches[i]].values)
			return true;
	return false;
}

void choose_start(struct chooser *c, const struct spec *spec)
{
	int i;

	choose_patches(c, spec);
	for (i = 0; i < SIM_NR_OPS; i++)
		c->weights[i] = pick(c, 8) ? 2 : pick(c, 2) * 6;
	/* What stops all of it if it is lacking */
	c->weights[SIM_LOAD] = 2 + pick(c, 2);
	if (!use(c, 3, spec, spec && spec->force))
		c->weights[SIM_FORCE] = 0;
	c->faults = use(c, 2, spec, true) ? 16 + pick(c, 100) : 0;
	if (spec && !spec->fail && !spec->core && !spec->nomem)
		c->faults = 0;
	c->nonsense = pick(c, 2) ? 8 : 0;
	for (i = 0; i < SIM_NR_TARGETS; i++)
		c->targets[i] = spec ? spec->targets[i] : !!pick(c, 4);
	if (!c->targets[SIM_MOD1] && !c->targets[SIM_MOD2])
		c->weights[SIM_COMING] = 0;
	if (!has_values(c))
		c->weights[SIM_SHADOW] = 0;
	/* These are no events for a VM, where all of it is read after each event. */
	if (c->vm)
		c->weights[SIM_READ] = c->weights[SIM_CALL] = 0;
}

/* Which allocation fails: rather an early one, for there may be few. */
static int choose_nomem(struct chooser *c)
{
	return 1 + pick(c, 2 << pick(c, 5));
}

static void choose_load(struct chooser *c, struct sim_event *event)
{
	int states;

	if (event->arg == SIM_raw && pick(c, 2)) {
		event->par = SIM_PAR_RAW_STACKED;
		return;
	}
	if (pick(c, 256) >= c->faults)
		return;
	states = sim_pool[event->arg].fails ? sim_nr_states(event->arg) : 0;
	switch (pick(c, 4)) {
	case 0:
		event->par = SIM_PAR_CORE;
		break;
	case 1:
		event->par = states ? SIM_PAR_STATE + pick(c, states) : SIM_PAR_CORE;
		break;
	default:
		event->par = c->vm ? 0 : choose_nomem(c);
	}
}

/* Mostly of few values, so that they are there; now and then of many at once */
static int choose_shadow(struct chooser *c)
{
	static const unsigned char calls[] = {
		SIM_GET, SIM_GET, SIM_GET_OR_ALLOC, SIM_GET_OR_ALLOC, SIM_GET_OR_ALLOC,
		SIM_FREE, SIM_PREV, SIM_AGAIN,
	};
	int call = calls[pick(c, ARRAY_SIZE(calls))], type;

	if (!pick(c, 40))
		return SIM_SHADOW_PAR(SIM_SOME, pick(c, SIM_NR_SOME), pick(c, SIM_NR_PARENTS));
	if (!pick(c, 20))
		call = SIM_ALLOC;
	type = call == SIM_AGAIN ? 0 : pick(c, call == SIM_PREV ? SIM_COUNT : SIM_NR_TYPES);
	return SIM_SHADOW_PAR(call, type, pick(c, SIM_NR_PARENTS));
}

static void choose_par(struct chooser *c, struct sim_event *event)
{
	if (event->op == SIM_LOAD)
		choose_load(c, event);
	else if (event->op == SIM_INIT)
		event->par = !pick(c, 4);
	else if (event->op == SIM_COMING && pick(c, 256) < c->faults)
		event->par = c->vm || !pick(c, 3) ? SIM_PAR_CORE : choose_nomem(c);
}

static int choose_op(struct chooser *c, bool busy)
{
	unsigned int sum = 0, at;
	int op;

	for (op = 0; op < SIM_NR_OPS; op++)
		sum += weights[busy][op] * c->weights[op];
	at = pick(c, sum);
	for (op = 0; at >= (unsigned int)weights[busy][op] * c->weights[op]; op++)
		at -= weights[busy][op] * c->weights[op];
	return op;
}

static int choose_arg(struct chooser *c, int op)
{
	int arg;

	switch (op) {
	case SIM_TICK:
	case SIM_LEAVE:
	case SIM_GRACE:
		return 0;
	case SIM_ENTER:
	case SIM_CALL:
		return pick(c, 3) ? SIM_CMDLINE : pick(c, SIM_NR_FUNCS);
	case SIM_COMING:
	case SIM_INIT:
	case SIM_RMMOD:
		arg = pick(c, SIM_NR_TARGETS);
		return c->targets[arg] ? arg : SIM_NR_TARGETS - 1 - arg;
	default:
		return c->patches[pick(c, c->nr_patches)];
	}
}

void choose(struct chooser *c, struct sim_event *event)
{
	bool busy = run_busy(&got);
	int i;

	for (i = 0; i < MAX_TRIES; i++) {
		event->op = choose_op(c, busy);
		event->arg = choose_arg(c, event->op);
		event->par = event->op == SIM_SHADOW ? choose_shadow(c) : 0;
		if (model_sensible(the_model, event))
			break;
		if (run_possible(event) && pick(c, 256) < c->nonsense)
			break;
	}
	/* A grace period is always possible. */
	if (i == MAX_TRIES && !run_possible(event))
		*event = (struct sim_event){ .op = SIM_GRACE };
	choose_par(c, event);
	if (model_harmful(the_model, event))
		event->par = 0;
}
