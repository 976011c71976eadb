// SPDX-License-Identifier: GPL-2.0
/*
 * Random sequences: patches are loaded (also with failures), replaced, shared,
 * reversed, forced, disabled and unloaded, and a module comes and goes, in any
 * order that the core allows, from a seed that is printed, and what must hold is
 * checked after each step:
 *
 * - the change is made if and only if an enabled patch holds alpha;
 * - the patch that is seen has sound data;
 * - each state that is held has one record, all of whose holders are live, or
 *   idle if the state's module is not loaded;
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

#define MOD1	"tp_mod1"
#define ALPHA	0x0001
#define BETA	0x0002
#define GAMMA	0x0004
#define DELTA	0x0008
#define VMS	0x0030	/* va, vb */
#define MB	0x0040
#define MC	0x0080
#define MA	0x0100
#define NAMED	0x0600	/* na, vc */
#define NB	0x0800
#define SHARED	0x3000	/* sv, sm */

/* In the order of the bits. */
static const struct {
	const char *name, *object;
} states[] = {
	{ "alpha", NULL }, { "beta", NULL }, { "gamma", NULL },
	{ "delta", NULL }, { "va", NULL }, { "vb", NULL },
	{ "mb", MOD1 }, { "mc", MOD1 }, { "ma", MOD1 },
	{ "na", "tp_mod2" }, { "vc", NULL }, { "nb", "tp_mod2" },
	{ "sv", NULL }, { "sm", MOD1 },
};

/* The states that a patch holds when it is enabled. */
static struct candidate {
	const char *name;
	unsigned int states;
	bool forced;		/* it was: its module stays for good */
} pool[] = {
	{ "tp_a1",	ALPHA | BETA | GAMMA, false },
	{ "tp_a1b",	ALPHA | BETA | GAMMA, false },
	{ "tp_a2",	ALPHA | BETA | GAMMA, false },
	{ "tp_b2",	ALPHA | BETA | GAMMA, false },
	{ "tp_b1",	ALPHA | BETA | GAMMA, false },
	{ "tp_a3",	ALPHA | BETA | GAMMA, false },
	{ "tp_delta",	ALPHA | BETA | GAMMA | DELTA, false },
	{ "tp_modonly",	ALPHA | BETA | GAMMA, false },
	{ "tp_nogamma",	ALPHA | BETA, false },
	{ "tp_nomig",	ALPHA | BETA | GAMMA, false },
	{ "tp_nostate",	0, false },
	{ "tp_perm",	ALPHA | BETA | GAMMA, false },
	{ "tp_retire",	BETA | GAMMA, false },
	{ "tp_retire2",	BETA | GAMMA, false },
	{ "tp_s1",	ALPHA | BETA, false },
	{ "tp_s2",	ALPHA | BETA, false },
	{ "tp_s2p",	ALPHA | BETA, false },
	{ "tp_s3",	ALPHA | BETA, false },
	{ "tp_stack",	ALPHA | BETA | GAMMA, false },
	{ "tp_m1",	VMS | MA | MB | MC | NAMED | NB, false },
	{ "tp_m1b",	VMS | MA | MB | MC | NAMED | NB, false },
	{ "tp_m2",	VMS | MA | MB | MC | NAMED | NB, false },
	{ "tp_mb2",	VMS | MA | MB | MC | NAMED | NB, false },
	{ "tp_m3",	VMS | MB | MC | NB, false },
	{ "tp_mr",	VMS | MB | MC | NAMED | NB, false },
	{ "tp_ms1",	SHARED, false },
	{ "tp_ms2",	SHARED, false },
	{ "tp_ms3",	SHARED, false },
};

static unsigned int seed;
static pid_t held;
static const char *moving;	/* the patch in transition */
static bool may_force;

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

/* The one line of a state in @list: as many holders, and nobody half-way. */
static void check_listed(const char *list, size_t nr, int holders)
{
	const char *object = states[nr].object, *phase, *line;
	char want[64];
	size_t len;
	int n = 0;

	snprintf(want, sizeof(want), " %s %s ", object ?: "vmlinux",
		 states[nr].name);
	line = strstr(list, want);
	/* An orphan of a forced disable has none. */
	if (line && !holders && may_force)
		return;
	check(!line == !holders, "%d holders of%sbut:\n%s", holders, want, list);
	if (!line)
		return;
	check(!strstr(line + 1, want), "two records of%s:\n%s", want, list);
	phase = !object || mod_loaded(object) ? ":live" : ":idle";
	len = strcspn(line, "\n");
	for (; len >= 5; line++, len--)
		n += !strncmp(line, phase, 5);
	check(n == holders, "%d %s, not %d:\n%s", n, phase + 1, holders, list);
}

