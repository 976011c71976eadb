// SPDX-License-Identifier: GPL-2.0
/*
 * Random sequences, each of which ends with all patches and targets unloaded and begins
 * anew: what is found depends on the one sequence only.
 */
#include <stdio.h>
#include <stdlib.h>

#include "driver.h"

static int random_sequence(struct run *run, struct chooser *c, const struct spec *spec)
{
	struct sim_event event;
	int nr, ret = 0;

	run->sequences++;
	run_boot(run);
	choose_start(c, spec);
	/* Short ones and long ones */
	nr = 8 + pick(c, 16 << pick(c, 5));
	while (!ret && nr--) {
		choose(c, &event);
		ret = run_event(run, &event);
	}
	return ret ? ret : run_drain(run);
}

struct job {
	unsigned long long seed, events;
};

static void random_job(struct run *run, void *arg)
{
	struct chooser c = { 0 };
	struct job *job = arg;
	unsigned long long nr;
	const struct spec *spec;

	for (nr = 0; run->total < job->events; nr++) {
		c.random = (job->seed << 32) + nr;
		spec = options.nr_specs ? &options.specs[pick(&c, options.nr_specs)] : NULL;
		if (random_sequence(run, &c, spec))
			return;
		if (options.seconds && !(nr & 63) && cpu_time() > options.seconds) {
			run->stopped = true;
			return;
		}
	}
}

static double cpu;
static unsigned long long total, sequences;

static void add_up(struct run *run, void *arg)
{
	cpu += run->cpu;
	total += run->total;
	sequences += run->sequences;
}

int random_main(void)
{
	struct run *runs[options.jobs], *found;
	struct job jobs[options.jobs];
	void *args[options.jobs];
	int i;

	cpu = 0;
	total = 0;
	sequences = 0;
	printf("random: seed %llu, %llu events, %d jobs\n", options.seed, options.events,
	       options.jobs);
	for (i = 0; i < options.jobs; i++) {
		runs[i] = run_new();
		jobs[i].seed = options.seed * 64 + i;
		jobs[i].events = (options.events + options.jobs - 1) / options.jobs;
		args[i] = &jobs[i];
	}
	found = workers(random_job, runs, args, options.jobs, options.jobs, add_up);
	if (found) {
		for (i = 0; runs[i] != found; i++)
			;
		printf("random: found in sequence %llu of job %d\n", found->sequences, i + 1);
		return report(found);
	}
	printf("random: %llu events in %llu sequences, %.1f s of CPU, %.0f events/s\n", total,
	       sequences, cpu, total / cpu);
	return 0;
}
