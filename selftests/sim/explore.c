// SPDX-License-Identifier: GPL-2.0
/*
 * All sequences over a pool, breadth first, where a state that was met before is not
 * visited again. A state is kept as the event that led to it from another one: 24 bytes.
 * To come back to it the events are done again, from the last state on the way that is
 * still kept as a whole. As the states of a level are in the order of their parents, that
 * is little more than one event for each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "pool.h"

#define MAX_DEPTH	64
#define MAX_ALPHABET	256

struct node {
	unsigned long long hash;
	unsigned int parent;
	struct sim_event event;
};

/* All of both sides */
struct snapshot {
	unsigned long size;		/* room in @kern */
	void *kern;
	struct sim_model *model;
};

static struct explorer {
	struct run *run;
	const struct spec *spec;
	struct sim_event alphabet[MAX_ALPHABET];
	int nr_events;
	struct node *nodes;
	unsigned int nr, max;
	unsigned int *table;	/* of nodes by hash, number + 1 */
	unsigned int mask;
	/* The way to the state that is expanded, and what is kept of each */
	unsigned int way[MAX_DEPTH + 1];
	struct snapshot kept[MAX_DEPTH + 1];
	int depth;
	unsigned long model_size;
} x;

static void no_memory(void)
{
	fprintf(stderr, "sim: no memory for %u states: use a smaller --states\n", x.max);
	exit(2);
}

static void *need(void *p)
{
	if (!p)
		no_memory();
	return p;
}

static void save(int depth)
{
	struct snapshot *s = &x.kept[depth];

	unsigned long size = kern_save_size();

	if (s->size < size) {
		s->kern = need(realloc(s->kern, size));
		s->size = size;
	}
	if (!s->model)
		s->model = need(malloc(x.model_size));
	kern_save(s->kern);
	memcpy(s->model, the_model, x.model_size);
}

static void restore(int depth)
{
	kern_restore(x.kept[depth].kern);
	memcpy(the_model, x.kept[depth].model, x.model_size);
	x.run->nr = x.spec->grace ? depth : 2 * depth;
}

/*
 * States
 */

static unsigned long long mix(unsigned long long h, unsigned long long word)
{
	h = (h ^ word) * 0x9fb21c651e98df25ull;
	return h ^ h >> 32;
}

static unsigned long long hash_state(void)
{
	unsigned long long h = kern_hash(), word;
	const char *p = (const char *)the_model;
	unsigned long len = x.model_size;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = mix(h, word);
	}
	word = 0;
	memcpy(&word, p, len);
	return mix(h, word);
}

static void table_put(unsigned int nr)
{
	unsigned int i = x.nodes[nr].hash & x.mask;

	while (x.table[i])
		i = (i + 1) & x.mask;
	x.table[i] = nr + 1;
}

static void grow(void)
{
	unsigned int i;

	x.max = x.max ? 2 * x.max : 4096;
	x.nodes = need(realloc(x.nodes, x.max * sizeof(*x.nodes)));
	free(x.table);
	x.mask = 2 * x.max - 1;
	x.table = need(calloc(x.mask + 1ul, sizeof(*x.table)));
	for (i = 0; i < x.nr; i++)
		table_put(i);
}

static bool known(unsigned long long hash)
{
	unsigned int i;

	for (i = hash & x.mask; x.table[i]; i = (i + 1) & x.mask)
		if (x.nodes[x.table[i] - 1].hash == hash)
			return true;
	return false;
}

static void add_state(unsigned long long hash, unsigned int parent,
		      const struct sim_event *event)
{
	if (x.nr == x.max)
		grow();
	x.nodes[x.nr] = (struct node){ .hash = hash, .parent = parent, .event = *event };
	table_put(x.nr++);
	x.run->states = x.nr;
}

/*
 * Events
 */