static void check_invariants(void)
{
	int holders[ARRAY_SIZE(states)] = { 0 };
	const char *any = NULL;
	char path[128], list[4096];
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(pool); i++) {
		/* One that is disabled stays in sysfs for a moment. */
		if (klp_enabled(pool[i].name) != 1)
			continue;
		any = pool[i].name;
		for (k = 0; k < ARRAY_SIZE(states); k++)
			holders[k] += pool[i].states >> k & 1;
	}

	check(!kmsg_has(" BAD "), "%s", kmsg_since());
	check(console_level() == (holders[0] ? RAISED_LEVEL : BASE_LEVEL),
	      "alpha has %d holders, the level is %ld", holders[0],
	      console_level());
	if (!any)
		return;
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/klp_sdk_states",
		 any);
	check(file_read(path, list, sizeof(list)) > 0, "cannot read %s", path);
	for (k = 0; k < ARRAY_SIZE(states); k++)
		check_listed(list, k, holders[k]);

	show();
	if (*val("alpha"))
		check(num("magic") == 1 && num("saved") == BASE_LEVEL &&
		      !strcmp(val("buf"), "alpha") && num("beta_live") == 1,
		      "not sound: %s", shown());
	if (*val("data_magic"))
		check(num("data_magic") == 1, "not sound: %s", shown());
	if (*val("made"))
		check(num("made") == 1, "not sound: %s", shown());
}

/* Unload what is not in use; the core holds a reference on what is. */
static void sweep(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pool); i++) {
		if (pool[i].forced || !mod_loaded(pool[i].name) ||
		    klp_present(pool[i].name))
			continue;
		/* Once something was forced, it may be kept for good. */
		if (!may_force)
			check_ok(klp_wait_gone(pool[i].name));
		else
			sleep_ms(100);
		if (mod_unload(pool[i].name)) {
			check(may_force, "cannot unload %s", pool[i].name);
			pool[i].forced = true;
		}
	}
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
			 states[pick(ARRAY_SIZE(states))].name);
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

/* A module that patches change comes, or goes. */
static void step_module(void)
{
	int ret;

	if (!mod_loaded(MOD1)) {
		mod_load(MOD1, pick(4) ? "" : "fail=-5");
		return;
	}
	/* An orphan of a forced disable keeps it. */
	ret = mod_unload(MOD1);
	check(!ret || (may_force && ret == -EAGAIN), MOD1 ": %s",
	      strerror(-ret));
}

/* The modules of patches that are forced out stay for good. */
static void step_force(void)
{
	bool there[ARRAY_SIZE(pool)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pool); i++)
		there[i] = klp_present(pool[i].name);
	/* -EINVAL or -EPERM if it is complete by now */
	if (klp_write(moving, "force", "1"))
		return;
	forced = true;
	check_ok(klp_settle(NULL));
	for (i = 0; i < ARRAY_SIZE(pool); i++)
		pool[i].forced |= there[i] && klp_enabled(pool[i].name) != 1;
	settle();
}

/*
 * The core reads beyond an object of its own if the disable of a patch is
 * reversed that lies below another one.
 */
static bool may_reverse(void)
{
	size_t i;

	if (klp_enabled(moving))
		return true;
	for (i = 0; i < ARRAY_SIZE(pool); i++)
		if (klp_enabled(pool[i].name) == 1)
			return false;
	return true;
}

static void step(void)
{
	/* The held task may not be in a function that this patch changes. */
	if (moving && klp_transition(moving) != 1)
		settle();

	if (!moving) {
		if (!pick(5))
			step_module();
		else if (pick(3))
			step_load();
		else
			step_disable();
	} else if (!pick(3)) {
		step_module();
	} else if (may_force && !pick(4)) {
		step_force();
	} else if (pick(2) && may_reverse()) {
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

static void run(int steps)
{
	char buf[32];
	size_t i;

	/* What an earlier test has forced out cannot be loaded again. */
	for (i = 0; i < ARRAY_SIZE(pool); i++)
		pool[i].forced = mod_loaded(pool[i].name);
	seed = cmdline_get("klp_sdk.seed", buf, sizeof(buf)) ? atoi(buf) : 1;
	if (cmdline_get("klp_sdk.steps", buf, sizeof(buf)))
		steps = atoi(buf);
	out("# %d steps from klp_sdk.seed=%u", steps, seed);
	held = 0;
	moving = NULL;
	while (steps--)
		step();
	settle();
	sweep();
	check_invariants();
}

void test_random(void)
{
	may_force = false;
	run(100);
}

/* With force, which uses up a patch each time. */
void test_19_random(void)
{
	may_force = true;
	run(100);
}
