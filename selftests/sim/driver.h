/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the driver have in common. A worker, which is a forked process, does
 * events with the kernel side and the model; the process that has forked it sees in shared
 * memory how far it came, also if it crashed.
 *
 *	run.c		one event, the end of a sequence, workers
 *	choose.c	random events that are likely to do something
 *	random.c	random sequences
 *	explore.c	all sequences over a small pool
 *	pairs.c		sequences for the VM
 *	story.c		sequences with patches that the model does not know
 *	battery.c	a list of random and all sequences
 *	shrink.c	shortens a sequence and prints what is wrong
 *	spec.c		pools and their names
 *	driver.c	options, replay
 */
#ifndef _KLP_SDK_SIM_DRIVER_H
#define _KLP_SDK_SIM_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sim.h"

#define ARRAY_SIZE(_a)	(sizeof(_a) / sizeof((_a)[0]))

#define MAX_EVENTS	4096	/* of a sequence */

/* How a sequence may end; small numbers are an enum sim_diff. */
enum {
	END_MEMORY = 32,	/* memory is left over */
	END_MODULES,		/* modules that cannot be unloaded are left over */
	END_STATE,		/* the kernel side's save and restore do not agree */
	END_HANG,		/* an event does not end */
	END_EXIT = 256,		/* the process exited by itself: a sanitizer's report */
	END_SIGNAL = 512,	/* a crash, and the signal's number */
};

/* A sequence and how it ended, shared by a worker and the process that has forked it */
struct run {
	int nr;			/* events, the last one may not be complete */
	int kind;		/* 0: no difference, as expected */
	bool done;		/* the worker came to its end */
	bool stopped;		/* by a limit */
	unsigned long long total;	/* events, all sequences */
	unsigned long long sequences;
	unsigned long long states;	/* explore: states, those not yet visited, depth */
	unsigned long long left;
	int depth;
	double cpu;
	char text[512];		/* the difference */
	char log[16384];	/* the kernel's log of the last event */
	struct sim_event events[MAX_EVENTS];
};

/* run.c */
extern struct sim_model *the_model;
extern struct sim_seen got;	/* after the last event */

struct run *run_new(void);	/* in shared memory; never freed */
void run_boot(struct run *run);
/* 0, or the kind of a difference, which @run describes then */
int run_event(struct run *run, const struct sim_event *event);
int run_events(struct run *run, const struct sim_event *events, int nr);
/*
 * The task cannot leave where it is not, nor can an init return that does not run, and a patch
 * that does not have the state must leave values alone.
 */
bool run_possible(const struct sim_event *event);
/* Lets the task leave, disables and unloads all that is there, and sees what is left */
int run_drain(struct run *run);
int run_differs(struct run *run, int kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool run_busy(const struct sim_seen *seen);	/* a transition runs */

/* Does @work in a process of its own; @quiet: without what it says on stderr */
pid_t worker_start(struct run *run, void (*work)(struct run *run, void *arg), void *arg,
		   bool quiet);
void worker_wait(pid_t pid, struct run *run);
/*
 * @nr of them, at most @jobs at once, until one finds a difference: it is returned, the
 * others are ended. NULL if there is none.
 */
struct run *workers(void (*work)(struct run *run, void *arg), struct run **runs, void **args,
		    int nr, int jobs, void (*ended)(struct run *run, void *arg));
double cpu_time(void);

/* spec.c: which patches and what else a run uses */
struct spec {
	char name[32];
	unsigned char patches[SIM_NR_PATCHES];
	int nr;
	bool targets[SIM_NR_TARGETS];
	bool force, fail, core, nomem, grace, values;
};

/* A pool by its name, or patches and words separated by commas; -1 if it is wrong */
int spec_parse(const char *text, struct spec *spec);
int spec_nr_named(void);
void spec_named(int nr, struct spec *spec);
void spec_list(void);		/* prints them */
bool spec_func(const struct spec *spec, int func);	/* some patch changes it */

/* choose.c */
struct chooser {
	unsigned long long random;
	unsigned char patches[8];
	int nr_patches;
	unsigned short weights[SIM_NR_OPS];
	bool targets[SIM_NR_TARGETS];
	unsigned int faults;	/* of 256 loads so many fail */
	unsigned int nonsense;	/* of 256 events so many need not make sense */
	bool vm;		/* only what a VM can do exactly */
};

unsigned int pick(struct chooser *c, unsigned int n);
/* Patches and weights for another sequence, out of @spec or, if that is NULL, of all */
void choose_start(struct chooser *c, const struct spec *spec);
void choose(struct chooser *c, struct sim_event *event);

/* What is asked for */
struct options {
	unsigned long long events, seed, states;
	double seconds;		/* CPU time of a worker, 0 is no limit */
	int depth, jobs, nr_specs;
	bool verbose, keep, no_drain;
	struct spec *specs;
};

extern struct options options;

int random_main(void);
int explore_main(void);
int pairs_main(int nr);
int batch_main(const char *name);
int stories_main(const char *name);
int battery_main(const char *name);

/* driver.c: these end the process if @text is wrong */
void options_add_pool(const char *text);
void options_set_depth(const char *text);
void options_set_events(const char *text);

/* Shortens what is in @run, prints all about it; 1 */
int report(struct run *run);
void print_sequence(const struct run *run);

#endif /* _KLP_SDK_SIM_DRIVER_H */
