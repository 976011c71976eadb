// SPDX-License-Identifier: GPL-2.0
/*
 * Shortens a sequence that ends in a difference, as long as the same kind of difference
 * is left: drops events, then pairs of them, and makes simple what they still say. Each
 * attempt is a process of its own, so that a crash or a hang is a difference like others.
 */
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "pool.h"

#define MAX_PAIRS	48	/* events of a sequence whose pairs are tried */

struct sequence {
	int nr;
	struct sim_event events[MAX_EVENTS];
};

static struct run *trial;
static int kind;
static unsigned int budget;	/* attempts that are left */

static void work(struct run *run, void *arg)
{
	struct sequence *s = arg;
	int ret = 0, i;

	run_boot(run);
	for (i = 0; !ret && i < s->nr; i++)
		if (run_possible(&s->events[i]))
			ret = run_event(run, &s->events[i]);
	if (!ret)
		run_drain(run);
}

static bool fails(struct sequence *s)
{
	if (!budget)
		return false;
	budget--;
	worker_wait(worker_start(trial, work, s, true), trial);
	return trial->kind == kind;
}

static void cut(struct sequence *s, int at, int nr)
{
	s->nr -= nr;
	memmove(s->events + at, s->events + at + nr, (s->nr - at) * sizeof(*s->events));
}

/* Without the @nr events at @at, if it fails that way too */
static bool try_cut(struct sequence *s, int at, int nr)
{
	struct sequence without = *s;

	cut(&without, at, nr);
	if (!fails(&without))
		return false;
	*s = without;
	return true;
}

static bool drop_parts(struct sequence *s)
{
	bool any = false;
	int size, at;

	for (size = (s->nr + 1) / 2; size; size /= 2)
		for (at = s->nr - size; at >= 0; at -= size)
			any |= try_cut(s, at, size);
	return any;
}

/* Two that need each other: enter and leave, load and unload */
static bool drop_pairs(struct sequence *s)
{
	struct sequence without;
	int i, k;

	for (i = 0; i < s->nr && s->nr <= MAX_PAIRS; i++)
		for (k = i + 1; k < s->nr; k++) {
			without = *s;
			cut(&without, k, 1);
			cut(&without, i, 1);
			if (!fails(&without))
				continue;
			*s = without;
			return true;
		}
	return false;
}

static bool try_set(struct sequence *s, int at, int arg, int par)
{
	struct sequence other = *s;

	other.events[at].arg = arg;
	other.events[at].par = par;
	if (sim_event_odd(&other.events[at]) || !fails(&other))
		return false;
	*s = other;
	return true;
}

/* No parameter, or a lower one */
static bool simplify(struct sequence *s)
{
	bool any = false;
	int i, par;

	for (i = 0; i < s->nr; i++) {
		par = s->events[i].par;
		if (!par)
			continue;
		if (try_set(s, i, s->events[i].arg, 0)) {
			any = true;
			continue;
		}
		if (par < SIM_PAR_CORE) {
			for (par = 1; par < s->events[i].par; par++)
				if (try_set(s, i, s->events[i].arg, par))
					break;
		} else if (par > SIM_PAR_STATE && par < SIM_PAR_RAW_STACKED) {
			any |= try_set(s, i, s->events[i].arg, SIM_PAR_STATE);
		}
	}
	return any;
}

/* Patch @from is patch @to everywhere */
static bool rename_patch(struct sequence *s, int from, int to)
{
	struct sequence other = *s;
	int i;

	for (i = 0; i < other.nr; i++) {
		if (other.events[i].op >= SIM_TICK || other.events[i].arg != from)
			continue;
		other.events[i].arg = to;
		if (sim_event_odd(&other.events[i]))
			return false;
	}
	if (!fails(&other))
		return false;
	*s = other;
	return true;
}

static bool uses(const struct sequence *s, int patch)
{
	int i;

	for (i = 0; i < s->nr; i++)
		if (s->events[i].op < SIM_TICK && s->events[i].arg == patch)
			return true;
	return false;
}

/* The patches that are earlier in the list are better known. */
static void rename_patches(struct sequence *s)
{
	int from, to;

	for (from = 0; from < SIM_NR_PATCHES; from++)
		for (to = 0; to < from && uses(s, from); to++)
			if (!uses(s, to) && rename_patch(s, from, to))
				break;
}

static void shrink(struct sequence *s)
{
	bool any;

	do {
		while (drop_parts(s))
			;
		any = simplify(s);
		any |= drop_pairs(s);
	} while (any);
	rename_patches(s);
}

/*
 * What is printed
 */

void print_sequence(const struct run *run)
{
	char buf[64];
	int i;

	for (i = 0; i < run->nr; i++) {
		text_event(&run->events[i], buf, sizeof(buf));
		printf("%s%s", i ? "; " : "", buf);
	}
}

static void print_log(const char *log)
{
	int len;

	printf("log of the last event:\n");
	for (; *log; log += len + !!log[len]) {
		len = strcspn(log, "\n");
		printf("\t%.*s\n", len, log);
	}
}

static void print_run(const struct run *run)
{
	char last[64] = "nothing";

	if (run->nr)
		text_event(&run->events[run->nr - 1], last, sizeof(last));
	printf("difference after '%s', event %d: %s\n", last, run->nr, run->text);
	print_log(run->log);
	printf("sequence: ");
	print_sequence(run);
	printf("\nto do it again: make sim REPLAY='");
	print_sequence(run);
	printf("'\n");
}

int report(struct run *run)
{
	static struct sequence sequence, *s = &sequence;

	if (options.keep) {
		print_run(run);
		return 1;
	}
	printf("found: %s\nshortening %d events\n", run->text, run->nr);
	trial = run_new();
	kind = run->kind;
	budget = kind == END_HANG ? 64 : 20000;
	s->nr = run->nr;
	memcpy(s->events, run->events, s->nr * sizeof(*s->events));
	if (!fails(s)) {
		printf("but these events alone do not lead to it:\n");
		print_run(run);
		return 1;
	}
	shrink(s);
	budget = 1;
	/* This time with what a sanitizer has to say */
	worker_wait(worker_start(trial, work, s, false), trial);
	print_run(trial->kind == kind ? trial : run);
	return 1;
}
