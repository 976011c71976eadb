// SPDX-License-Identifier: GPL-2.0
/*
 * Short sequences for the VM, of which each has pairs of consecutive events that none had
 * before. There are no events in them that a VM cannot do exactly: allocations that fail,
 * grace periods, and a transition that could end by itself at any moment: where one can
 * end, a tick follows at once, for which the VM waits until it has ended.
 *
 * What tells two events apart is first how they ended and in which state of affairs, then
 * also which patch and which parameter it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "pool.h"

#define CANDIDATES	200000	/* of which some are taken, and at most so many without one */
#define MAX_LENGTH	14
#define NR_KINDS	1024
#define FINE_BITS	22

/* A new pair of kinds counts as much as so many new pairs of events. */
#define KIND_WEIGHT	32

static unsigned char kinds[NR_KINDS][NR_KINDS];
static unsigned char fine[1 << FINE_BITS];
static struct sim_model *ahead;
static int differ;	/* candidates that were dropped since the model does not agree */

static int par_class(const struct sim_event *event)
{
	if (event->par < SIM_PAR_CORE)
		return !!event->par;
	return event->par == SIM_PAR_CORE ? 2 : 3;
}

static int ret_class(int ret)
{
	return ret ? 1 + -ret % 7 : 0;
}

static int kind_of(const struct sim_event *event, int ret, bool busy, bool any)
{
	return (((event->op * 4 + par_class(event)) * 8 + ret_class(ret)) * 2 +
		(busy || (any && event->op == SIM_LOAD))) % NR_KINDS;
}

/* Where a transition can end, it does. */
static int settle(struct run *run)
{
	static const struct sim_event tick = { .op = SIM_TICK };
	static struct sim_seen after;

	if (!run_busy(&got))
		return 0;
	memcpy(ahead, the_model, model_size());
	model_event(ahead, &tick, &got, &after);
	return run_busy(&after) ? 0 : run_event(run, &tick);
}

struct candidate {
	int kinds[MAX_EVENTS];
	bool force;
};

static int do_one(struct run *run, struct candidate *c, const struct sim_event *event)
{
	bool busy = run_busy(&got), any = memchr(got.enabled, 1, sizeof(got.enabled));
	int at = run->nr, ret;

	ret = run_event(run, event);
	c->kinds[at] = kind_of(event, got.ret, busy, any);
	c->force |= event->op == SIM_FORCE && !got.ret;
	if (ret)
		return ret;
	ret = settle(run);
	if (run->nr > at + 1)
		c->kinds[at + 1] = kind_of(&run->events[at + 1], got.ret, true, any);
	return ret;
}

/* Where the model does not agree, the VM cannot be told when a transition can end. */
static int make_candidate(struct run *run, struct chooser *c, struct candidate *candidate)
{
	struct sim_event event;
	int nr, ret = 0;

	run_boot(run);
	choose_start(c, options.nr_specs ? &options.specs[pick(c, options.nr_specs)] : NULL);
	c->weights[SIM_TICK] = 0;
	c->weights[SIM_GRACE] = 0;
	candidate->force = false;
	nr = 3 + pick(c, MAX_LENGTH - 2);
	while (!ret && run->nr < nr) {
		choose(c, &event);
		/* This is what is chosen if nothing else can be. */
		if (event.op == SIM_GRACE)
			break;
		ret = do_one(run, candidate, &event);
	}
	return ret;
}

static unsigned char *fine_pair(const struct sim_event *a, const struct sim_event *b)
{
	unsigned int h = a->op << 16 | a->arg << 8 | a->par;

	h = h * 0x9e3779b1u + (b->op << 16 | b->arg << 8 | b->par);
	h *= 0x85ebca6bu;
	return &fine[h >> (32 - FINE_BITS)];
}

/* How much is new in @run; @take: not any more */
static int worth(const struct run *run, const struct candidate *c, bool take)
{
	unsigned char *kind, *pair;
	int sum = 0, i;

	for (i = 1; i < run->nr; i++) {
		kind = &kinds[c->kinds[i - 1]][c->kinds[i]];
		pair = fine_pair(&run->events[i - 1], &run->events[i]);
		sum += (*kind ? 0 : KIND_WEIGHT) + !*pair;
		if (take)
			*kind = *pair = 1;
	}
	return sum;
}

static int count(const unsigned char *p, size_t nr)
{
	int sum = 0;

	while (nr--)
		sum += *p++;
	return sum;
}

static void print_for_vm(struct run *run)
{
	int i, nr = 0;

	for (i = 0; i < run->nr; i++)
		if (run->events[i].op != SIM_GRACE)
			run->events[nr++] = run->events[i];
	run->nr = nr;
	print_sequence(run);
	printf("\n");
}

/* One sequence more that is worth @least at least; after many tries less is enough. */
static int take_one(struct run *run, struct chooser *c, int *least)
{
	static struct candidate candidate;
	int tries, nr, all;

	for (tries = 0; *least; tries++) {
		if (make_candidate(run, c, &candidate)) {
			differ++;
			continue;
		}
		if (worth(run, &candidate, false) >= *least) {
			nr = run->nr;
			if (run_drain(run)) {
				differ++;
				continue;
			}
			all = run->nr;
			run->nr = nr;
			worth(run, &candidate, true);
			run->nr = all;
			print_for_vm(run);
			return nr;
		}
		if (tries >= 400) {
			*least = *least * 7 / 8;
			tries = 0;
		}
	}
	return 0;
}

static void pairs_job(struct run *run, void *arg)
{
	struct chooser c = { .random = options.seed, .vm = true };
	int wanted = *(int *)arg, least = 16 * KIND_WEIGHT, nr = 0;

	ahead = malloc(model_size());
	if (!ahead) {
		fprintf(stderr, "sim: no memory for a model\n");
		exit(2);
	}
	for (; nr < wanted; nr++) {
		if (!take_one(run, &c, &least))
			break;
		run->sequences++;
	}
	run->kind = 0;
	if (differ)
		fprintf(stderr, "sim: %d sequences left out, of which the model says something else: sim --random shows them\n",
			differ);
	fprintf(stderr, "sim: %d sequences, %d pairs of kinds of events, %d of events\n", nr,
		count(kinds[0], sizeof(kinds)), count(fine, sizeof(fine)));
}

int pairs_main(int nr)
{
	struct run *run = run_new();

	worker_wait(worker_start(run, pairs_job, &nr, false), run);
	return run->kind ? report(run) : 0;
}
