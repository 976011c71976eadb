// SPDX-License-Identifier: GPL-2.0
/*
 * The rules, and spatch: one process for each rule, which sees one module after the
 * other. What "depends on never" and "ever" ask for in one module spatch 1.1 takes
 * from those before it, too: rules that have this get a process for each module, as
 * those do that compare or sum up.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lint.h"

struct rule **rules;
int nr_rules;

static char *spatch;

static int by_id(const void *a, const void *b)
{
	return strcmp((*(struct rule *const *)a)->id, (*(struct rule *const *)b)->id);
}

static void read_rule(const char *name)
{
	struct rule *rule = xrealloc(NULL, sizeof(*rule));
	char *text, *line, *save, *word, *words;
	size_t len;

	*rule = (struct rule){ .id = strndup(name, strlen(name) - strlen(".cocci")),
			       .path = absolute(strf("%s/%s", opt.rules_dir, name)) };
	text = read_file(rule->path, &len);
	if (!text)
		die("cannot read %s: %s", rule->path, strerror(errno));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "/// ", 4) && !rule->summary) {
			rule->summary = strdup(line + 4);
		} else if (!strncmp(line, "// Options:", 11)) {
			for (word = strtok_r(line + 11, " \t", &words); word;
			     word = strtok_r(NULL, " \t", &words))
				append(rule->options, rule->nr_options, strdup(word));
		} else if (!strncmp(line, "virtual ", 8)) {
			for (word = strtok_r(line + 8, " ,;", &words); word;
			     word = strtok_r(NULL, " ,;", &words))
				rule->base |= !strcmp(word, "base");
		} else if (strncmp(line, "//", 2) && (*line == '@' || ends(line, "@") ||
						      strstr(line, "depends on"))) {
			rule->alone |= strstr(line, "ever ") || strstr(line, "finalize");
			word = strstr(line, "depends on");
			word = word ? strstr(word, "patch") : NULL;
			if (word && word[-1] != '!' && !isalnum((unsigned char)word[5]) &&
			    word[5] != '_')
				rule->repairs = true;
		}
	}
	rule->alone |= rule->base;	/* may remember what it has seen */
	if (!rule->summary)
		die("%s has no line \"/// SUMMARY\"", rule->path);
	append(rules, nr_rules, rule);
}

void read_rules(void)
{
	DIR *dir = opendir(opt.rules_dir);
	struct dirent *e;

	if (!dir)
		die("cannot read the rules in %s: %s", opt.rules_dir, strerror(errno));
	while ((e = readdir(dir)))
		if (strlen(e->d_name) > 6 && *e->d_name != '.' &&
		    !strcmp(e->d_name + strlen(e->d_name) - 6, ".cocci"))
			read_rule(e->d_name);
	closedir(dir);
	if (!nr_rules)
		die("there are no rules in %s", opt.rules_dir);
	qsort(rules, nr_rules, sizeof(*rules), by_id);
}

/*
 * spatch asks the first python3 of the PATH for the library that it loads, and
 * Debian's spatch takes Debian's: others are slow, or another version.
 */
