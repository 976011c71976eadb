// SPDX-License-Identifier: GPL-2.0
/*
 * Random sequences: patches are loaded (also with failures), replaced, shared,
 * reversed, disabled and unloaded in any order that the core allows, from a seed
 * that is printed, and what must hold is checked after each step:
 *
 * - the change is made if and only if an enabled patch holds alpha;
 * - the patch that is seen has sound data;
 * - each state that is held has one record, all of whose holders are live;
 * - a load that fails changes nothing.
 *
 * klp_sdk.seed= and klp_sdk.steps= on the kernel's command line choose another
 * sequence. What is left over at the end is found by the leak check that
 * follows every test.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"
#include "fields.h"
#include "vm/guest.h"

/* The states that a patch holds when it is enabled. */
static const struct candidate {
	const char *name;
	int alpha, beta, gamma, delta;
} pool[] = {
	{ "tp_a1",	1, 1, 1, 0 },
	{ "tp_a1b",	1, 1, 1, 0 },
	{ "tp_a2",	1, 1, 1, 0 },
	{ "tp_a3",	1, 1, 1, 0 },
	{ "tp_delta",	1, 1, 1, 1 },
	{ "tp_modonly",	1, 1, 1, 0 },
	{ "tp_nogamma",	1, 1, 0, 0 },
	{ "tp_nomig",	1, 1, 1, 0 },
	{ "tp_nostate",	0, 0, 0, 0 },
	{ "tp_perm",	1, 1, 1, 0 },
	{ "tp_retire",	0, 1, 1, 0 },
	{ "tp_retire2",	0, 1, 1, 0 },
	{ "tp_s1",	1, 1, 0, 0 },
	{ "tp_s2",	1, 1, 0, 0 },
	{ "tp_s3",	1, 1, 0, 0 },
	{ "tp_stack",	1, 1, 1, 0 },
};

static unsigned int seed;
static pid_t held;
static const char *moving;	/* the patch in transition */

static int pick(int n)
{
	return rand_r(&seed) % n;
}

static void settle(void)
{
	char buf[1024];

	if (held) {
		check_ok(hold_release_all());
		check(!hold_finish(held, buf, sizeof(buf)),
		      "the held task failed");
		held = 0;
	}
	check_ok(klp_settle(NULL));
	moving = NULL;
}

/* One line of the list of states: one record, and nobody half-way. */
static void check_listed(const char *list, const char *name, int holders)
{
	char want[32];
	const char *line;
	size_t len;
	int n = 0;

	snprintf(want, sizeof(want), " %s ", name);
	line = strstr(list, want);
	check(!line == !holders, "%d holders of%sbut:\n%s", holders, want, list);
	if (!line)
		return;
	check(!strstr(line + 1, want), "two records of%s:\n%s", want, list);
	len = strcspn(line, "\n");
	for (; len >= 5; line++, len--)
		n += !strncmp(line, ":live", 5);
	check(n == holders, "%d live, not %d:\n%s", n, holders, list);
}

static void check_invariants(void)
{
	int alpha = 0, beta = 0, gamma = 0, delta = 0;
	const char *any = NULL;
	char path[128], list[4096];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pool); i++) {
		/* One that is disabled stays in sysfs for a moment. */
		if (klp_enabled(pool[i].name) != 1)
			continue;
		any = pool[i].name;
		alpha += pool[i].alpha;
		beta += pool[i].beta;
		gamma += pool[i].gamma;
		delta += pool[i].delta;
	}

	check(console_level() == (alpha ? RAISED_LEVEL : BASE_LEVEL),
	      "alpha has %d holders, the level is %ld", alpha, console_level());
	if (!any)
		return;
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/klp_sdk_states",
		 any);
	check(file_read(path, list, sizeof(list)) > 0, "cannot read %s", path);
	check_listed(list, "alpha", alpha);
	check_listed(list, "beta", beta);
	check_listed(list, "gamma", gamma);
	check_listed(list, "delta", delta);

	show();
	if (*val("alpha"))
		check(num("magic") == 1 && num("saved") == BASE_LEVEL &&
		      !strcmp(val("buf"), "alpha") && num("beta_live") == 1,
		      "not sound: %s", shown());
}

/* Unload what is not in use; the core holds a reference on what is. */
static void sweep(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pool); i++)
		if (mod_loaded(pool[i].name) && !klp_present(pool[i].name) &&
		    !klp_wait_gone(pool[i].name))
			check_ok(mod_unload(pool[i].name));
}

static void hold(void)
{
	held = hold_start(PROC);
	check(held > 0, "no task could be held");
}

/* A patch that is enabled and not in transition, or NULL. */
static const char *pick_enabled(void)
{
	const char *found = NULL;
	size_t i;
	int n = 0;

	for (i = 0; i < ARRAY_SIZE(pool); i++)
		if (klp_enabled(pool[i].name) == 1 && !pick(++n))
			found = pool[i].name;
	return found;
}

static void step_load(void)
{
	static const char *const states[] = { "alpha", "beta", "gamma", "delta" };
	const struct candidate *c = &pool[pick(ARRAY_SIZE(pool))];
	char params[64] = "";

	if (mod_loaded(c->name))
		return;
	switch (pick(4)) {
	case 0:
		snprintf(params, sizeof(params), "fail_alloc=%d", 1 + pick(16));
		break;
	case 1:
		/* tp_nostate has no such parameter, and ignores it */
		snprintf(params, sizeof(params), "fail_state=%s",
			 states[pick(ARRAY_SIZE(states))]);
		break;
	}
	if (pick(2))
		hold();
	if (mod_load(c->name, params)) {
		check(!klp_present(c->name), "%s failed and stays", c->name);
		settle();
		check_invariants();
		return;
	}
	moving = c->name;
	if (held)
		sleep_ms(1200);
	else
		settle();
}

static void step_disable(void)
{
	const char *name = pick_enabled();

	if (!name)
		return;
	if (pick(2))
		hold();
	check_ok(klp_write(name, "enabled", "0"));
	moving = name;
	if (held)
		sleep_ms(1200);
	else
		settle();
}

static void step(void)
{
	/* The held task may not be in a function that this patch changes. */
	if (moving && klp_transition(moving) != 1)
		settle();

	if (!moving) {
		if (pick(3))
			step_load();
		else
			step_disable();
	} else if (pick(2)) {
		/* -EBUSY if it is complete by now */
		klp_write(moving, "enabled", klp_enabled(moving) ? "0" : "1");
		if (pick(2))
			sleep_ms(1200);
	} else {
		settle();
	}

	if (!moving) {
		sweep();
		check_invariants();
	}
}

void test_random(void)
{
	char buf[32];
	int i, steps = 300;

	seed = cmdline_get("klp_sdk.seed", buf, sizeof(buf)) ? atoi(buf) : 1;
	if (cmdline_get("klp_sdk.steps", buf, sizeof(buf)))
		steps = atoi(buf);
	out("# %d steps from klp_sdk.seed=%u", steps, seed);
	held = 0;
	for (i = 0; i < steps; i++)
		step();
	settle();
	sweep();
	check_invariants();
}
