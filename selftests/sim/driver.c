// SPDX-License-Identifier: GPL-2.0
/*
 * Drives the engine, the core and the model through sequences of events, see --help.
 * Its exit status is 0 if model and kernel side agree, 1 if they do not, and 2 if what
 * was asked for is wrong.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

#define MAX_DEPTH	64
#define MAX_JOBS	64

struct options options = {
	.seed = 1, .states = 1000000, .depth = 8, .jobs = 1,
};

static const char help[] =
	"Usage: sim [OPTIONS] and one of\n"
	"  --replay 'load a1; enter cmdline; load a2; disable a2; leave; tick'\n"
	"                    do these events and show what is seen after each\n"
	"  --batch FILE      do each line of FILE (-: stdin); # starts a comment\n"
	"  --show FILE       do each line of FILE and show what is seen, for the VM\n"
	"  --stories FILE    do each line of FILE, which says itself what must happen\n"
	"  --random EVENTS   random sequences, so many events in all (k, M: 3M)\n"
	"  --explore POOL    all sequences over a pool; 'all' is each of them in turn\n"
	"  --battery FILE    the lines of FILE in turn, up to the first difference:\n"
	"                    'explore DEPTH POOL...', 'random EVENTS POOL...',\n"
	"                    'stories FILE' or 'batch FILE'\n"
	"  --sequences N     print N short sequences for a VM which cover pairs of events\n"
	"  --list            show pools and patches\n"
	"Options\n"
	"  --seed N          of --random and --sequences (1)\n"
	"  --pool POOL       of --random and --sequences: use patches of this pool only,\n"
	"                    which is a name of --list, or like a1,a2,mod1,force;\n"
	"                    may be given several times\n"
	"  --depth N         of --explore: longest sequence (8)\n"
	"  --states N        of --explore: stop a pool that has more states (1M)\n"
	"  --seconds N       stop each job after so much CPU time\n"
	"  --jobs N          so many processes at once (1)\n"
	"  --no-drain        of --explore and --replay: do not see whether all can be unloaded\n"
	"  --keep            show a difference as it was found, do not shorten it\n"
	"  -v, --verbose     of --replay: show the kernel's log too\n";

enum {
	OPT_REPLAY = 256, OPT_BATCH, OPT_SHOW, OPT_STORIES, OPT_RANDOM, OPT_EXPLORE, OPT_BATTERY,
	OPT_SEQUENCES, OPT_LIST,
	OPT_SEED, OPT_POOL, OPT_DEPTH, OPT_STATES, OPT_SECONDS, OPT_JOBS,
	OPT_NO_DRAIN, OPT_KEEP,
};

static const struct option long_options[] = {
	{ "replay", required_argument, NULL, OPT_REPLAY },
	{ "batch", required_argument, NULL, OPT_BATCH },
	{ "show", required_argument, NULL, OPT_SHOW },
	{ "stories", required_argument, NULL, OPT_STORIES },
	{ "random", required_argument, NULL, OPT_RANDOM },
	{ "explore", required_argument, NULL, OPT_EXPLORE },
	{ "battery", required_argument, NULL, OPT_BATTERY },
	{ "sequences", required_argument, NULL, OPT_SEQUENCES },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "pool", required_argument, NULL, OPT_POOL },
	{ "depth", required_argument, NULL, OPT_DEPTH },
	{ "states", required_argument, NULL, OPT_STATES },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "no-drain", no_argument, NULL, OPT_NO_DRAIN },
	{ "keep", no_argument, NULL, OPT_KEEP },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/*
 * Given sequences
 */

static struct sim_event given[MAX_EVENTS];

static int show_events(struct run *run, const struct sim_event *events, int nr)
{
	static char seen[32768];
	char buf[64];
	int ret = 0, i;

	for (i = 0; !ret && i < nr; i++) {
		text_event(&events[i], buf, sizeof(buf));
		printf("# %s\n", buf);
		fflush(stdout);
		ret = run_event(run, &events[i]);
		text_seen(&got, seen, sizeof(seen));
		printf("%s", seen);
		if (options.verbose)
			printf("log:\n%s", kern_log());
		fflush(stdout);
	}
	return ret;
}

