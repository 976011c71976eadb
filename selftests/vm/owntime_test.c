// SPDX-License-Identifier: GPL-2.0
/*
 * Host test of the time that limits count, against processes that work, wait, are
 * stopped, or do not get the processor that they ask for.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tools/owntime.h"

#define ROUNDS	6
#define SLACK	100	/* ms: a tick for each round, and what is not of the process's making */

static int count, failures;

static void work(void)
{
	for (;;)
		getppid();
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

static void be_stopped(void)
{
	raise(SIGSTOP);
}

static void wait_for_stopped_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_stopped();
		_exit(0);
	}
	wait(NULL);
}

/* One processor, which is another's already */
static void work_if_idle(void)
{
	struct sched_param param = { 0 };

	sched_setscheduler(0, SCHED_IDLE, &param);
	work();
}

static void take_one_cpu(void)
{
	cpu_set_t now, one;

	sched_getaffinity(0, sizeof(now), &now);
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &now)) {
			CPU_SET(i, &one);
			break;
		}
	sched_setaffinity(0, sizeof(one), &one);
}

static pid_t start(void (*fn)(void), bool one_cpu)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (one_cpu)
			take_one_cpu();
		fn();
		_exit(0);
	}
	return pid;
}

static long end(pid_t pid)
{
	struct rusage usage;

	kill(pid, SIGKILL);
	wait4(pid, NULL, 0, &usage);
	return usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000 +
	       usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000;
}

/* Own time is at least @least ms, and if there is a limit, as near as that to CPU time */
static void test(const char *name, void (*fn)(void), bool contended, long least, bool as_cpu)
{
	pid_t other = contended ? start(work, true) : 0, pid = start(fn, contended);
	struct own_time t;
	long cpu;

	usleep(OWN_TIME_PERIOD_MS * 1000);
	own_time_start(&t, pid);
	cpu = t.cpu_ms;
	for (int i = 0; i < ROUNDS; i++) {
		usleep(OWN_TIME_PERIOD_MS * 1000);
		own_time(&t);
	}
	cpu = end(pid) - cpu;
	if (contended)
		end(other);
	count++;
	if (t.ms >= least && (!as_cpu || labs(t.ms - cpu) <= SLACK)) {
		printf("ok %d - owntime-%s\n", count, name);
	} else {
		printf("# %ld ms, of which %ld on a processor\n", t.ms, cpu);
		printf("not ok %d - owntime-%s\n", count, name);
		failures++;
	}
}

int main(void)
{
	setbuf(stdout, NULL);
	printf("KTAP version 1\n1..5\n");
	test("works", work, false, 1, true);
	test("waits", wait_for_ever, false, ROUNDS * OWN_TIME_PERIOD_MS / 2, false);
	test("stopped", be_stopped, false, 0, true);
	test("child-stopped", wait_for_stopped_child, false, 0, true);
	test("starved", work_if_idle, true, 0, true);
	return failures != 0;
}
