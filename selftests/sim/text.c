// SPDX-License-Identifier: GPL-2.0
/* Events as text: a sequence is one line that can be fed back. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define MAX_WORDS	6
#define MAX_NOMEM	63

static const char *const op_names[SIM_NR_OPS] = {
	"load", "unload", "enable", "disable", "force", "tick", "enter", "leave",
	"coming", "init", "rmmod", "grace", "shadow", "read", "call",
};

const char *const func_names[SIM_NR_FUNCS] = { "cmdline", "version", "mod1" };
const char *const target_names[SIM_NR_TARGETS] = { "mod1", "mod2" };

struct out out_to(char *buf, unsigned long size)
{
	*buf = '\0';
	return (struct out){ buf, buf + size };
}

void put(struct out *o, const char *fmt, ...)
{
	va_list args;
	int n;

	if (o->end - o->at <= 1)
		return;
	va_start(args, fmt);
	n = vsnprintf(o->at, o->end - o->at, fmt, args);
	va_end(args);
	o->at += n < o->end - o->at ? n : o->end - o->at - 1;
}

const char *name_of(const char *const *names, int nr, int i)
{
	return i >= 0 && i < nr ? names[i] : "?";
}

const char *patch_name(int nr)
{
	return nr >= 0 && nr < SIM_NR_PATCHES ? sim_pool[nr].name : "?";
}

/*
 * Parsing
 */

static int index_of(const char *const *names, int nr, const char *word)
{
	int i;

	for (i = 0; i < nr; i++)
		if (!strcmp(names[i], word))
			return i;
	return -1;
}

/* Says that @word is wrong and which ones are right; -1 */
static int wrong(const char *word, const char *what, const char *const *names, int nr)
{
	char list[512];
	struct out o = out_to(list, sizeof(list));
	int i;

	for (i = 0; i < nr; i++)
		put(&o, "%s%s", i ? ", " : "", names[i]);
	fprintf(stderr, "sim: '%s' is no %s: use one of %s\n", word, what, list);
	return -1;
}

static int parse_name(const char *word, const char *what, const char *const *names, int nr)
{
	int i = index_of(names, nr, word);

	return i < 0 ? wrong(word, what, names, nr) : i;
}

static int parse_patch(const char *word)
{
	const char *names[SIM_NR_PATCHES];
	int i;

	for (i = 0; i < SIM_NR_PATCHES; i++)
		names[i] = sim_pool[i].name;
	return parse_name(word, "patch (written without tp_)", names, SIM_NR_PATCHES);
}

static int parse_arg(int op, const char *word)
{
	switch (op) {
	case SIM_LOAD:
	case SIM_UNLOAD:
	case SIM_ENABLE:
	case SIM_DISABLE:
	case SIM_FORCE:
	case SIM_SHADOW:
	case SIM_READ:
		return parse_patch(word);
	case SIM_ENTER:
	case SIM_CALL:
		return parse_name(word, "function", func_names, SIM_NR_FUNCS);
	default:
		return parse_name(word, "target", target_names, SIM_NR_TARGETS);
	}
}

static int has_arg(int op)
{
	return op != SIM_TICK && op != SIM_LEAVE && op != SIM_GRACE;
}

static int parse_nomem(const char *number, const char *word)
{
	unsigned int n = 0;
	char rest;

	if (sscanf(number, "%u%c", &n, &rest) == 1 && n >= 1 && n <= MAX_NOMEM)
		return n;
	fprintf(stderr, "sim: '%s': which allocation fails is a number from 1 to %d\n", word,
		MAX_NOMEM);
	return -1;
}

static int parse_fail(int patch, const char *state)
{
	const struct sim_pool_patch *p = &sim_pool[patch];
	int i;

	if (!p->fails) {
		fprintf(stderr, "sim: 'fail=%s': %s has no parameter fail_state: leave it out\n",
			state, p->name);
		return -1;
	}
	i = parse_name(state, "state of this patch", p->states, sim_nr_states(patch));
	return i < 0 ? i : SIM_PAR_STATE + i;
}

