// SPDX-License-Identifier: GPL-2.0
/*
 * Does events with both sides and compares what is seen. All of this runs in workers:
 * processes whose crash, or whose event that does not end, is a result like others.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver.h"
#include "pool.h"

#define HANG_SECONDS	4	/* CPU time that an event may take: a million times the usual */

struct sim_model *the_model;
struct sim_seen got;

static struct sim_seen want;
static int allocated;		/* after boot */
static struct run *the_run;	/* of this worker, for its signal handlers */

struct run *run_new(void)
{
	struct run *run = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (run == MAP_FAILED) {
		perror("sim: no memory for a worker");
		exit(2);
	}
	return run;
}

void run_boot(struct run *run)
{
	if (!the_model)
		the_model = malloc(model_size());
	if (!the_model) {
		fprintf(stderr, "sim: no memory for the model\n");
		exit(2);
	}
	run->nr = 0;
	kern_boot();
	model_boot(the_model);
	allocated = kern_allocated();
	memset(&got, 0, sizeof(got));
}

static void keep_log(struct run *run)
{
	const char *log = kern_log();
	size_t len = strlen(log);

	/* What was said last matters most. */
	if (len >= sizeof(run->log))
		log += len - (sizeof(run->log) - 1);
	snprintf(run->log, sizeof(run->log), "%s", log);
}

int run_differs(struct run *run, int kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(run->text, sizeof(run->text), fmt, args);
	va_end(args);
	run->kind = kind;
	keep_log(run);
	return kind;
}

int run_event(struct run *run, const struct sim_event *event)
{
	int kind;

	if (run->nr == MAX_EVENTS) {
		fprintf(stderr, "sim: more than %d events in a sequence\n", MAX_EVENTS);
		exit(2);
	}
	if (model_harmful(the_model, event)) {
		text_event(event, run->text, sizeof(run->text));
		fprintf(stderr, "sim: '%s': tp_raw or the core makes a mistake then: leave it out\n",
			run->text);
		exit(2);
	}
	run->events[run->nr++] = *event;
	run->total++;
	kern_event(event, &got);
	model_event(the_model, event, &got, &want);
	kind = text_differs(&want, &got, run->text, sizeof(run->text));
	if (kind) {
		run->kind = kind;
		keep_log(run);
	}
	return kind;
}

bool run_possible(const struct sim_event *event)
{
	if (model_harmful(the_model, event))
		return false;
	switch (event->op) {
	case SIM_TICK:
	case SIM_ENTER:
	case SIM_LEAVE:
	case SIM_INIT:
	case SIM_SHADOW:
		return model_sensible(the_model, event);
	default:
		return true;
	}
}

int run_events(struct run *run, const struct sim_event *events, int nr)
{
	int ret = 0, i;

	for (i = 0; !ret && i < nr; i++)
		ret = run_event(run, &events[i]);
	return ret;
}

bool run_busy(const struct sim_seen *seen)
{
	return memchr(seen->transition, 1, sizeof(seen->transition));
}

/*
 * The end of a sequence
 */

static int one(struct run *run, int op, int arg)
{
	return run_event(run, &(struct sim_event){ .op = op, .arg = arg });
}

/* Nothing is half-way any more. */
static int drain_transition(struct run *run)
{
	struct sim_event leave = { .op = SIM_LEAVE };
	int ret = 0, i;

	if (model_sensible(the_model, &leave))
		ret = run_event(run, &leave);
	/* At once, as pairs.c has promised */
	if (!ret && run_busy(&got))
		ret = one(run, SIM_TICK, 0);
	for (i = 0; !ret && i < SIM_NR_TARGETS; i++)
		if (got.target[i] == 1)
			ret = one(run, SIM_INIT, i);
	return ret;
}

static int drain_patches(struct run *run)
{
	int ret = 0, i;

	for (i = 0; !ret && i < SIM_NR_PATCHES; i++) {
		if (!got.loaded[i] || !got.enabled[i])
			continue;
		ret = one(run, SIM_DISABLE, i);
		if (!ret && run_busy(&got))
			ret = one(run, SIM_TICK, 0);
	}
	for (i = 0; !ret && i < SIM_NR_PATCHES; i++)
		if (got.loaded[i])
			ret = one(run, SIM_UNLOAD, i);
	return ret;
}

static int left_over(struct run *run)
{
	char names[256] = "";
	size_t len = 0;
	int i, nr;

	if (model_may_leave(the_model))
		return 0;
	for (i = 0; i < SIM_NR_PATCHES; i++)
		if (got.loaded[i] && len < sizeof(names))
			len += snprintf(names + len, sizeof(names) - len, " %s", sim_pool[i].name);
	for (i = 0; i < SIM_NR_TARGETS; i++)
		if (got.target[i] && len < sizeof(names))
			len += snprintf(names + len, sizeof(names) - len, " mod%d", i + 1);
	if (len)
		return run_differs(run, END_MODULES, "end: modules are left over:%s", names);
	nr = kern_allocated() - allocated;
	if (nr)
		return run_differs(run, END_MEMORY, "end: %d allocations are left over", nr);
	return 0;
}