static void add_event(int op, int arg, int par)
{
	if (x.nr_events == MAX_ALPHABET) {
		fprintf(stderr, "sim: pool %s is too large: leave patches out\n", x.spec->name);
		exit(2);
	}
	x.alphabet[x.nr_events++] = (struct sim_event){ op, arg, par };
}

static void add_patch(int patch)
{
	int states = sim_pool[patch].fails ? sim_nr_states(patch) : 0;

	add_event(SIM_LOAD, patch, 0);
	if (patch == SIM_raw)
		add_event(SIM_LOAD, patch, SIM_PAR_RAW_STACKED);
	if (x.spec->core)
		add_event(SIM_LOAD, patch, SIM_PAR_CORE);
	/* The first one and the last one: nothing was prepared, or all */
	if (x.spec->fail && states)
		add_event(SIM_LOAD, patch, SIM_PAR_STATE);
	if (x.spec->fail && states > 1)
		add_event(SIM_LOAD, patch, SIM_PAR_STATE + states - 1);
	add_event(SIM_UNLOAD, patch, 0);
	add_event(SIM_ENABLE, patch, 0);
	add_event(SIM_DISABLE, patch, 0);
	if (x.spec->force)
		add_event(SIM_FORCE, patch, 0);
}

/* One parent will do: values of several have nothing to do with each other. */
static void add_values(int patch)
{
	static const unsigned char calls[] = { SIM_GET, SIM_GET_OR_ALLOC, SIM_FREE };
	size_t i;
	int type;

	for (type = SIM_PLAIN; type <= SIM_INDEX; type++)
		for (i = 0; i < ARRAY_SIZE(calls); i++)
			add_event(SIM_SHADOW, patch, SIM_SHADOW_PAR(calls[i], type, 1));
}

static void add_target(int target)
{
	add_event(SIM_COMING, target, 0);
	if (x.spec->core)
		add_event(SIM_COMING, target, SIM_PAR_CORE);
	add_event(SIM_INIT, target, 0);
	add_event(SIM_INIT, target, 1);
	add_event(SIM_RMMOD, target, 0);
}

static void make_alphabet(void)
{
	int i;

	for (i = 0; i < x.spec->nr; i++)
		add_patch(x.spec->patches[i]);
	for (i = 0; x.spec->values && i < x.spec->nr; i++)
		add_values(x.spec->patches[i]);
	for (i = 0; i < SIM_NR_TARGETS; i++)
		if (x.spec->targets[i])
			add_target(i);
	for (i = 0; i < SIM_NR_FUNCS; i++)
		if (spec_func(x.spec, i))
			add_event(SIM_ENTER, i, 0);
	add_event(SIM_LEAVE, 0, 0);
	add_event(SIM_TICK, 0, 0);
	if (x.spec->grace)
		add_event(SIM_GRACE, 0, 0);
}

/* Unless a grace period is an event of its own, one passes after each. */
static int do_event(const struct sim_event *event)
{
	static const struct sim_event grace = { .op = SIM_GRACE };
	int ret, injected;

	ret = run_event(x.run, event);
	if (ret || x.spec->grace)
		return ret;
	injected = got.injected;
	ret = run_event(x.run, &grace);
	got.injected = injected;
	return ret;
}

/*
 * Exploration
 */

/* Back in state @nr; what is kept on the way to the last one is used. */
static int visit(unsigned int nr)
{
	unsigned int way[MAX_DEPTH + 1], at;
	int depth = 0, common = 0, ret = 0;

	for (at = nr; at; at = x.nodes[at].parent)
		depth++;
	for (at = nr, way[0] = 0; at; at = x.nodes[at].parent)
		way[depth--] = at;
	while (way[depth] != nr)
		depth++;
	while (common < depth && common < x.depth && way[common + 1] == x.way[common + 1])
		common++;
	restore(common);
	while (!ret && common < depth) {
		ret = do_event(&x.nodes[way[common + 1]].event);
		save(++common);
		x.way[common] = way[common];
	}
	x.depth = depth;
	if (!ret && depth && hash_state() != x.nodes[nr].hash)
		ret = run_differs(x.run, END_STATE,
				  "state: these events led to another state the first time");
	return ret;
}

