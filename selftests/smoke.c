// SPDX-License-Identifier: GPL-2.0
/*
 * A patch author's own modules, put through what a livepatch meets in its life:
 * each one is loaded and its transition reversed, loaded again to replace the
 * one before, which is unloaded; from each one the system goes back to the one
 * before and forward again; the last one's disable is reversed, a patch without
 * states replaces it, it is loaded again and disabled.
 * What the modules do is not known here, so this looks at what must hold for
 * all: transitions end, modules unload, a reversal changes nothing, nothing is
 * left, values are what they were, the log is clean.
 *
 * /smoke.list names them in order, a line each: "klp NAME" for a livepatch,
 * "mod NAME" for another module, which stays loaded throughout.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smoke/smoke.h"

#define LIST		"/smoke.list"
#define NONE		"klp_sdk_none"	/* replaces all, has no states */

static struct step {
	char *name;
	void (*fn)(struct mod *m);
	struct mod *m;
	struct lines fresh;	/* names that came in this step */
} steps[9 * MODS_MAX + 12], *step = steps;
static int nr_steps;

/* The steps build on each other: true until the present one has come through. */
static bool failed;

/* The test itself is at fault. */
void __noreturn broken(const char *what, const char *name)
{
	out("# klp-sdk: fail %s %s", what, name);
	guest_end();
}

const char *step_name(int number)
{
	return steps[number - 1].name;
}

struct lines *step_fresh(int number)
{
	return &steps[number - 1].fresh;
}

int step_number(void)
{
	return step - steps + 1;
}

/* A step that could not be done is no failure of the author's. */
#define skip_step(fmt, ...)			\
	do {					\
		failed = false;			\
		skip(fmt, ##__VA_ARGS__);	\
	} while (0)

/* Steps */

static void do_load(struct mod *m)
{
	load_mod(m);
}

static void finish_reversal(struct mod *m)
{
	in_transition(m);
	turn(m, "0");
	release();
	unload(m);
	after_reversal(m);
}

static void do_load_reversed(struct mod *m)
{
	before_first_load();
	before_reversal();
	hold();
	load_mod(m);
	finish_reversal(m);
}

static void do_load_for_good(struct mod *m)
{
	load_mod(m);
	settle(m);
	must(klp_enabled(m->name) == 1, "%s is not enabled", m->name);
}

/* A patch that does not replace leaves the others as they are. */
static void do_unload_replaced(struct mod *new)
{
	bool any = false;
	struct mod *m;

	for_each_mod(m)
		if (m != new && m->livepatch && m->loaded && klp_enabled(m->name) != 1) {
			unload(m);
			any = true;
		}
	still_enabled(NULL);
	if (!any)
		out("# it replaced none");
}

/* To an older patch, or to the same after one without states */

static void must_be_away(const struct mod *m)
{
	if (m->loaded)
		skip_step("it was not replaced");
}

static void do_back_reversed(struct mod *m)
{
	int err;

	must_be_away(m);
	before_reversal();
	hold();
	err = try_load(m);
	if (err && refusal()) {
		release();
		skip_step("%s", refusal());
	}
	must(!err, "%s does not load over the newer patch: %s", m->name, strerror(-err));
	finish_reversal(m);
}

static void do_back(struct mod *m)
{
	int err;

	must_be_away(m);
	err = try_load(m);
	if (err && refusal())
		skip_step("%s", refusal());
	must(!err, "%s does not load over the newer patch: %s", m->name, strerror(-err));
	settle(m);
	must(klp_enabled(m->name) == 1, "%s is not enabled", m->name);
}

static void do_again(struct mod *m)
{
	must_be_away(m);
	do_load_for_good(m);
}

/* The SDK's own patch; what it replaces is unloaded. */
static void do_drop(struct mod *m)
{
	int err = mod_load(NONE, "");

	if (err && refusal())
		skip_step("%s", refusal());
	must(!err, "a patch without states does not load: %s", strerror(-err));
	must(!klp_settle(NONE), "the transition to a patch without states does not end");
	for_each_mod(m)
		if (m->livepatch && m->loaded)
			unload(m);
}

static void drop_none(void)
{
	if (!mod_loaded(NONE))
		return;
	if (klp_enabled(NONE) == 1)
		must(!klp_write(NONE, "enabled", "0") && !klp_settle(NONE),
		     NONE " cannot be disabled");
	must(!klp_wait_gone(NONE) && !mod_unload(NONE), NONE " cannot be unloaded");
}

static void do_after_drop(struct mod *m)
{
	must_be_away(m);
	do_load_for_good(m);
	drop_none();
}

static void do_disable_reversed(struct mod *m)
{
	before_reversal();
	hold();
	turn(m, "0");
	in_transition(m);
	turn(m, "1");
	release();
	settle(m);
	after_reversal(m);
}

static void do_disable(struct mod *m)
{
	turn(m, "0");
	settle(m);
	still_enabled(m);
}

static void do_unload(struct mod *m)
{
	unload(m);
}

static void do_rest(struct mod *last)
{
	struct mod *m;

	for_each_mod_back(m)
		if (m->livepatch && m->loaded) {
			do_disable(m);
			unload(m);
		}
}

static void do_values(struct mod *none)
{
	values_restored();
}

static void do_nothing_left(struct mod *none)
{
	nothing_left();
}

/* The plan */

static void add(void (*fn)(struct mod *m), struct mod *m, const char *what)
{
	struct step *s = &steps[nr_steps++];

	if (asprintf(&s->name, "%s%s%s", m ? m->name : "", m ? ": " : "", what) < 0)
		abort();
	s->fn = fn;
	s->m = m;
}

static void read_list(void)
{
	static char text[16384];
	char *line, *save, kind[4];

	file_read(LIST, text, sizeof(text));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct mod *m = &mods[nr_mods];

		if (nr_mods == MODS_MAX || sscanf(line, "%3s %63s", kind, m->name) != 2)
			continue;
		m->livepatch = !strcmp(kind, "klp");
		memcpy(m->file, m->name, sizeof(m->file));
		for (char *c = m->name; (c = strchr(c, '-')); )
			*c = '_';
		nr_mods++;
	}
}

