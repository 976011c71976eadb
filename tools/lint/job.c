// SPDX-License-Identifier: GPL-2.0
/*
 * Runs programs, some at a time. Each is a process group of its own, that what it
 * has started ends with it, and each has a limit to its own time, which other load of
 * the machine does not use up. Output goes to memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lint.h"

static struct job *waiting, **last = &waiting, *running;
static sigset_t signals, old_signals;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path) ? 0 : 0;
}

void remove_tmp(void)
{
	for (struct job *job = running; job; job = job->next)
		kill(-job->pid, SIGKILL);
	if (opt.tmp)
		nftw(opt.tmp, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* From here on signals are only taken by run_jobs() */
void catch_signals(void)
{
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &old_signals);
	signal(SIGPIPE, SIG_IGN);
}

void add_job(struct job *job)
{
	*last = job;
	last = &job->next;
}

static void start(struct job *job)
{
	pid_t parent = getpid();
	char **argv = job->args ? job->args : job->argv;

	for (int i = 0; i < 2; i++) {
		job->fd[i] = memfd_create("output", MFD_CLOEXEC);
		if (job->fd[i] < 0)
			die("memfd_create: %s", strerror(errno));
	}
	job->pid = fork();
	if (job->pid < 0)
		die("fork: %s", strerror(errno));
	if (!job->pid) {
		int null = open("/dev/null", O_RDONLY);

		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigprocmask(SIG_SETMASK, &old_signals, NULL);
		signal(SIGPIPE, SIG_DFL);
		if (getppid() != parent || null < 0 || dup2(null, 0) < 0 ||
		    dup2(job->fd[0], 1) < 0 || dup2(job->fd[1], 2) < 0 ||
		    (job->dir && chdir(job->dir)))
			_exit(126);
		execvp(argv[0], argv);
		_exit(127);
	}
	setpgid(job->pid, job->pid);	/* whoever of the two comes first */
	own_time_start(&job->own, job->pid);
	job->next = running;
	running = job;
}

/* What a program has written, as a string */
static char *take(int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *text = xrealloc(NULL, len + 1);

	if (len < 0 || pread(fd, text, len, 0) != len)
		die("cannot read what a program has written: %s", strerror(errno));
	close(fd);
	for (off_t i = 0; i < len; i++)
		if (!text[i])
			text[i] = '?';
	text[len] = '\0';
	return text;
}

/* End those that have ended or have to */
static void reap(void)
{
	for (struct job **p = &running; *p; ) {
		struct job *job = *p;
		pid_t pid = waitpid(job->pid, &job->status, WNOHANG);

		if (!pid && own_time(&job->own) < opt.timeout * 1000L) {
			p = &job->next;
			continue;
		}
		kill(-job->pid, SIGKILL);
		if (!pid) {
			job->timed_out = true;
			waitpid(job->pid, &job->status, 0);
		}
		*p = job->next;
		job->next = NULL;
		job->out = take(job->fd[0]);
		job->err = take(job->fd[1]);
		job->done(job);
	}
}

void run_jobs(int parallel)
{
	for (;;) {
		const struct timespec period = { .tv_nsec = OWN_TIME_PERIOD_MS * 1000000L };
		int nr = 0, sig;

		reap();
		for (struct job *job = running; job; job = job->next)
			nr++;
		while (waiting && nr < parallel) {
			struct job *job = waiting;

			waiting = job->next;
			if (!waiting)
				last = &waiting;
			job->next = NULL;
			if (job->rule && job->rule->failed)
				continue;
			start(job);
			nr++;
		}
		if (!nr)
			return;
		sig = sigtimedwait(&signals, NULL, &period);
		if (sig > 0 && sig != SIGCHLD) {
			remove_tmp();
			_exit(128 + sig);
		}
	}
}

bool succeeded(const struct job *job)
{
	return !job->timed_out && WIFEXITED(job->status) && !WEXITSTATUS(job->status);
}

/* The first line with @having in it, else the first that is not blank, else "" */
char *first_line(const char *text, const char *having)
{
	const char *blank = NULL;

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t len = strcspn(p, "\n");
		const char *at = having ? memmem(p, len, having, strlen(having)) : p;

		if (len && at)
			return strndup(p, len);
		if (len && !blank)
			blank = p;
	}
	return blank ? strndup(blank, strcspn(blank, "\n")) : strdup("");
}