/* @event in the state that is kept last; a new state is also seen to end well. */
static int try_event(unsigned int parent, const struct sim_event *event)
{
	unsigned long long hash;
	int ret;

	restore(x.depth);
	ret = do_event(event);
	if (ret)
		return ret;
	hash = hash_state();
	if (known(hash))
		return 0;
	add_state(hash, parent, event);
	if (options.no_drain)
		return 0;
	return run_drain(x.run);
}

static int try_nomem(unsigned int parent, const struct sim_event *event)
{
	struct sim_event e = *event;
	int ret = 0;

	for (e.par = 1; !ret && e.par < SIM_PAR_CORE; e.par++) {
		ret = try_event(parent, &e);
		if (!got.injected)
			break;
	}
	return ret;
}

static bool limit(void)
{
	if (x.nr > options.states)
		return true;
	return options.seconds && cpu_time() > options.seconds;
}

static int expand(unsigned int nr)
{
	const struct sim_event *event;
	int ret = visit(nr), i;
	bool plain;

	for (i = 0; !ret && i < x.nr_events; i++) {
		event = &x.alphabet[i];
		if (!model_sensible(x.kept[x.depth].model, event))
			continue;
		ret = try_event(nr, event);
		plain = !event->par && (event->op == SIM_LOAD || event->op == SIM_COMING);
		if (!ret && x.spec->nomem && plain)
			ret = try_nomem(nr, event);
	}
	return ret;
}

/* The states from @from to before @to are those of one depth. */
static int expand_level(unsigned int from, unsigned int to)
{
	int ret;

	for (; from < to; from++) {
		if (!(from & 15) && limit()) {
			x.run->stopped = true;
			break;
		}
		ret = expand(from);
		if (ret)
			return ret;
		x.run->sequences++;
	}
	x.run->left = x.nr - from;
	return 0;
}

static void explore_job(struct run *run, void *arg)
{
	unsigned int from = 0, to = 1;

	x.run = run;
	x.spec = arg;
	x.model_size = model_size();
	run_boot(run);
	make_alphabet();
	grow();
	save(0);
	add_state(hash_state(), 0, &(struct sim_event){ 0 });
	while (from < to && run->depth < options.depth) {
		if (expand_level(from, to) || run->stopped)
			break;
		from = to;
		to = x.nr;
		run->depth++;
	}
}

static double cpu;
static unsigned long long total, states;

static void say(struct run *run, void *arg)
{
	struct spec *spec = arg;

	cpu += run->cpu;
	total += run->total;
	states += run->states;
	printf("explore: %-16s %9llu states, %10llu events, %6.1f s, depth %d complete; ",
	       spec->name, run->states, run->total, run->cpu, run->depth);
	if (run->stopped)
		printf("NOT exhausted: stopped by a limit, %llu states not visited\n", run->left);
	else if (run->left)
		printf("NOT exhausted: %llu states at the depth's end not visited\n", run->left);
	else
		printf("exhausted\n");
	fflush(stdout);
}

int explore_main(void)
{
	int nr = options.nr_specs, i;
	struct run *runs[nr], *found;
	void *args[nr];

	cpu = 0;
	total = states = 0;
	for (i = 0; i < nr; i++) {
		runs[i] = run_new();
		args[i] = &options.specs[i];
	}
	found = workers(explore_job, runs, args, nr, options.jobs, say);
	if (found) {
		for (i = 0; runs[i] != found; i++)
			;
		printf("explore: found in pool %s, depth %d\n", options.specs[i].name,
		       found->depth + 1);
		return report(found);
	}
	printf("explore: %d pools, %llu states, %llu events, %.1f s of CPU, %.0f events/s\n",
	       nr, states, total, cpu, total / cpu);
	return 0;
}