int run_drain(struct run *run)
{
	int ret, i;

	ret = drain_transition(run);
	if (!ret)
		ret = drain_patches(run);
	for (i = 0; !ret && i < SIM_NR_TARGETS; i++)
		if (got.target[i])
			ret = one(run, SIM_RMMOD, i);
	if (!ret)
		ret = one(run, SIM_GRACE, 0);
	return ret ? ret : left_over(run);
}

/*
 * Workers
 */

double cpu_time(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
		(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* A second signal while the log is copied ends the process. */
static void crashed(int sig)
{
	signal(sig, SIG_DFL);
	keep_log(the_run);
	raise(sig);
}

/* As long as there is progress no time is too long. */
static void ticks(int sig)
{
	static unsigned long long last = -1;
	unsigned long long now = the_run->total + the_run->sequences;

	if (now != last) {
		last = now;
		return;
	}
	run_differs(the_run, END_HANG, "hang: the event does not end");
	the_run->done = true;
	_exit(1);
}

static void catch_signals(void)
{
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP };
	struct itimerval timer = {
		.it_interval = { .tv_sec = HANG_SECONDS },
		.it_value = { .tv_sec = HANG_SECONDS },
	};
	struct sigaction action = { .sa_handler = crashed, .sa_flags = SA_ONSTACK }, old;
	static char stack[64 * 1024];
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
	size_t i;

	sigaltstack(&alt, NULL);
	for (i = 0; i < ARRAY_SIZE(sigs); i++) {
		/* A sanitizer's handler says more. */
		sigaction(sigs[i], NULL, &old);
		if (old.sa_handler == SIG_DFL)
			sigaction(sigs[i], &action, NULL);
	}
	signal(SIGPROF, ticks);
	setitimer(ITIMER_PROF, &timer, NULL);
}

/* Called by a sanitizer before the process exits, and defined by it if there is one */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void died(void)
{
	keep_log(the_run);
}

pid_t worker_start(struct run *run, void (*work)(struct run *run, void *arg), void *arg,
		   bool quiet)
{
	pid_t pid;
	int fd;

	run->kind = 0;
	run->done = false;
	*run->text = *run->log = '\0';
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		perror("sim: no process for a worker");
		exit(2);
	}
	if (pid)
		return pid;

	fd = quiet ? open("/dev/null", O_WRONLY) : -1;
	if (fd >= 0)
		dup2(fd, STDERR_FILENO);
	the_run = run;
	catch_signals();
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(died);
	work(run, arg);
	run->cpu = cpu_time();
	run->done = true;
	/* A quiet one is a trial among hundreds: no search for leaks, no coverage. */
	if (quiet)
		_exit(!!run->kind);
	exit(!!run->kind);
}

static void take_end(struct run *run, int status)
{
	int sig = WTERMSIG(status);

	if (run->done)
		return;
	if (WIFSIGNALED(status)) {
		run->kind = END_SIGNAL + sig;
		snprintf(run->text, sizeof(run->text), "crash: SIG%s", sigabbrev_np(sig));
		return;
	}
	/* It has said what is wrong with what was asked for. */
	if (WEXITSTATUS(status) == 2)
		exit(2);
	run->kind = END_EXIT + WEXITSTATUS(status);
	snprintf(run->text, sizeof(run->text), "crash: exit status %d, see the report above",
		 WEXITSTATUS(status));
}

void worker_wait(pid_t pid, struct run *run)
{
	int status;

	if (waitpid(pid, &status, 0) == pid)
		take_end(run, status);
}

static int find(const pid_t *pids, int nr, pid_t pid)
{
	int i;

	for (i = 0; i < nr; i++)
		if (pids[i] == pid)
			return i;
	return -1;
}

static void end_all(const pid_t *pids, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		if (pids[i] > 0 && !kill(pids[i], SIGKILL))
			waitpid(pids[i], NULL, 0);
}

struct run *workers(void (*work)(struct run *run, void *arg), struct run **runs, void **args,
		    int nr, int jobs, void (*ended)(struct run *run, void *arg))
{
	int started = 0, running = 0, status, i;
	struct run *found = NULL;
	pid_t *pids, pid;

	pids = calloc(nr, sizeof(*pids));
	while (pids && !found && (running || started < nr)) {
		for (; running < jobs && started < nr; started++, running++)
			pids[started] = worker_start(runs[started], work, args[started], false);
		pid = wait(&status);
		i = find(pids, nr, pid);
		if (i < 0)
			continue;
		pids[i] = 0;
		running--;
		take_end(runs[i], status);
		if (runs[i]->kind)
			found = runs[i];
		else
			ended(runs[i], args[i]);
	}
	if (pids)
		end_all(pids, started);
	free(pids);
	return found;
}