static int parse_load(int patch, const char *word)
{
	static const char *const words[] = { "nomem=N", "core", "fail=STATE" };

	if (!strncmp(word, "fail=", 5))
		return parse_fail(patch, word + 5);
	if (!strcmp(word, "stacked") && patch == SIM_raw)
		return SIM_PAR_RAW_STACKED;
	if (!strcmp(word, "stacked")) {
		fprintf(stderr, "sim: 'stacked' is a parameter of raw only: leave it out\n");
		return -1;
	}
	return wrong(word, "parameter of load", words, ARRAY_SIZE(words));
}

/* The word behind the argument */
static int parse_par(const struct sim_event *event, const char *word)
{
	static const char *const coming[] = { "nomem=N", "core" }, *const init[] = { "fail" };

	if (event->op == SIM_INIT) {
		if (!strcmp(word, "fail"))
			return 1;
		return wrong(word, "parameter of init", init, ARRAY_SIZE(init));
	}
	if (event->op == SIM_LOAD || event->op == SIM_COMING) {
		if (!strncmp(word, "nomem=", 6))
			return parse_nomem(word + 6, word);
		if (!strcmp(word, "core"))
			return SIM_PAR_CORE;
	}
	if (event->op == SIM_LOAD)
		return parse_load(event->arg, word);
	if (event->op == SIM_COMING)
		return wrong(word, "parameter of coming", coming, ARRAY_SIZE(coming));
	fprintf(stderr, "sim: '%s' is one word too many for %s: leave it out\n", word,
		op_names[event->op]);
	return -1;
}

/* "shadow PATCH CALL TYPE NUMBER", "shadow PATCH again NUMBER" or "... fill NUMBER" */
static int parse_shadow(char **words, int nr, struct sim_event *event)
{
	int call, type = 0, at = 3, some;
	unsigned int n = 0, i;

	if (nr < 4) {
		fprintf(stderr, "sim: a shadow lacks words: write shadow PATCH CALL TYPE NUMBER\n");
		return -1;
	}
	some = index_of(some_names, SIM_NR_SOME, words[2]);
	call = some >= 0 ? SIM_SOME : parse_name(words[2], "call", call_names, SIM_AGAIN + 1);
	if (call < 0)
		return -1;
	if (call == SIM_SOME)
		type = some;
	else if (call != SIM_AGAIN)
		type = parse_name(words[at++], "type", type_names,
				  call == SIM_PREV ? SIM_COUNT : SIM_NR_TYPES);
	if (type < 0)
		return -1;
	if (nr == at + 1 && sscanf(words[at], "%u", &n) == 1)
		for (i = 0; i < SIM_NR_PARENTS; i++)
			if (n == (call == SIM_SOME ? sim_bulk[i] : i)) {
				event->par = SIM_SHADOW_PAR(call, type, i);
				return 0;
			}
	fprintf(stderr, "sim: the number of a shadow is 0 to %d, of fill, thin and sum 2, 20, 100 or 1000\n",
		SIM_NR_PARENTS - 1);
	return -1;
}

static int parse_words(char **words, int nr, struct sim_event *event)
{
	int op, n = 1, i;

	*event = (struct sim_event){ 0 };
	op = parse_name(words[0], "event", op_names, SIM_NR_OPS);
	if (op < 0)
		return -1;
	event->op = op;
	if (has_arg(op)) {
		if (nr < 2) {
			fprintf(stderr, "sim: '%s' lacks a name: write %s %s\n", words[0], words[0],
				op == SIM_ENTER || op == SIM_CALL ? "FUNCTION" :
				op < SIM_ENTER || op > SIM_GRACE ? "PATCH" : "TARGET");
			return -1;
		}
		i = parse_arg(op, words[n++]);
		if (i < 0)
			return -1;
		event->arg = i;
	}
	if (op == SIM_SHADOW)
		return parse_shadow(words, nr, event);
	if (nr == n)
		return 0;
	i = parse_par(event, words[n]);
	if (i < 0)
		return -1;
	event->par = i;
	if (nr == n + 1)
		return 0;
	fprintf(stderr, "sim: '%s' is one word too many for %s: leave it out\n", words[n + 1],
		words[0]);
	return -1;
}

