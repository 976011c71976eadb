// SPDX-License-Identifier: GPL-2.0
/*
 * The story of a state, told by the running kernel: whatever is printed behind
 * a colon was read from /proc and /sys at that moment.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "fields.h"
#include "vm/guest.h"

static long num(const struct fields *f, const char *key)
{
	char buf[64];

	return atol(field(f, key, buf, sizeof(buf)));
}

static void patches(char *buf, size_t size)
{
	DIR *dir = opendir("/sys/kernel/livepatch");
	struct dirent *entry;
	size_t len = 0;

	*buf = '\0';
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			len += snprintf(buf + len, size - len, "%s%s%s",
					len ? ", " : "", entry->d_name,
					klp_transition(entry->d_name) == 1 ?
					" (in transition)" : "");
	if (dir)
		closedir(dir);
	if (!*buf)
		snprintf(buf, size, "none");
}

/* What the system looks like now. */
static void look(struct fields *f, const char *what)
{
	char names[256];

	patches(names, sizeof(names));
	guest_must(fields_read(f) > 0, "cannot read %s", PROC);
	f->text[strcspn(f->text, "\n")] = '\0';
	out("    livepatches:        %s", names);
	out("    console_loglevel:   %ld", console_level());
	out("    %-19s %.80s", what, f->text);
}

static void must_load(const char *name)
{
	int ret = mod_load(name, "");

	guest_must(!ret, "%s does not load: %s", name, strerror(-ret));
}

static void settle(void)
{
	guest_must(!klp_settle(NULL), "a transition does not end");
}

static void must_unload(const char *name)
{
	int ret = klp_wait_gone(name);

	if (!ret)
		ret = mod_unload(name);
	guest_must(!ret, "%s does not unload: %s", name, strerror(-ret));
	guest_must(!mod_loaded(name), "%s is still loaded", name);
}

static void field_line(const struct fields *old, const struct fields *new,
		       const char *key)
{
	char a[32], b[32];

	field(old, key, a, sizeof(a));
	field(new, key, b, sizeof(b));
	out("      %-10s %6s  ->  %s", key, *a ? a : "-", *b ? b : "-");
}

int main(void)
{
	struct fields v1, v2, during, plain, end;
	struct utsname uts;
	long level;
	pid_t pid;

	guest_boot();
	uname(&uts);
	guest_must(!mod_load("klp_sdk_hold", ""), "klp_sdk_hold does not load");
	level = console_level();
	guest_must(fields_read(&plain) > 0, "cannot read %s", PROC);
	out("klp-sdk on Linux %s, console_loglevel: %ld", uts.release, level);

	out("1. loglevel_v1 is loaded: it saves the log level and raises it");
	must_load("loglevel_v1");
	settle();
	look(&v1, PROC ":");
	guest_must(num(&v1, "saved") == level && console_level() != level,
		   "v1 did not save the level");

	out("2. loglevel_v2 replaces it: one state is converted, one grows");
	must_load("loglevel_v2");
	settle();
	look(&v2, PROC ":");
	out("      field          v1  ->  v2");
	field_line(&v1, &v2, "saved");
	field_line(&v1, &v2, "raised");
	field_line(&v1, &v2, "handovers");
	field_line(&v1, &v2, "reads");
	field_line(&v1, &v2, "before");
	guest_must(num(&v2, "saved") == level && num(&v2, "handovers") == 1 &&
		   num(&v2, "reads") == 2 && num(&v2, "before") == 1,
		   "v2 did not migrate the data");

	out("3. loglevel_v1's module is unloaded; nothing of it is needed");
	must_unload("loglevel_v1");
	look(&v2, PROC ":");
	guest_must(num(&v2, "saved") == level, "the data is gone");

	out("4. loglevel_v3 begins to replace v2; a task asleep in v2 holds it");
	pid = hold_start(PROC);
	guest_must(pid > 0, "no task could be held");
	must_load("loglevel_v3");
	sleep_ms(2500);
	guest_must(klp_transition("loglevel_v3") == 1, "v3 is not in transition");
	look(&during, "new task:");
	out("   ... and is reversed: v2 works as if v3 had never been there");
	guest_must(!klp_write("loglevel_v3", "enabled", "0"), "cannot reverse");
	hold_release_all();
	guest_must(!hold_finish(pid, NULL, 0), "the held task failed");
	settle();
	must_unload("loglevel_v3");
	look(&during, PROC ":");
	guest_must(num(&during, "saved") == level && num(&during, "handovers") == 1,
		   "v2's data changed");

	out("5. loglevel_v1 replaces v2: back to an older patch, by v2's own way back");
	must_load("loglevel_v1");
	settle();
	must_unload("loglevel_v2");
	look(&v1, PROC ":");
	guest_must(num(&v1, "saved") == level &&
		   num(&v1, "reads") == num(&during, "reads") + 1,
		   "v2 did not hand over its data");

	out("6. notifier_v1 replaces it and knows nothing of a log level:");
	out("   begun and reversed, loglevel_v1 works on; then for good, it undoes its own");
	pid = hold_start(PROC);
	guest_must(pid > 0, "no task could be held");
	must_load("notifier_v1");
	guest_must(klp_transition("notifier_v1") == 1, "it is not in transition");
	guest_must(console_level() == level, "the level is not restored for it");
	guest_must(!klp_write("notifier_v1", "enabled", "0"), "cannot reverse");
	hold_release_all();
	guest_must(!hold_finish(pid, NULL, 0), "the held task failed");
	settle();
	must_unload("notifier_v1");
	look(&during, PROC ":");
	guest_must(num(&during, "saved") == level && console_level() != level,
		   "v1 does not work on");
	must_load("notifier_v1");
	settle();
	must_unload("loglevel_v1");
	look(&during, PROC ":");
	guest_must(console_level() == level, "the level is not restored");

	out("7. notifier_v1 is disabled and unloaded: all is as it was");
	guest_must(!klp_write("notifier_v1", "enabled", "0"), "cannot disable");
	settle();
	must_unload("notifier_v1");
	look(&end, PROC ":");
	guest_must(console_level() == level, "the level is not restored");
	guest_must(!strncmp(end.text, plain.text, strlen(end.text)),
		   "%s is not the original", PROC);
	guest_end();
}
