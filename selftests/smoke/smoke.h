/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of make smoke share this; see ../smoke.c. */
#ifndef _SMOKE_H
#define _SMOKE_H

#include <stdbool.h>
#include <stddef.h>

#include "../vm/guest.h"

#define MODS_MAX	64

struct mod {
	char name[64];		/* as the kernel spells it */
	char file[64];
	bool livepatch, loaded;
	int since;		/* the step that loaded it */
};

extern struct mod mods[MODS_MAX];
extern int nr_mods;

#define for_each_mod(m)		for ((m) = mods; (m) < mods + nr_mods; (m)++)
#define for_each_mod_back(m)	for ((m) = mods + nr_mods; (m)-- > mods; )

/* Ends the step; what the kernel said in it is often the reason. */
#define must(cond, fmt, ...)					\
	do {							\
		if (!(cond)) {					\
			show_log();				\
			fail(fmt, ##__VA_ARGS__);		\
		}						\
	} while (0)

static inline const char *plural(unsigned long n)
{
	return n == 1 ? "" : "s";
}

/* log.c */
void show_log(void);

/* smoke.c: the test itself is at fault. */
void __noreturn broken(const char *what, const char *name);
/* Steps have numbers, 1 is the first. */
int step_number(void);
const char *step_name(int number);
struct lines *step_fresh(int number);	/* names that came in this step */

/* mods.c */
int try_load(struct mod *m);
void load_mod(struct mod *m);
const char *refusal(void);		/* why the last load was refused, if that is right */
void unload(struct mod *m);
int loaded_since(const char *mod);	/* the step, INT_MAX if it is not loaded */
void settle(const struct mod *m);
void still_enabled(const struct mod *except);
void turn(const struct mod *m, const char *enabled);
/* A transition that stays open until it is released */
void hold(void);
void in_transition(const struct mod *m);
void release(void);

/* checks.c */
void checks_start(void);
void before_first_load(void);
void before_reversal(void);
void after_reversal(const struct mod *m);
void after_step(void);
void values_restored(void);
void nothing_left(void);

/*
 * taken.c: what the code of modules has taken and not given back, as
 * klp_sdk_watch.ko has seen it.
 */
struct taken {
	int step;			/* which took it */
	unsigned long objects, bytes;
	char kind[12];			/* memory, pages, percpu, notifier, timer */
	char mod[64];			/* or "-" */
	char where[96], by[64];		/* or "-" */
};

struct taken_all {
	struct taken *all;
	int nr;
};

void taken_start(void);
void taken_step(int number);
void taken_read(struct taken_all *t);
/* How many objects @mod has more after its reversal; those that no one owns count. */
unsigned long taken_more(const struct taken_all *before, const struct taken_all *after,
			 const char *mod);
/* How many objects that earlier steps had taken are gone. */
unsigned long taken_gone(const struct taken_all *before, const struct taken_all *after);
unsigned long taken_left(const struct taken_all *now);

/* names.c: sorted lines, of names or of values */
struct lines {
	char **line;
	int nr, room;
};

void names_read(struct lines *l);	/* files, devices, kernel threads, kprobes */
void values_read(struct lines *l);	/* as "PATH = VALUE" */
void lines_add(struct lines *l, const char *text);
void lines_free(struct lines *l);
bool lines_has(const struct lines *l, const char *line);
/* For each line of @a that is not in @b. */
int lines_missing(const struct lines *a, const struct lines *b,
		  void (*fn)(const char *line));
/* Values that differ; the paths of those that @unsteady has are left out. */
int values_differ(const struct lines *before, const struct lines *after,
		  const struct lines *unsteady, void (*fn)(const char *was, const char *is));
/* The lines of values that differ between the two. */
void values_unsteady(const struct lines *a, const struct lines *b, struct lines *unsteady);

#endif /* _SMOKE_H */