static void replay_job(struct run *run, void *arg)
{
	run_boot(run);
	if (!show_events(run, given, *(int *)arg) && !options.no_drain)
		run_drain(run);
}

static int replay_main(const char *text)
{
	struct run *run = run_new();
	int nr;

	nr = text_parse(text, given, MAX_EVENTS / 2);
	if (nr < 0)
		return 2;
	worker_wait(worker_start(run, replay_job, &nr, false), run);
	return run->kind ? report(run) : 0;
}

/* The next sequence of @file: the number of its events, or -1 at the end */
static int next_line(FILE *file, const struct run *run)
{
	static char *line;
	static size_t size;
	int nr;

	if (getline(&line, &size, file) <= 0)
		return -1;
	*strchrnul(line, '#') = '\0';
	nr = text_parse(line, given, MAX_EVENTS / 2);
	if (nr < 0) {
		fprintf(stderr, "sim: line %llu is wrong\n", run->sequences + 1);
		exit(2);
	}
	return nr;
}

static void batch_job(struct run *run, void *arg)
{
	FILE *file = arg;
	int nr;

	while ((nr = next_line(file, run)) >= 0) {
		run_boot(run);
		if (run_events(run, given, nr) || run_drain(run))
			break;
		run->sequences++;
	}
}

static FILE *open_batch(const char *name)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "r") : stdin;

	if (!file) {
		fprintf(stderr, "sim: cannot read %s: %s\n", name, strerror(errno));
		exit(2);
	}
	return file;
}

int batch_main(const char *name)
{
	struct run *run = run_new();

	worker_wait(worker_start(run, batch_job, open_batch(name), false), run);
	if (!run->kind) {
		printf("batch: %llu sequences, %llu events, %.2f s of CPU\n", run->sequences,
		       run->total, run->cpu);
		return 0;
	}
	printf("batch: line %llu differs\n", run->sequences + 1);
	return report(run);
}

/*
 * For the VM, where a transition that nothing blocks ends by itself: an event and the ticks
 * that follow it are one there, whose calls are those of both. The model is not asked.
 */

static void add_seen(struct sim_seen *all, const struct sim_seen *more)
{
	struct sim_seen sum = *more;
	int nr = more->nr_calls, i;

	if (nr > SIM_MAX_CALLS - all->nr_calls)
		nr = SIM_MAX_CALLS - all->nr_calls;
	memcpy(sum.calls, all->calls, all->nr_calls * sizeof(*all->calls));
	memcpy(sum.calls + all->nr_calls, more->calls, nr * sizeof(*more->calls));
	sum.nr_calls = all->nr_calls + nr;
	sum.ret = all->ret;
	sum.warned |= all->warned;
	sum.value = all->value;
	for (i = 0; i < SIM_NR_TYPES; i++)
		sum.dtors[i] += all->dtors[i];
	*all = sum;
}

static int show_one(struct run *run, const struct sim_event *events, int nr, FILE *to)
{
	static struct sim_seen all;
	static char text[32768];
	int done = 0;

	do {
		text_event(&events[done], text, sizeof(text));
		fprintf(to, "%s%s", done ? "; " : "# ", text);
		run_event(run, &events[done]);
		if (done)
			add_seen(&all, &got);
		else
			all = got;
	} while (++done < nr && events[done].op == SIM_TICK);
	text_seen(&all, text, sizeof(text));
	fprintf(to, "\n%s", text);
	return done;
}

/* Something stays for good: what comes next needs another VM. */
static bool stays(void)
{
	return got.level != 7 || memchr(got.loaded, 1, sizeof(got.loaded)) ||
		got.target[SIM_MOD1] || got.target[SIM_MOD2];
}

static void show_job(struct run *run, void *arg)
{
	char *text = NULL, name[64];
	size_t size = 0;
	int nr, i;
	FILE *to;

	while ((nr = next_line(arg, run)) >= 0) {
		to = open_memstream(&text, &size);
		if (!to) {
			fprintf(stderr, "sim: no memory for what is seen\n");
			exit(2);
		}
		run_boot(run);
		for (i = 0; i < nr;)
			i += show_one(run, given + i, nr - i, to);
		fclose(to);
		printf("%c", stays() ? '!' : '=');
		for (i = 0; i < nr; i++) {
			text_event(&given[i], name, sizeof(name));
			printf("%s%s", i ? "; " : " ", name);
		}
		printf("\n%s", text);
		free(text);
		run->sequences++;
	}
	run->kind = 0;
}