/* One event of @len characters; 1, 0 if there is none, or -1 */
static int parse_event(const char *text, int len, struct sim_event *event)
{
	char buf[128], *words[MAX_WORDS], *save, *word;
	int nr = 0;

	if (len >= (int)sizeof(buf)) {
		fprintf(stderr, "sim: '%.*s...' is too long for an event: separate events by ';'\n",
			20, text);
		return -1;
	}
	memcpy(buf, text, len);
	buf[len] = '\0';
	for (word = strtok_r(buf, " \t\r", &save); word && nr < MAX_WORDS;
	     word = strtok_r(NULL, " \t\r", &save))
		words[nr++] = word;
	if (!nr)
		return 0;
	return parse_words(words, nr, event) ? -1 : 1;
}

int text_parse(const char *text, struct sim_event *events, int max)
{
	struct sim_event event;
	int nr = 0, len, ret;

	for (;;) {
		len = strcspn(text, ";\n");
		ret = parse_event(text, len, &event);
		if (ret < 0)
			return -1;
		if (ret && nr == max) {
			fprintf(stderr, "sim: more than %d events: shorten the sequence\n", max);
			return -1;
		}
		if (ret)
			events[nr++] = event;
		if (!text[len])
			return nr;
		text += len + 1;
	}
}

/*
 * Printing events
 */

static void put_par(struct out *o, const struct sim_event *event)
{
	int par = event->par, state = par - SIM_PAR_STATE;
	int call = SIM_SHADOW_CALL(par), type = SIM_SHADOW_TYPE(par);

	if (event->op == SIM_SHADOW && call == SIM_SOME)
		return put(o, " %s %d", name_of(some_names, SIM_NR_SOME, type),
			   sim_bulk[SIM_SHADOW_PARENT(par)]);
	if (event->op == SIM_SHADOW && call == SIM_AGAIN)
		return put(o, " again %d", SIM_SHADOW_PARENT(par));
	if (event->op == SIM_SHADOW)
		return put(o, " %s %s %d", name_of(call_names, SIM_NR_SHADOW_CALLS, call),
			   name_of(type_names, SIM_NR_TYPES, type), SIM_SHADOW_PARENT(par));
	if (!par)
		return;
	if (event->op == SIM_INIT)
		put(o, " fail");
	else if (par <= MAX_NOMEM)
		put(o, " nomem=%d", par);
	else if (par == SIM_PAR_CORE)
		put(o, " core");
	else if (par == SIM_PAR_RAW_STACKED)
		put(o, " stacked");
	else if (event->arg < SIM_NR_PATCHES && state < sim_nr_states(event->arg))
		put(o, " fail=%s", sim_pool[event->arg].states[state]);
	else
		put(o, " ?%d", par);
}

void text_event(const struct sim_event *event, char *buf, unsigned long size)
{
	struct out o = out_to(buf, size);

	put(&o, "%s", name_of(op_names, SIM_NR_OPS, event->op));
	if (event->op < SIM_TICK || event->op == SIM_SHADOW || event->op == SIM_READ)
		put(&o, " %s", patch_name(event->arg));
	else if (event->op == SIM_ENTER || event->op == SIM_CALL)
		put(&o, " %s", name_of(func_names, SIM_NR_FUNCS, event->arg));
	else if (has_arg(event->op))
		put(&o, " %s", name_of(target_names, SIM_NR_TARGETS, event->arg));
	put_par(&o, event);
}
