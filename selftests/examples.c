// SPDX-License-Identifier: GPL-2.0
/*
 * The examples with shadow variables, step by step, with transitions held open.
 * They attach something to a file in /proc that is opened with data of its own, as
 * /proc/PID/maps is; /proc/cmdline shows what there is.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "contract.h"
#include "fields.h"
#include "vm/guest.h"

#define MAPS	"/proc/1/maps"

/* Those that a test has open; closed by who comes after a test that failed. */
static int fds[8], nr_fds;

static int maps_open(void)
{
	int fd = open(MAPS, O_RDONLY | O_CLOEXEC);

	check(fd >= 0, "cannot open " MAPS);
	check(nr_fds < (int)ARRAY_SIZE(fds), "too many files");
	fds[nr_fds++] = fd;
	return fd;
}

static void maps_close(int fd)
{
	int i;

	check_ok(close(fd));
	for (i = 0; i < nr_fds; i++)
		if (fds[i] == fd)
			fds[i--] = fds[--nr_fds];
}

static void maps_close_all(void)
{
	while (nr_fds)
		close(fds[--nr_fds]);
}

/* Read all of it. Returns how many lines have a name, which is a padded column. */
static long maps_read(int fd)
{
	char buf[4096], *line, *end;
	ssize_t len = pread(fd, buf, sizeof(buf) - 1, 0);
	long columns = 0;

	check(len > 0 && len < 3800, "read %zd bytes of " MAPS, len);
	buf[len] = '\0';
	for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		columns += !!strpbrk(line, "/[");
	}
	check(columns, "nothing in " MAPS " has a name");
	return columns;
}

/* What the patched function shows has all these fields, ended by NULL. */
static void shows(const char *first, ...)
{
	char key[32];
	const char *want;
	va_list ap;

	show();
	va_start(ap, first);
	for (want = first; want; want = va_arg(ap, const char *)) {
		snprintf(key, sizeof(key), "%.*s", (int)strcspn(want, "="), want);
		check(!strcmp(val(key), want + strcspn(want, "=") + 1),
		      "not %s: %s", want, shown());
	}
	va_end(ap);
}

/* Let the transition end. What the task that held it showed is in @buf. */
static void release_into(pid_t pid, char *buf, size_t size)
{
	memset(buf, 0, size);
	check_ok(hold_release_all());
	check(!hold_finish(pid, buf, size - 1), "the held task failed");
	check_ok(klp_settle(NULL));
}

static void gone(const char *name)
{
	check_ok(klp_wait_gone(name));
	check_ok(mod_unload(name));
}

void test_example_shadow_lock(void)
{
	int before, early, file, second, late;
	char buf[4096], want[64];
	long sum, more;
	pid_t pid;

	maps_close_all();
	before = maps_open();
	pid = begin_load("shadow_lock_v1");
	early = maps_open();
	maps_read(early);
	shows("patch=v1", "live=0", "files=0", NULL);
	release(pid);

	/* Those without a shadow work, and stay without. */
	maps_read(before);
	maps_read(early);
	shows("patch=v1", "live=1", "files=0", "columns=0", NULL);
	maps_close(before);
	maps_close(early);
	file = maps_open();
	sum = maps_read(file);
	shows("files=1", NULL);
	check(num("columns") == sum && num("blanks") > 0, "not %ld: %s", sum,
	      shown());

	/* Taken back, the new version leaves what it attached to the old one. */
	pid = begin_load("shadow_lock_v2");
	second = maps_open();
	sum += maps_read(second);
	reverse("shadow_lock_v2", pid, true);
	shows("patch=v1", "files=2", NULL);
	check(num("columns") == sum, "not %ld: %s", sum, shown());

	/* Both versions have the same values, under the same locks. */
	pid = begin_load("shadow_lock_v2");
	shows("patch=v2", "live=1", "files=2", NULL);
	check(num("columns") == sum, "not %ld: %s", sum, shown());
	more = maps_read(file) + maps_read(second);
	late = maps_open();
	more += maps_read(late);
	release_into(pid, buf, sizeof(buf));
	snprintf(want, sizeof(want), "patch=v1 live=1 files=3 columns=%ld ",
		 sum + more);
	check(strstr(buf, want), "version 1 has not %s: %s", want, buf);
	gone("shadow_lock_v1");

	/* The locks outlive version 1. */
	sum += more + maps_read(file) + maps_read(late);
	maps_close(second);
	shows("patch=v2", "live=1", "files=2", NULL);
	check(num("widest") > 0, "%s", shown());
	maps_close(late);
	second = maps_open();
	sum = maps_read(file) + maps_read(second);
	shows("files=2", NULL);

	/*
	 * A disable that is reversed: a file is closed without the patch, and what
	 * it had is there until another file has its address.
	 */
	pid = begin_disable("shadow_lock_v2");
	maps_close(second);
	reverse("shadow_lock_v2", pid, false);
	for (more = 1; more < 5; more++) {
		second = maps_open();
		maps_read(second);
		show();
		check(num("files") <= more + 2, "%s", shown());
		if (num("files") == more + 1)
			break;
	}
	out("# the address was %sused again", more < 5 ? "" : "not ");

	/* And one that is not, with files open on all sides. */
	pid = begin_disable("shadow_lock_v2");
	maps_close(second);
	late = maps_open();
	release(pid);
	gone("shadow_lock_v2");
	maps_read(file);
	maps_read(late);
	maps_close_all();
}