static int show_main(const char *name)
{
	struct run *run = run_new();

	worker_wait(worker_start(run, show_job, open_batch(name), false), run);
	return run->kind ? report(run) : 0;
}

/*
 * Options
 */

__attribute__((noreturn))
static void wrong_number(const char *option, const char *text, unsigned long long max)
{
	fprintf(stderr, "sim: --%s %s: write a number from 1 to %llu\n", option, text, max);
	exit(2);
}

/* "3M" */
static unsigned long long number(const char *option, const char *text, unsigned long long max)
{
	unsigned long long n, unit;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	unit = *end == 'k' ? 1000 : *end == 'M' ? 1000000 : 1;
	if (errno || end == text || end[unit > 1] || *text == '-' || !n || n > max / unit)
		wrong_number(option, text, max);
	return n * unit;
}

void options_add_pool(const char *text)
{
	int nr = strcmp(text, "all") ? 1 : spec_nr_named(), i;

	options.specs = realloc(options.specs, (options.nr_specs + nr) * sizeof(struct spec));
	if (!options.specs) {
		fprintf(stderr, "sim: no memory for pools\n");
		exit(2);
	}
	for (i = 0; i < nr; i++, options.nr_specs++) {
		if (nr > 1)
			spec_named(i, &options.specs[options.nr_specs]);
		else if (spec_parse(text, &options.specs[options.nr_specs]))
			exit(2);
	}
}

void options_set_depth(const char *text)
{
	options.depth = number("depth", text, MAX_DEPTH);
}

void options_set_events(const char *text)
{
	options.events = number("random", text, 1ull << 62);
}

static void parse_option(int opt, const char *text)
{
	const unsigned long long many = 1ull << 62;

	switch (opt) {
	case OPT_SEED:
		options.seed = number("seed", text, 1ull << 24);
		break;
	case OPT_POOL:
		options_add_pool(text);
		break;
	case OPT_DEPTH:
		options_set_depth(text);
		break;
	case OPT_STATES:
		options.states = number("states", text, 1u << 30);
		break;
	case OPT_SECONDS:
		options.seconds = number("seconds", text, many);
		break;
	case OPT_JOBS:
		options.jobs = number("jobs", text, MAX_JOBS);
		break;
	case OPT_NO_DRAIN:
		options.no_drain = true;
		break;
	case OPT_KEEP:
		options.keep = true;
		break;
	case 'v':
		options.verbose = true;
		sim_verbose = true;
		break;
	case 'h':
		printf("%s", help);
		exit(0);
	default:
		/* getopt has said why. */
		fprintf(stderr, "sim: see sim --help\n");
		exit(2);
	}
}

static int run_action(int action, const char *text)
{
	switch (action) {
	case OPT_REPLAY:
		return replay_main(text);
	case OPT_BATCH:
		return batch_main(text);
	case OPT_SHOW:
		return show_main(text);
	case OPT_STORIES:
		return stories_main(text);
	case OPT_RANDOM:
		options_set_events(text);
		return random_main();
	case OPT_EXPLORE:
		options_add_pool(text);
		return explore_main();
	case OPT_BATTERY:
		return battery_main(text);
	case OPT_SEQUENCES:
		return pairs_main(number("sequences", text, 1000000));
	case OPT_LIST:
		spec_list();
		return 0;
	default:
		fprintf(stderr, "sim: say what to do, see sim --help\n");
		return 2;
	}
}

int main(int argc, char **argv)
{
	int opt, action = 0;
	const char *text = NULL;

	while ((opt = getopt_long(argc, argv, "vh", long_options, NULL)) != -1) {
		if (opt < OPT_REPLAY || opt > OPT_LIST) {
			parse_option(opt, optarg);
			continue;
		}
		if (action) {
			fprintf(stderr, "sim: one thing at a time, see sim --help\n");
			return 2;
		}
		action = opt;
		text = optarg;
	}
	if (optind < argc) {
		fprintf(stderr, "sim: '%s' belongs to no option: quote the whole sequence\n",
			argv[optind]);
		return 2;
	}
	return run_action(action, text);
}
