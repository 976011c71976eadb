// SPDX-License-Identifier: GPL-2.0
/* The time that a program had for its work, by what /proc says of all its threads. */
#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "owntime.h"

/* The caller did not run either if more time than that has passed since its last call */
#define LATE_MS	(3 * OWN_TIME_PERIOD_MS)

struct usage {
	long ticks;
	bool asleep;
};

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Fields 3 and 14 to 17 of a stat file, behind the name, which may contain anything */
static bool read_stat(const char *path, char *state, long *ticks)
{
	long utime, stime, cutime, cstime;
	char line[1024], *p;
	FILE *f = fopen(path, "re");
	bool good;

	if (!f)
		return false;
	good = fgets(line, sizeof(line), f);
	fclose(f);
	p = good ? strrchr(line, ')') : NULL;
	if (!p || sscanf(p + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld %ld %ld",
			 state, &utime, &stime, &cutime, &cstime) != 5)
		return false;
	*ticks = utime + stime + cutime + cstime;
	return true;
}

static void add_process(struct usage *u, pid_t pid);

static void add_children(struct usage *u, const char *path)
{
	FILE *f = fopen(path, "re");
	int child;

	while (f && fscanf(f, "%d", &child) == 1)
		add_process(u, child);
	if (f)
		fclose(f);
}

static void add_process(struct usage *u, pid_t pid)
{
	char path[300], state;
	struct dirent *entry;
	long ticks;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (!read_stat(path, &state, &ticks))
		return;
	u->ticks += ticks;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", pid, entry->d_name);
		/* Zombies and idle kernel threads have nothing to do, either. */
		if (read_stat(path, &state, &ticks) && !strchr("SIZX", state))
			u->asleep = false;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid, entry->d_name);
		add_children(u, path);
	}
	if (dir)
		closedir(dir);
}

static struct usage get_usage(pid_t pid)
{
	struct usage u = { .asleep = true };

	add_process(&u, pid);
	return u;
}

static long to_ms(long ticks)
{
	return ticks * 1000 / sysconf(_SC_CLK_TCK);
}

void own_time_start(struct own_time *t, pid_t pid)
{
	struct usage u = get_usage(pid);

	t->pid = pid;
	t->ms = 0;
	t->at_ms = now_ms();
	t->cpu_ms = to_ms(u.ticks);
}

long own_time(struct own_time *t)
{
	struct usage u = get_usage(t->pid);
	long now = now_ms(), passed = now - t->at_ms, cpu = to_ms(u.ticks) - t->cpu_ms;

	/* Several threads have more, or children that nobody has waited for. */
	if (cpu > passed)
		cpu = passed;
	if (cpu < 0)
		cpu = 0;
	if (u.asleep && passed > LATE_MS)
		passed = cpu > LATE_MS ? cpu : LATE_MS;
	t->ms += u.asleep ? passed : cpu;
	t->at_ms = now;
	t->cpu_ms = to_ms(u.ticks);
	return t->ms;
}
