// SPDX-License-Identifier: GPL-2.0
/* Things that modules have taken, before and after a step: what is left, what is gone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smoke.h"

#define WATCH	"/proc/klp_sdk_watch"

void taken_start(void)
{
	if (mod_load("klp_sdk_watch", ""))
		broken("cannot load", "klp_sdk_watch");
}

void taken_step(int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	if (file_write(WATCH, text))
		broken("cannot write to", WATCH);
}

/*
 * The kernel's own memory for the name of a folder in sysfs, which stays until the dentry
 * cache lets go of it, whenever that is. A folder that stays is seen in /sys by its name.
 */
static bool is_name_of_folder(const struct taken *s)
{
	return !strcmp(s->where, "-") && !strcmp(s->by, "kobject_add");
}

void taken_read(struct taken_all *t)
{
	char line[512];
	unsigned long lost;
	FILE *f = fopen(WATCH, "r");
	int room = 0;

	t->nr = 0;
	if (!f || !fgets(line, sizeof(line), f))
		broken("cannot read", WATCH);
	lost = strtoul(line, NULL, 10);
	if (lost)
		broken("too much is taken for", WATCH);
	free(t->all);
	t->all = NULL;
	while (fgets(line, sizeof(line), f)) {
		struct taken *s;

		if (t->nr == room) {
			room += 64;
			t->all = realloc(t->all, room * sizeof(*t->all));
			if (!t->all)
				broken("no memory for", WATCH);
		}
		s = &t->all[t->nr];
		if (sscanf(line, "%d %11s %lu %lu %63s %95s %63s", &s->step, s->kind,
			   &s->objects, &s->bytes, s->mod, s->where, s->by) == 7 &&
		    !is_name_of_folder(s))
			t->nr++;
	}
	fclose(f);
}

/* The same but for the step: who renews what it has takes it in another step. */
static bool same(const struct taken *a, const struct taken *b)
{
	return !strcmp(a->kind, b->kind) && !strcmp(a->mod, b->mod) &&
	       !strcmp(a->where, b->where) && !strcmp(a->by, b->by);
}

static struct taken sum(const struct taken_all *t, const struct taken *like)
{
	struct taken total = *like;

	total.objects = 0;
	total.bytes = 0;
	for (const struct taken *s = t->all; s < t->all + t->nr; s++) {
		if (!same(s, like))
			continue;
		total.objects += s->objects;
		total.bytes += s->bytes;
	}
	return total;
}

/* Is it the first of its like? Each is to be reported once. */
static bool first(const struct taken_all *t, const struct taken *s)
{
	for (const struct taken *o = t->all; o < s; o++)
		if (same(o, s))
			return false;
	return true;
}

/* "3 objects, 192 bytes of memory", "a notifier" */
static void show_taken(const char *what, const struct taken *s, unsigned long objects,
		       unsigned long bytes, const char *since)
{
	char by[80] = "", of[80];

	if (strcmp(s->by, "-"))
		snprintf(by, sizeof(by), " by %s", s->by);
	if (bytes)
		snprintf(of, sizeof(of), "%lu (%lu bytes of %s)", objects, bytes,
			 !strcmp(s->kind, "percpu") ? "per-CPU memory" : s->kind);
	else
		snprintf(of, sizeof(of), "%lu (%s)", objects, s->kind);
	if (!strcmp(s->where, "-"))
		out("# %s: %s%s, the stack does not show whose%s%s", what, of, by,
		    *since ? ", since " : "", since);
	else
		out("# %s: %s from %s [%s]%s%s%s", what, of, s->where, s->mod, by,
		    *since ? ", since " : "", since);
}

unsigned long taken_more(const struct taken_all *before, const struct taken_all *after,
			 const char *mod)
{
	unsigned long more = 0;

	for (const struct taken *s = after->all; s < after->all + after->nr; s++) {
		struct taken was, is;

		if ((strcmp(s->mod, mod) && strcmp(s->mod, "-")) || !first(after, s))
			continue;
		was = sum(before, s);
		is = sum(after, s);
		if (is.objects <= was.objects)
			continue;
		more += is.objects - was.objects;
		show_taken("left", s, is.objects - was.objects,
			   is.bytes > was.bytes ? is.bytes - was.bytes : 0, "");
	}
	return more;
}

/*
 * A timer that was started for once has run. The SDK's engine frees what it knows of an
 * unloaded patch when it comes across it.
 */
static bool may_be_gone(const struct taken *s)
{
	return !strcmp(s->kind, "timer") ||
	       (!strncmp(s->where, "klp_sdk_", 8) && s->step < loaded_since(s->mod));
}

static struct taken_all must_stay(const struct taken_all *t)
{
	struct taken_all stay = { calloc(t->nr + 1, sizeof(*t->all)), 0 };

	if (!stay.all)
		broken("no memory for", WATCH);
	for (const struct taken *s = t->all; s < t->all + t->nr; s++)
		if (!may_be_gone(s))
			stay.all[stay.nr++] = *s;
	return stay;
}

unsigned long taken_gone(const struct taken_all *before, const struct taken_all *after)
{
	struct taken_all had = must_stay(before), has = must_stay(after);
	unsigned long gone = 0;

	for (const struct taken *s = had.all; s < had.all + had.nr; s++) {
		struct taken was = sum(&had, s), is = sum(&has, s);

		if (!first(&had, s) || is.objects >= was.objects)
			continue;
		gone += was.objects - is.objects;
		show_taken("gone", s, was.objects - is.objects,
			   was.bytes > is.bytes ? was.bytes - is.bytes : 0,
			   step_name(s->step));
	}
	free(had.all);
	free(has.all);
	return gone;
}

unsigned long taken_left(const struct taken_all *now)
{
	unsigned long left = 0;

	for (const struct taken *s = now->all; s < now->all + now->nr; s++) {
		left += s->objects;
		show_taken("left", s, s->objects, s->bytes, step_name(s->step));
	}
	return left;
}
