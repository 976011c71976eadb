// SPDX-License-Identifier: GPL-2.0
/*
 * Judges a guest's KTAP stream and its kernel log. Strict on purpose: the
 * stream comes through a port of its own which only the guest library writes
 * to, so anything unexpected in it means that something went wrong.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verdict.h"

/* A line is bad if it has @a, and later on @b (if any) */
static const struct {
	const char *a, *b;
} splats[] = {
	{ "WARNING:", NULL },
	{ "BUG:", NULL },
	{ "BUG ", "ainted" },		/* SLUB: "BUG kmalloc-64 (Not tainted): ..." */
	{ "Oops", NULL },
	{ "Kernel panic", NULL },
	{ "general protection fault", NULL },
	{ "INFO: possible", NULL },
	{ "possible circular locking", NULL },
	{ "possible recursive locking", NULL },
	{ "inconsistent lock state", NULL },
	{ "suspicious RCU usage", NULL },
	{ "KASAN:", NULL },
	{ "ODEBUG:", NULL },		/* also that it is out of memory, and off */
	{ "UBSAN:", NULL },
	{ "kmemleak:", "new suspected" },
	{ "blocked for more than", NULL },
	{ "soft lockup", NULL },
	{ "rcu", "detected stalls" },
	{ "rcu", "self-detected stall" },
	{ "Call Trace:", NULL },
	{ "unreferenced object", NULL },
	{ "DEBUG_LOCKS_WARN_ON", NULL },
	{ "sleeping function called from invalid context", NULL },
	{ "scheduling while atomic", NULL },
	{ "list_add corruption", NULL },
	{ "list_del corruption", NULL },
	{ "refcount_t:", NULL },
	/* A warning up to 6.12, a line since */
	{ "allocated at module unload", NULL },
	{ "from the module still alive", NULL },
};

void verdict_init(struct verdict *v, bool plain)
{
	memset(v, 0, sizeof(*v));
	v->plain = plain;
	v->plan = -1;
}

static void __printf(2, 3) broken(struct verdict *v, const char *fmt, ...)
{
	va_list ap;

	if (v->broken[0])
		return;
	va_start(ap, fmt);
	vsnprintf(v->broken, sizeof(v->broken), fmt, ap);
	va_end(ap);
}

static const char *after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) ? NULL : s + n;
}

static void count_result(struct verdict *v, const char *s, bool ok)
{
	char *p;
	long n = strtol(s, &p, 10);

	v->results++;
	v->running[0] = '\0';
	if (v->plan < 0)
		broken(v, "result before the plan");
	else if (p == s || (*p && *p != ' ') || n != v->results)
		broken(v, "result %d is numbered '%.*s'", v->results, (int)(p - s), s);
	else if (n > v->plan)
		broken(v, "more results than the %d planned", v->plan);

	while (*p == ' ' || *p == '-')
		p++;
	snprintf(v->name, sizeof(v->name), "%s", p);
	p = strstr(v->name, " #");
	if (p)
		*p = '\0';
	/* A failure is excused by SKIP alone; TODO would hide what is broken */
	if (p && !strncmp(p + 2 + strspn(p + 2, " "), "SKIP", 4)) {
		v->skipped++;
	} else if (ok) {
		v->passed++;
	} else {
		v->failed++;
		if (!v->first_bad[0])
			snprintf(v->first_bad, sizeof(v->first_bad), "%d (%s)", v->results,
				 v->name);
	}
}

enum line_kind verdict_line(struct verdict *v, const char *line, bool whole)
{
	const char *s;
	char *end;

	if (!whole) {
		broken(v, "last line is cut: '%s'", line);
		return LINE_OTHER;
	}
	if (v->ended) {
		broken(v, "output after the end marker: '%s'", line);
		return LINE_OTHER;
	}
	if (!strcmp(line, VERDICT_END)) {
		v->ended = true;
		return LINE_END;
	}
	s = after(line, VERDICT_NOTE " run ");
	if (s)
		snprintf(v->running, sizeof(v->running), "%s", s);
	s = after(line, VERDICT_NOTE " fail");
	if (s)
		broken(v, "failed:%s", s);
	if (after(line, VERDICT_NOTE))
		return LINE_NOTE;
	if (v->plain)
		return LINE_OTHER;

