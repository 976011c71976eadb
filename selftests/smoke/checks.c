// SPDX-License-Identifier: GPL-2.0
/* Conditions that hold after a reversal, and when all patches are unloaded. */
#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "smoke.h"

#define STATES		"/sys/module/klp_sdk_list/parameters/klp_sdk_states"
#define LINES_MAX	20	/* of names that are left or gone */
#define DRAIN_MS	8000	/* kfree_rcu() takes its time; idle, it is free */

/* Names before the first load, at the end of the last step, and now */
static struct lines names_at_start, names, names_now, values, values_now, unsteady;
static bool names_are_now;
static struct taken_all taken, taken_now;
static int nr_lines;

static void show_stays(const char *line)
{
	if (nr_lines++ < LINES_MAX)
		out("# left: %s", line);
}

static void show_gone(const char *line)
{
	if (nr_lines++ < LINES_MAX)
		out("# gone: %s", line);
}

/* SLUB looks at each object, whether free ones were written to. */
static void validate_slabs(void)
{
	glob_t g;

	if (glob("/sys/kernel/slab/kmalloc-*/validate", 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc; i++)
		file_write(g.gl_pathv[i], "1");
	globfree(&g);
}

/* On a kernel that has kmemleak */
static void no_leak_report(void)
{
	const char *report = leak_report();

	for (const char *p = report; *p; p = strchrnul(p, '\n'), p += !!*p)
		out("# kmemleak: %.*s", (int)strcspn(p, "\n"), p);
	must(!*report, "kmemleak has found what nothing points to");
}

/*
 * A name that was looked up in /sys stays in the dentry cache after it was removed, and
 * with it its memory. RCU and the workqueues have time to free what they have.
 */
static void drain(void)
{
	int i;

	/* Twice: what the first time frees by RCU may have held others. */
	for (i = 0; i < 2; i++) {
		file_write("/proc/sys/vm/drop_caches", "6");	/* 4: do not log it */
		sleep_ms(DRAIN_MS);
	}
}

void before_reversal(void)
{
	drain();
	taken_read(&taken);
}

/* A reversal leaves all as it was: what the patch made is gone, nothing else is. */
void after_reversal(const struct mod *m)
{
	unsigned long gone, left;
	int names_gone, names_left;

	validate_slabs();
	still_enabled(NULL);
	drain();
	taken_read(&taken_now);
	names_read(&names_now);
	names_are_now = true;
	gone = taken_gone(&taken, &taken_now);
	left = taken_more(&taken, &taken_now, m->name);
	nr_lines = 0;
	names_gone = lines_missing(&names, &names_now, show_gone);
	names_left = lines_missing(&names_now, &names, show_stays);
	if (gone || names_gone)
		fail("%s undoes what it has not done: %lu object%s and %d name%s gone",
		     m->name, gone, plural(gone), names_gone, plural(names_gone));
	if (left || names_left)
		fail("%s leaks %lu object%s and %d name%s", m->name, left, plural(left),
		     names_left, plural(names_left));
	no_leak_report();
}

/* Modules that are no patches have been loaded by now. */
void before_first_load(void)
{
	if (!values.nr)
		values_read(&values);
}

static void note_fresh(const char *line)
{
	lines_add(step_fresh(step_number()), line);
}

/* The present names are those before the next step. */
void after_step(void)
{
	struct lines old = names;

	if (!names_are_now)
		names_read(&names_now);
	lines_missing(&names_now, &names, note_fresh);
	names = names_now;
	names_now = old;
	names_are_now = false;
}

static void no_livepatch(void)
{
	DIR *dir = opendir("/sys/kernel/livepatch");
	struct dirent *entry;

	must(dir, "no /sys/kernel/livepatch");
	while ((entry = readdir(dir)))
		must(entry->d_name[0] == '.', "livepatch %s is left", entry->d_name);
	closedir(dir);
}

static int states_left(void)
{
	char buf[4096], *heading, *line, *save;
	int left = 0;

	must(file_read(STATES, buf, sizeof(buf)) > 0, "cannot read %s", STATES);
	heading = strtok_r(buf, "\n", &save);
	for (; (line = strtok_r(NULL, "\n", &save)); left++)
		out("# state left (%s): %s", heading, line);
	return left;
}

static void show_since(const char *line)
{
	int n = step_number();

	while (n > 1 && !lines_has(step_fresh(n), line))
		n--;
	if (nr_lines++ < LINES_MAX)
		out("# left: %s, since %s", line, step_name(n));
}

static void show_value(const char *was, const char *is)
{
	out("# value: %s before the first load, %s now", was, is);
}

/* Those of modules that are no patches, too: they are still loaded. */
void values_restored(void)
{
	int differ;

	values_read(&values_now);
	differ = values_differ(&values, &values_now, &unsteady, show_value);
	if (differ)
		fail("%d value%s not what %s before the first load", differ,
		     differ == 1 ? " is" : "s are", differ == 1 ? "it was" : "they were");
}

void nothing_left(void)
{
	int states, names_left, names_gone;
	unsigned long objects;

	no_livepatch();
	validate_slabs();
	drain();
	taken_read(&taken_now);
	/* The first step's names are those before it, of which none is fresh. */
	names_read(&names_now);
	nr_lines = 0;
	names_left = lines_missing(&names_now, &names_at_start, show_since);
	names_gone = lines_missing(&names_at_start, &names_now, show_gone);
	objects = taken_left(&taken_now);
	/*
	 * The text of unloaded modules stays mapped until the next one is loaded.
	 * Then a timer or a work item that was forgotten has time to show.
	 */
	must(!mod_load("klp_sdk_list", ""), "klp_sdk_list does not load");
	sleep_ms(DRAIN_MS);
	states = states_left();
	if (states || objects || names_left)
		fail("%d state%s, %lu object%s and %d name%s left", states, plural(states),
		     objects, plural(objects), names_left, plural(names_left));
	if (names_gone)
		fail("%d name%s gone", names_gone, plural(names_gone));
	no_leak_report();
}

/* Values that change while nothing is done to them are of no use. */
static void find_unsteady(void)
{
	struct lines first = { 0 }, second = { 0 };

	values_read(&first);
	if (mod_load("klp_sdk_hold", "") || mod_unload("klp_sdk_hold"))
		broken("cannot load", "klp_sdk_hold");
	sleep_ms(1000);
	values_read(&second);
	values_unsteady(&first, &second, &unsteady);
	lines_free(&first);
	lines_free(&second);
}

void checks_start(void)
{
	taken_start();
	find_unsteady();
	names_read(&names_at_start);
	names_read(&names);
}