/* Forward, back and forward again */
static void plan_patch(struct mod *m, struct mod *old)
{
	add(do_load_reversed, m, "load, reversed");
	add(do_load_for_good, m, "load");
	if (!old)
		return;
	add(do_unload_replaced, m, "unload what it replaced");
	add(do_back_reversed, old, "go back to it, reversed");
	add(do_back, old, "go back to it");
	add(do_unload_replaced, old, "unload what it replaced");
	add(do_again, m, "load again");
	add(do_unload_replaced, m, "unload what it replaced");
}

static void make_plan(void)
{
	struct mod *m, *last = NULL;
	bool several = false;

	for_each_mod(m)
		if (!m->livepatch)
			add(do_load, m, "load");
	for_each_mod(m) {
		if (!m->livepatch)
			continue;
		plan_patch(m, last);
		several = last;
		last = m;
	}
	if (last) {
		add(do_disable_reversed, last, "disable, reversed");
		add(do_drop, last, "replaced by a patch without states");
		add(do_after_drop, last, "load after that");
		add(do_disable, last, "disable");
		add(do_unload, last, "unload");
	}
	if (several)
		add(do_rest, NULL, "no patch is left");
	add(do_values, NULL, "values are what they were");
	for_each_mod_back(m)
		if (!m->livepatch)
			add(do_unload, m, "unload");
	add(do_nothing_left, NULL, "nothing is left");
}

static void run_step(void)
{
	if (failed)
		skip("a step before has failed");
	failed = true;
	taken_step(step_number());
	step->fn(step->m);
	failed = false;
}

static void end_step(void)
{
	if (!failed)
		after_step();
	step++;
}

int main(void)
{
	static struct test tests[ARRAY_SIZE(steps)];

	guest_boot();
	read_list();
	make_plan();
	for (int i = 0; i < nr_steps; i++) {
		tests[i].name = steps[i].name;
		tests[i].fn = run_step;
	}
	checks_start();
	test_after = end_step;
	run_tests(tests, nr_steps);
	guest_end();
}