/*
 * A child opens the file, in a table of files that it shares with us, and is gone:
 * only the patch still knows it.
 */
static int maps_open_elsewhere(pid_t *opener)
{
	int before = nr_fds, fd;
	pid_t pid;

	pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		fd = open(MAPS, O_RDONLY | O_CLOEXEC);
		syscall(SYS_exit_group, fd < 0 ? 255 : fd);
	}
	check(pid > 0, "cannot clone");
	fd = reap(pid);
	check(fd > 0 && fd < 255, "the child cannot open " MAPS);
	fds[before] = fd;
	nr_fds = before + 1;
	*opener = pid;
	return fd;
}

/* Close the file of @opener; the put says so, if it has found the get's. */
static void put(int fd, pid_t opener, bool found)
{
	char line[64];

	kmsg_mark();
	maps_close(fd);
	snprintf(line, sizeof(line), "file opened by %d is closed by %d",
		 opener, getpid());
	check(kmsg_count("is closed by") == found && kmsg_has(line) == found,
	      "%sfound: %s", found ? "not " : "", kmsg_since());
}

void test_example_paired_ops(void)
{
	pid_t pid, by_before, by_early, by[4], by_middle, by_last;
	int before, early, file[4], middle, last, i;
	char buf[4096];

	maps_close_all();
	before = maps_open_elsewhere(&by_before);
	pid = begin_load("paired_ops_v1");
	early = maps_open_elsewhere(&by_early);
	shows("patch=v1", "live=0", "open=0", NULL);
	release(pid);

	/* The puts of those who have got nothing have no effect. */
	put(before, by_before, false);
	put(early, by_early, false);
	shows("patch=v1", "live=1", "open=0", "gets=0", NULL);
	for (i = 0; i < 4; i++)
		file[i] = maps_open_elsewhere(&by[i]);
	shows("open=4", "gets=4", NULL);
	put(file[0], by[0], true);
	shows("open=3", "gets=4", NULL);

	/* Neither version attaches what the other one would not find. */
	kmsg_mark();
	pid = begin_load("paired_ops_v2");
	middle = maps_open_elsewhere(&by_middle);
	shows("patch=v2", "live=0", "open=0", NULL);
	put(file[1], by[1], true);
	release_into(pid, buf, sizeof(buf));
	check(strstr(buf, "patch=v1 live=1 open=2 gets=4"), "%s", buf);
	gone("paired_ops_v1");

	/* Begun under version 1, finished under version 2. */
	shows("patch=v2", "live=1", "open=2", "undated=2", "gets=4", "before=4",
	      NULL);
	put(file[2], by[2], true);
	put(middle, by_middle, false);
	last = maps_open_elsewhere(&by_last);
	shows("open=2", "undated=1", "gets=5", NULL);

	/* Nothing is lost where a disable is taken back. */
	reverse("paired_ops_v2", begin_disable("paired_ops_v2"), false);
	shows("live=1", "open=2", "undated=1", "gets=5", NULL);
	put(file[3], by[3], true);
	file[3] = maps_open_elsewhere(&by[3]);
	shows("open=2", "undated=0", "gets=6", NULL);

	/* The pairs that are open are undone with the patch. */
	pid = begin_disable("paired_ops_v2");
	put(file[3], by[3], false);
	release(pid);
	gone("paired_ops_v2");
	put(last, by_last, false);
}
