// SPDX-License-Identifier: GPL-2.0
/*
 * Stories: sequences which the model cannot follow, for they have patches that it does not
 * know, wrong declarations, or records of another release. So each says itself what must
 * happen. A line of the file is a story: events separated by ';', and behind one, after
 * '->', how it must fail and what the log must say then:
 *
 *	load a1; load bad as=no-old -> EINVAL it has no .old_name; disable a1; unload a1
 *
 * Beside the events there are
 *	load PATCH NAME=VALUE...	with parameters of the module
 *	param PATCH NAME VALUE		one of a module that is loaded
 *	nomem N				the N-th allocation of the next event fails
 *	poke PART.FIELD NUMBER		is added to that field in all records
 *	leaves				at the end: memory is left over, after a force
 * All else must be unloaded and freed at the end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "pool.h"

static int line_nr;
static bool leaves;

static int wrong(struct run *run, const char *text, const char *what)
{
	return run_differs(run, SIM_DIFF_RET, "line %d, '%s': %s", line_nr, text, what);
}

/* Words of PATCH and what follows: "NAME=VALUE" are parameters, the rest is an event's. */
static int load(char *words, struct sim_seen *seen)
{
	struct sim_event event = { .op = SIM_LOAD };
	char params[128] = "", text[128], *save, *word;
	int nr;

	word = strtok_r(words, " ", &save);
	nr = word ? kern_find(word) : -1;
	if (nr < 0)
		return -1;
	event.arg = nr;
	snprintf(text, sizeof(text), "load %s", word);
	while ((word = strtok_r(NULL, " ", &save))) {
		bool own = !strchr(word, '=') || !strncmp(word, "nomem=", 6) ||
			   !strncmp(word, "fail=", 5);
		char *to = own ? text : params;
		size_t len = strlen(to);

		snprintf(to + len, sizeof(params) - len, "%s%s", len ? " " : "", word);
	}
	if (nr < SIM_NR_PATCHES && text_parse(text, &event, 1) != 1)
		return -1;
	kern_params(params);
	kern_event(&event, seen);
	kern_params("");
	return 0;
}

static int other_op(const char *word)
{
	static const char *const words[] = { "unload", "enable", "disable", "force" };
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], word))
			return SIM_UNLOAD + i;
	return -1;
}

/* One event; -1 if the text is wrong */
static int play(char *text, struct sim_seen *seen)
{
	char word[32], name[64], val[64];
	struct sim_event event;
	int n = 0, nr;

	if (!strncmp(text, "load ", 5))
		return load(text + 5, seen);
	if (sscanf(text, "param %31s %63s %63s", word, name, val) == 3) {
		nr = kern_find(word);
		if (nr >= 0)
			kern_set_param(nr, name, val, seen);
		return nr < 0 ? -1 : 0;
	}
	if (sscanf(text, "poke %63s %63s", name, val) == 2) {
		memset(seen, 0, sizeof(*seen));
		seen->ret = kern_poke(name, strtoll(val, NULL, 0));
		return 0;
	}
	if (!strcmp(text, "leaves") || sscanf(text, "nomem %d", &nr) == 1) {
		memset(seen, 0, sizeof(*seen));
		if (*text == 'n')
			kern_nomem(nr);
		else
			leaves = true;
		return 0;
	}
	if (sscanf(text, "%31s %63s%n", word, name, &n) == 2 && other_op(word) >= 0 &&
	    kern_find(name) >= SIM_NR_PATCHES)
		event = (struct sim_event){ .op = other_op(word), .arg = kern_find(name) };
	else if (text_parse(text, &event, 1) != 1)
		return -1;
	kern_event(&event, seen);
	return 0;
}

static int errno_of(const char *name)
{
	int i;

	for (i = 1; i < 134; i++)
		if (strerrorname_np(i) && !strcmp(strerrorname_np(i), name))
			return i;
	return -1;
}

/* @expected is "ERRNO what the log says", or NULL if it must not fail. */
static int judge(struct run *run, const char *text, const char *expected,
		 const struct sim_seen *seen)
{
	char name[32] = "", what[256];
	int ret = 0, n = 0;

	if (expected) {
		sscanf(expected, " %31s %n", name, &n);
		ret = -errno_of(name);
		if (ret == 1)
			return wrong(run, text, "no such error is behind ->");
	}
	snprintf(what, sizeof(what), "expected %d, got %d", ret, seen->ret);
	if (seen->ret != ret)
		return wrong(run, text, what);
	if (seen->warned)
		return wrong(run, text, "a mistake, see the log");
	if (expected && !strstr(kern_log(), expected + n))
		return wrong(run, text, "the log does not say what is behind ->");
	return 0;
}

static int do_one(struct run *run, char *text)
{
	struct sim_seen seen;
	char *expected = strstr(text, "->"), copy[256], *end;

	if (expected) {
		*expected = '\0';
		expected += 2;
	}
	text += strspn(text, " \t");
	for (end = text + strlen(text); end > text && end[-1] == ' '; end--)
		end[-1] = '\0';
	if (!*text)
		return 0;
	run->total++;
	snprintf(copy, sizeof(copy), "%s", text);
	if (play(text, &seen))
		return wrong(run, copy, "it is no event; see story.c");
	return judge(run, copy, expected, &seen);
}

static int do_line(struct run *run, char *line)
{
	int before, ret = 0;
	char *save, *text;
	char what[64];

	kern_boot();
	before = kern_allocated();
	leaves = false;
	for (text = strtok_r(line, ";\n", &save); text && !ret;
	     text = strtok_r(NULL, ";\n", &save))
		ret = do_one(run, text);
	if (ret || leaves)
		return ret;
	ret = do_one(run, strcpy(what, "grace"));
	snprintf(what, sizeof(what), "%d allocations are left over", kern_allocated() - before);
	if (!ret && kern_allocated() != before)
		return wrong(run, "the end", what);
	return ret;
}

static void stories_job(struct run *run, void *arg)
{
	FILE *file = arg;
	char *line = NULL;
	size_t size = 0;

	sim_verbose = true;
	while (getline(&line, &size, file) > 0) {
		line_nr++;
		if (*line == '#' || *line == '\n')
			continue;
		run->sequences++;
		if (do_line(run, line))
			break;
	}
	free(line);
}

int stories_main(const char *name)
{
	FILE *file = fopen(name, "r");
	struct run *run = run_new();

	if (!file) {
		fprintf(stderr, "sim: cannot read %s: %s\n", name, strerror(errno));
		return 2;
	}
	worker_wait(worker_start(run, stories_job, file, false), run);
	fclose(file);
	if (run->kind) {
		printf("stories: %s\nlog of the last event:\n%s", run->text, run->log);
		return 1;
	}
	printf("stories: %llu, %llu events\n", run->sequences, run->total);
	return 0;
}
