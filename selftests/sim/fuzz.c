// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer on the same driver, in place of driver.c: the bytes are events, and besides
 * the code that is reached each new state of the model counts as progress.
 *
 * The first byte chooses a pool, or all patches. An event is a byte for what it is, one
 * for the patch or the target, and if an allocation is to fail one for which. Events that
 * cannot be are left out.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "driver.h"
#include "pool.h"

#define MAX_FUZZED	200	/* events of a sequence */
#define NR_COUNTERS	(1 << 15)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct options options;

/* libFuzzer looks at these like at those of the code. */
__attribute__((used, section("__libfuzzer_extra_counters")))
static unsigned char counters[NR_COUNTERS];

__attribute__((used, section("__libfuzzer_extra_counters")))
static unsigned char code[NR_COUNTERS];

void sim_reached(void);

/* Called in each block of the engine, of which each patch has a copy */
void sim_reached(void)
{
	unsigned long pc = (unsigned long)__builtin_return_address(0);

	code[(pc ^ pc >> 15) % NR_COUNTERS] = 1;
}

static struct spec *specs;
static int nr_specs;

struct input {
	const uint8_t *at, *end;
};

static int byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static void count_state(void)
{
	const unsigned char *p = (const unsigned char *)the_model;
	unsigned long len = model_size(), i;
	uint32_t h = 0;

	for (i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x01000193u;
	counters[(h ^ h >> 15) % NR_COUNTERS] = 1;
}

static int fuzz_par(struct input *in, int how, const struct sim_event *event)
{
	int states = 0;

	if (event->op == SIM_INIT)
		return how & 1;
	if (event->op != SIM_LOAD && event->op != SIM_COMING)
		return 0;
	if (event->op == SIM_LOAD && sim_pool[event->arg].fails)
		states = sim_nr_states(event->arg);
	if (how < 10)
		return event->op == SIM_LOAD && event->arg == SIM_raw && how & 1 ?
			SIM_PAR_RAW_STACKED : 0;
	if (how < 14)
		return 1 + byte(in) % (SIM_PAR_CORE - 1);
	if (how == 14 || !states)
		return SIM_PAR_CORE;
	return SIM_PAR_STATE + byte(in) % states;
}

static void fuzz_event(struct input *in, const struct spec *spec, struct sim_event *event)
{
	static const unsigned char ops[16] = {
		SIM_LOAD, SIM_LOAD, SIM_LOAD, SIM_UNLOAD, SIM_ENABLE, SIM_DISABLE, SIM_DISABLE,
		SIM_FORCE, SIM_TICK, SIM_ENTER, SIM_LEAVE, SIM_COMING, SIM_INIT, SIM_RMMOD,
		SIM_GRACE, SIM_TICK,
	};
	int what = byte(in);

	*event = (struct sim_event){ .op = ops[what & 15] };
	switch (event->op) {
	case SIM_TICK:
	case SIM_LEAVE:
	case SIM_GRACE:
		break;
	case SIM_ENTER:
		event->arg = byte(in) % SIM_NR_FUNCS;
		break;
	case SIM_COMING:
	case SIM_INIT:
	case SIM_RMMOD:
		event->arg = byte(in) % SIM_NR_TARGETS;
		break;
	default:
		event->arg = spec->patches[byte(in) % spec->nr];
	}
	event->par = fuzz_par(in, what >> 4, event);
}

static void make_specs(void)
{
	struct spec *all;
	int i;

	nr_specs = spec_nr_named() + 1;
	specs = calloc(nr_specs, sizeof(*specs));
	if (!specs)
		abort();
	for (i = 0; i < nr_specs - 1; i++)
		spec_named(i, &specs[i]);
	all = &specs[nr_specs - 1];
	for (i = 0; i < SIM_NR_PATCHES; i++)
		all->patches[all->nr++] = i;
}

static void say_and_abort(const struct run *run)
{
	printf("%s\nlog of the last event:\n%smake sim REPLAY='", run->text, run->log);
	print_sequence(run);
	printf("'\n");
	fflush(stdout);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	const struct spec *spec;
	static struct run *run;
	struct sim_event event;
	int ret = 0;

	if (!run) {
		run = run_new();
		make_specs();
	}
	spec = &specs[byte(&in) % nr_specs];
	run_boot(run);
	while (!ret && in.at < in.end && run->nr < MAX_FUZZED) {
		fuzz_event(&in, spec, &event);
		if (!run_possible(&event))
			continue;
		ret = run_event(run, &event);
		count_state();
	}
	if (!ret)
		ret = run_drain(run);
	if (ret)
		say_and_abort(run);
	return 0;
}