void find_spatch(void)
{
	char *path = strdup(getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin"), *save;

	/* As for the kernel's coccicheck */
	spatch = getenv("SPATCH");
	if (spatch && strchr(spatch, '/')) {
		if (access(spatch, X_OK))
			die("SPATCH=%s: %s", spatch, strerror(errno));
		return;
	}
	for (char *dir = strtok_r(path, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		char *name = strf("%s/spatch", dir);

		if (!access(name, X_OK)) {
			spatch = name;
			return;
		}
	}
	die("spatch is not installed; run 'make setup', or install coccinelle");
}

static struct job *spatch_job(void (*done)(struct job *job), void *data, char **args, int nr)
{
	struct job *job = xrealloc(NULL, sizeof(*job));
	const char *path = getenv("PATH");
	char **all = NULL;
	int n = 0;

	append(all, n, "env");
	append(all, n, strf("PATH=/usr/bin:/bin:/usr/sbin:/sbin:%s", path ? path : ""));
	append(all, n, strf("TMPDIR=%s", opt.tmp));
	append(all, n, spatch);
	append(all, n, "--macro-file");
	append(all, n, strf("%s/coccinelle/sdk-macros.h", opt.sdk));
	for (int i = 0; i < nr; i++)
		append(all, n, args[i]);
	append(all, n, NULL);
	*job = (struct job){ .done = done, .data = data, .dir = opt.tmp, .args = all };
	add_job(job);
	return job;
}

/* The file of a path in the temporary directory */
static struct file *file_of_copy(const char *copy)
{
	for (int i = 0; i < nr_files; i++)
		if (!strcmp(files[i]->copy, copy))
			return files[i];
	return NULL;
}

/* A rule may name positions in its message */
static char *unmapped(const char *message)
{
	char *text = strf("%s", message);

	for (int i = 0; i < nr_files; i++) {
		char *at = strstr(text, files[i]->copy);

		if (at)
			text = strf("%.*s%s%s", (int)(at - text), text, files[i]->show,
				    at + strlen(files[i]->copy));
	}
	return text;
}

/* FILE:LINE:COLUMN-COLUMN: SEVERITY: MESSAGE [ID] */
static bool read_report(const struct rule *rule, char *line)
{
	char *tag = strf(" [%s]", rule->id), *colon = strchr(line, ':');
	size_t len = strlen(line), tag_len = strlen(tag);
	int at, col, end, n = 0;
	struct file *file;
	bool error;

	if (!colon || len < tag_len || strcmp(line + len - tag_len, tag))
		return false;
	if (sscanf(colon, ":%d:%d-%d: %n", &at, &col, &end, &n) != 3 || !n)
		return false;
	line[len - tag_len] = '\0';
	*colon = '\0';
	file = file_of_copy(line);
	line = colon + n;
	error = !strncmp(line, "error: ", 7);
	if (!file || (!error && strncmp(line, "warning: ", 9)))
		return false;
	/* A macro that stands at another place in the copy than in the file. */
	for (int i = 0; i < file->nr_rewrites; i++)
		if (file->rewrites[i].line == at)
			col = 0;
	found(file, NULL, at, col, error, rule->id, unmapped(line + (error ? 7 : 9)));
	return true;
}

/* Returns false if the rule has not done its work */
static bool check_pass(struct job *job)
{
	struct rule *rule = job->rule;

	if (rule->failed)
		return false;
	/* Without an older source a rule that compares has nothing to do. */
	if (rule->base && !strncmp(job->err, "No rules apply.", 15))
		return true;
	rule->failed = true;
	if (job->timed_out)
		broken("the rule %s takes more than %d s", rule->id, opt.timeout);
	else if (*job->err)
		broken("the rule %s failed: %s", rule->id, unmapped(first_line(job->err, NULL)));
	else if (!succeeded(job))
		broken("the rule %s failed: spatch ends with status %d", rule->id,
		       WIFEXITED(job->status) ? WEXITSTATUS(job->status) : job->status);
	else
		rule->failed = false;
	return !rule->failed;
}

static void reported(struct job *job)
{
	char *line, *save;

	if (!check_pass(job))
		return;
	for (line = strtok_r(job->out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *copy = strdup(line);

		if (!read_report(job->rule, line) && !job->rule->failed) {
			broken("the rule %s says what is no report: %s", job->rule->id,
			       unmapped(copy));
			job->rule->failed = true;
		}
	}
}

static void repaired(struct job *job)
{
	check_pass(job);
}

/* The rule on modules that all have an older source, or all have none */
static void add_pass(struct rule *rule, struct group **groups, int nr, bool base)
{
	static int nr_lists;
	char **args = NULL, *list = strf("%s/groups%d", opt.tmp, nr_lists++);
	FILE *to = fopen(list, "we");
	int n = 0;

	if (!to)
		die("cannot write %s: %s", list, strerror(errno));
	for (int g = 0; g < nr; g++) {
		for (int i = 0; i < groups[g]->nr; i++)
			fprintf(to, "%s\n", groups[g]->files[i]->copy);
		for (int i = 0; base && i < groups[g]->base->nr; i++)
			fprintf(to, "%s\n", groups[g]->base->files[i]->copy);
		fputc('\n', to);
	}
	if (fclose(to))
		die("cannot write %s: %s", list, strerror(errno));
	append(args, n, "-D");
	append(args, n, opt.patch ? "patch" : "report");
	if (base) {
		append(args, n, "-D");
		append(args, n, "base");
	}
	if (opt.patch)
		append(args, n, "--in-place");
	append(args, n, "--no-show-diff");
	append(args, n, "--very-quiet");
	for (int i = 0; i < rule->nr_options; i++)
		append(args, n, rule->options[i]);
	append(args, n, "--sp-file");
	append(args, n, rule->path);
	append(args, n, "--file-groups");
	append(args, n, list);
	spatch_job(opt.patch ? repaired : reported, NULL, args, n)->rule = rule;
}

/* A fixture has the name of its rule, or stands in a folder of this name */
static bool is_fixture(const struct rule *rule, const struct group *group)
{
	char *dir = strdup(group->files[0]->path);

	*strrchr(dir, '/') = '\0';
	return !strcmp(rule->id, group->name) || !strcmp(rule->id, strrchr(dir, '/') + 1);
}

/* The rule on those of the modules that it is for, and that have an older source */
static void add_rule(struct rule *rule, struct group **groups, int nr, bool base)
{
	struct group **some = NULL;
	int n = 0;

	for (int g = 0; g < nr; g++)
		if (base == (rule->base && groups[g]->base) &&
		    (!opt.own || is_fixture(rule, groups[g])))
			append(some, n, groups[g]);
	if (!rule->alone && n)
		add_pass(rule, some, n, base);
	for (int i = 0; rule->alone && i < n; i++)
		add_pass(rule, some + i, 1, base);
}

/* All rules on all modules. Repairs change the copies and must not run at a time. */
void add_passes(struct group **groups, int nr)
{
	for (int r = 0; r < nr_rules; r++) {
		if (!rules[r]->selected || (opt.patch && !rules[r]->repairs))
			continue;
		add_rule(rules[r], groups, nr, false);
		if (rules[r]->base)
			add_rule(rules[r], groups, nr, true);
	}
}

/*
 * Parsing. spatch passes over what it cannot parse and says nothing, and then no
 * rule sees it. --parse-c shows such a region as
 *	 = File "PATH", line LINE, column COLUMN,  charpos = ...
 *	badcount: LINES
 *	bad: LINE OF SOURCE			the first ends what stands before
 *	BAD:!!!!! LINE OF SOURCE		where the parser stopped
 * A region that is only a macro's definition is no loss: it is not code yet.
 */
struct region {
	struct file *file;
	int line;			/* of the error, which may be in a macro */
	char **lines;
	int nr, bad;			/* the line marked BAD, or -1 */
};

/* The line number of the region's first line, or 0 */
static int find_region(const struct region *region, const char *text)
{
	int line = 1;

	for (const char *p = text; ; p++, line++) {
		const char *q = p;
		int i;

		for (i = 0; i < region->nr; i++) {
			size_t len = strcspn(q, "\n");

			if (len != strlen(region->lines[i]) || strncmp(q, region->lines[i], len) ||
			    (!q[len] && i + 1 < region->nr))
				break;
			q += len + 1;
		}
		if (i == region->nr &&
		    (region->bad < 0 || line + region->bad >= region->line))
			return line;
		p = strchr(p, '\n');
		if (!p)
			return 0;
	}
}

/* Is there anything but blanks, comments and directives in a line of the copy? */
static bool has_code(const struct file *copy, int line)
{
	size_t i = 0;

	for (int at = 1; at < line && i < copy->len; i++)
		at += copy->text[i] == '\n';
	for (; i < copy->len && copy->text[i] != '\n'; i++)
		if (!(copy->mask[i] & (MASK_COMMENT | MASK_CPP)) &&
		    !isspace((unsigned char)copy->text[i]))
			return true;
	return false;
}

static void judge_region(const struct region *region)
{
	struct file copy = { 0 };
	int first, line = 0;

	if (!region->file)
		return;
	copy.text = read_file(strf("%s/%s", opt.tmp, region->file->copy), &copy.len);
	if (!copy.text || mask_text(&copy) >= 0)
		die("cannot read the copy of %s", region->file->show);
	first = find_region(region, copy.text);
	if (!first) {
		line = region->line;
	} else {
		/* The first of several lines is the end of what could be parsed. */
		bool whole = region->bad == 0 || region->nr == 1;

		for (int i = whole ? 0 : 1; i < region->nr && !line; i++)
			if (has_code(&copy, first + i))
				line = first + i;
		if (line && region->bad >= 0 && has_code(&copy, region->line))
			line = region->line;
	}
	if (line)
		broken("%s:%d: Coccinelle cannot parse this, and rules would not see it",
		       region->file->show, line);
}

static void parsed(struct job *job)
{
	struct region region = { .bad = -1 };
	int total = -1, seen = 0;
	char *line, *next, *error = NULL, path[4096];

	if (job->timed_out) {
		broken("Coccinelle takes more than %d s to parse the files", opt.timeout);
		return;
	}
	for (line = job->err; line; line = next) {
		bool bad = !strncmp(line, "bad: ", 5), here = !strncmp(line, "BAD:!!!!! ", 10);

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (bad || here) {
			if (here)
				region.bad = region.nr;
			append(region.lines, region.nr, line + (bad ? 5 : 10));
			continue;
		}
		if (region.nr) {
			judge_region(&region);
			region = (struct region){ .bad = -1 };
		}
		if (sscanf(line, " = File \"%4095[^\"]\", line %d,", path, &region.line) == 2)
			region.file = file_of_copy(path);
		seen += !strncmp(line, "PARSING: ", 9);
		if (strstr(line, "rror:") && !error)
			error = line;
	}
	sscanf(job->out, "NB total files = %d;", &total);
	if (!succeeded(job) || total != nr_files || seen < nr_files)
		broken("Coccinelle took only %d of %d files%s%s", seen, nr_files,
		       error ? ": " : "", error ? unmapped(error) : "");
}

void add_parse(void)
{
	char **args = NULL;
	int n = 0;

	append(args, n, "--parse-c");
	for (int i = 0; i < nr_files; i++)
		append(args, n, files[i]->copy);
	spatch_job(parsed, NULL, args, n);
}