	if (!v->version) {
		v->version = true;
		if (strcmp(line, "KTAP version 1") && !after(line, "TAP version "))
			broken(v, "no KTAP version line first: '%s'", line);
		return LINE_OTHER;
	}
	/* Diagnostics and results of subtests; the subtests' sum is what counts */
	if (line[0] == '#' || line[0] == ' ' || line[0] == '\0')
		return LINE_OTHER;
	s = after(line, "1..");
	if (s) {
		if (v->plan >= 0)
			broken(v, "a second plan: '%s'", line);
		v->plan = strtol(s, &end, 10);
		if (!isdigit((unsigned char)*s) || *end || v->plan <= 0)
			broken(v, "plan '%s' is no plan", line);
		return LINE_OTHER;
	}
	s = after(line, "ok ");
	if (s) {
		count_result(v, s, true);
		return LINE_RESULT;
	}
	s = after(line, "not ok ");
	if (s) {
		count_result(v, s, false);
		return LINE_RESULT;
	}
	broken(v, "unexpected line '%s'", line);
	return LINE_OTHER;
}

bool verdict_stream(const struct verdict *v, char *why, size_t size)
{
	if (v->plain ? v->ended && !v->broken[0] :
	    v->ended && !v->broken[0] && v->version && v->plan > 0 &&
	    v->results == v->plan && !v->failed)
		return true;

	if (!v->plain && !v->results)
		snprintf(why, size, "no result at all%s%s", v->broken[0] ? ": " : "", v->broken);
	else if (!v->plain && v->plan > 0 && v->results < v->plan)
		snprintf(why, size, "results cut after test %d of %d", v->results, v->plan);
	else if (v->failed)
		snprintf(why, size, "%d of %d tests failed, first test %s", v->failed, v->plan,
			 v->first_bad);
	else if (v->broken[0])
		snprintf(why, size, "%s", v->broken);
	else
		snprintf(why, size, "output ends without the end marker");
	return false;
}

/* BUG, but not in DEBUG: patches say in the log what they like */
static const char *find_word(const char *line, const char *word)
{
	const char *p = line;

	while ((p = strstr(p, word)) && p > line && isalpha((unsigned char)p[-1]))
		p++;
	return p;
}

bool log_line_bad(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(splats); i++) {
		const char *p = find_word(line, splats[i].a);

		if (p && (!splats[i].b || strstr(p, splats[i].b)))
			return true;
	}
	return false;
}

static bool starts(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

/* Without the time and the end of the line; a stray NUL must not hide the rest. */
static char *clean_line(char *line, ssize_t len)
{
	for (ssize_t i = 0; i < len; i++)
		if (!line[i])
			line[i] = ' ';
	line[strcspn(line, "\r\n")] = '\0';
	if (*line == '[' && strchr(line, ']'))
		line = strchr(line, ']') + 1;
	return line + strspn(line, " ");
}

/*
 * The reason is the first bad line, @last is the one before. WARN() prints its message
 * above the line with the place; dump_stack() prints nothing but where it was called.
 */
static void set_reason(const char *line, const char *last, char *first, size_t size)
{
	if (starts(line, "Call Trace:") && *last)
		snprintf(first, size, "%s", last);
	else if (starts(line, "WARNING: CPU:") && *last)
		snprintf(first, size, "%s: %s", line, last);
	else
		snprintf(first, size, "%s", line);
}

int log_scan(const char *path, char *first, size_t size, bool *panic)
{
	FILE *f = fopen(path, "r");
	char *line = NULL, *s, last[200] = "";
	size_t cap = 0;
	ssize_t len;
	int bad = 0;

	*panic = false;
	first[0] = '\0';
	if (!f)
		return -1;
	while ((len = getline(&line, &cap, f)) > 0) {
		s = clean_line(line, len);
		if (log_line_bad(s)) {
			if (strstr(s, "Kernel panic"))
				*panic = true;
			if (!bad++)
				set_reason(s, last, first, size);
		}
		if (strstr(s, "[ cut here ]"))
			last[0] = '\0';
		else if (!starts(s, "CPU: ") && !starts(s, "Tainted: ") &&
			 !starts(s, "Hardware name: ") && !starts(s, "Workqueue: "))
			snprintf(last, sizeof(last), "%s", s);
	}
	if (ferror(f))
		bad = -1;
	free(line);
	fclose(f);
	return bad;
}
