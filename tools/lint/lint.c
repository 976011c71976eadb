// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of make lint: runs our Coccinelle rules and sparse over livepatch
 * modules and prints what they find. Exit status: 0 nothing found, 1 something, 2
 * could not run, or not to the end. tools/lint.sh calls it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lint.h"

#define USAGE	"usage: lint --sdk DIR [--kdir DIR] [--mode report|patch] [--rules LIST] " \
	"[--format text|github|sarif] [--base PATH] [--fixtures] [--list] PATH..."
#define COMMENT_RULE	"klp_lint_comment"

struct options opt = { .timeout = 120 };

/* What is no .cocci file */
static struct rule sparse_rule = {
	.id = "sparse",
	.summary = "What sparse warns of with the kernel's flags, as in make C=2.",
};

static struct rule comment_rule = {
	.id = COMMENT_RULE,
	.summary = "A comment that silences a rule gives no reason, or silences nothing.",
};

static struct finding *findings;
static int nr_findings, nr_silenced;
static char **failures;
static int nr_failures;

/* One that says where it is, FILE:LINE:, says so first */
static void print_failure(const char *s)
{
	size_t name = strcspn(s, ": "), line = 0;

	if (s[name] == ':')
		line = strspn(s + name + 1, "0123456789");
	fprintf(stderr, "%s%s\n", line && s[name + 1 + line] == ':' ? "" : "klp-sdk: lint: ", s);
}

void die(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = "out of memory";
	va_end(ap);
	print_failure(s);
	remove_tmp();
	exit(2);
}

char *strf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	return s;
}

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p)
		die("out of memory");
	return p;
}

void broken(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	for (int i = 0; i < nr_failures; i++)
		if (!strcmp(failures[i], s))
			return;
	append(failures, nr_failures, s);
}

void found(struct file *file, const char *show, int line, int col, bool error,
	   const char *rule, const char *message)
{
	struct finding f = { .show = file ? file->show : show, .rule = rule, .file = file,
			     .line = line, .col = col, .error = error,
			     .message = strf("%s", message) };

	for (char *p = f.message; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	append(findings, nr_findings, f);
}

static int compare(const void *a, const void *b)
{
	const struct finding *f = a, *g = b;
	int d = strcmp(f->show, g->show);

	if (!d)
		d = f->line - g->line;
	if (!d)
		d = f->col - g->col;
	if (!d)
		d = strcmp(f->rule, g->rule);
	if (!d)
		d = g->error - f->error;
	return d ? d : strcmp(f->message, g->message);
}

/* In order, each once */
static void sort_findings(void)
{
	int nr = 0;

	if (nr_findings)
		qsort(findings, nr_findings, sizeof(*findings), compare);
	for (int i = 0; i < nr_findings; i++)
		if (!nr || compare(&findings[nr - 1], &findings[i]))
			findings[nr++] = findings[i];
	nr_findings = nr;
}

static bool silenced(const struct finding *f)
{
	bool any = false;

	for (int i = 0; f->file && i < f->file->nr_silences; i++) {
		struct silence *s = &f->file->silences[i];

		if (!strcmp(s->rule, f->rule) && f->line >= s->from && f->line <= s->to) {
			s->used = true;
			any = true;
		}
	}
	return any;
}

/* The rules that are there: NULL for no such one */
static struct rule *find_rule(const char *id)
{
	for (int i = 0; i < nr_rules; i++)
		if (!strcmp(rules[i]->id, id))
			return rules[i];
	return strcmp(id, sparse_rule.id) ? NULL : &sparse_rule;
}

static void silence(void)
{
	int nr = 0;

	for (int i = 0; i < nr_findings; i++) {
		if (silenced(&findings[i]))
			nr_silenced++;
		else
			findings[nr++] = findings[i];
	}
	nr_findings = nr;
	for (int i = 0; i < nr_files; i++)
		for (int j = 0; j < files[i]->nr_silences; j++) {
			const struct silence *s = &files[i]->silences[j];
			struct rule *rule = find_rule(s->rule);
			bool ran = rule && rule->selected && !rule->failed &&
				(rule != &sparse_rule || files[i]->sparse || files[i]->header);

			if (!rule)
				found(files[i], NULL, s->line, s->col, false, COMMENT_RULE,
				      strf("silences %s, and there is no such rule", s->rule));
			else if (!s->used && ran)
				found(files[i], NULL, s->line, s->col, false, COMMENT_RULE,
				      strf("silences nothing: %s finds nothing here", s->rule));
		}
	sort_findings();
}

/* GitHub's workflow commands end with the line, their properties with a comma */
static void put_escaped(const char *s, const char *special)
{
	for (; *s; s++)
		if (strchr(special, *s))
			printf("%%%02X", (unsigned char)*s);
		else
			putchar(*s);
}

static void print_github(const struct finding *f)
{
	printf("::%s file=", f->error ? "error" : "warning");
	put_escaped(f->show, "%\r\n:,");
	printf(",line=%d,col=%d,title=%s::", f->line, f->col + 1, f->rule);
	put_escaped(f->message, "%\r\n");
	putchar('\n');
}

static void sarif_done(struct job *job)
{
	if (!succeeded(job))
		die("jq cannot write SARIF: %s", WEXITSTATUS(job->status) == 127 ?
		    "it is not installed; run 'make setup'" : first_line(job->err, NULL));
	fputs(job->out, stdout);
}

static void put_rule(FILE *to, const struct rule *rule, const char *page)
{
	fprintf(to, "rule\t%s\t%s\tdocs/lint/%s.md\n", rule->id, rule->summary, page);
}

/* jq knows how JSON is written: it gets lines of fields between tabs */
static void print_sarif(void)
{
	char *list = strf("%s/findings", opt.tmp);
	FILE *to = fopen(list, "we");
	struct job job = { .done = sarif_done, .argv = {
		"jq", "-nRf", strf("%s/tools/lint/sarif.jq", opt.sdk), list } };

	if (!to)
		die("cannot write %s: %s", list, strerror(errno));
	fprintf(to, "run\t%s\n", nr_failures ? "false" : "true");
	for (int i = 0; i < nr_failures; i++)
		fprintf(to, "failure\t%s\n", failures[i]);
	for (int i = 0; i < nr_rules; i++)
		if (rules[i]->selected)
			put_rule(to, rules[i], rules[i]->id);
	if (sparse_rule.selected)
		put_rule(to, &sparse_rule, sparse_rule.id);
	put_rule(to, &comment_rule, "README");
	for (int i = 0; i < nr_findings; i++) {
		const struct finding *f = &findings[i];

		fprintf(to, "result\t%s\t%s\t%s\t%s\t%d\t%d\n", f->rule,
			f->error ? "error" : "warning", f->show, f->message, f->line, f->col + 1);
	}
	if (fclose(to))
		die("cannot write %s: %s", list, strerror(errno));
	add_job(&job);
	run_jobs(1);
}

static void print_text(const struct finding *f)
{
	printf("%s:%d:%d: %s: %s [%s]\n", f->show, f->line, f->col,
	       f->error ? "error" : "warning", f->message, f->rule);
}

/* RULES: names or patterns, between blanks or commas; all if there are none */
static void select_rules(char *list)
{
	char *save;

	if (!list || !list[strspn(list, " ,\t\n")]) {
		for (int i = 0; i < nr_rules; i++)
			rules[i]->selected = true;
		sparse_rule.selected = true;
		return;
	}
	for (char *p = strtok_r(list, " ,\t\n", &save); p;
	     p = strtok_r(NULL, " ,\t\n", &save)) {
		bool any = !fnmatch(p, sparse_rule.id, 0);

		sparse_rule.selected |= any;
		for (int i = 0; i < nr_rules; i++)
			if (!fnmatch(p, rules[i]->id, 0)) {
				rules[i]->selected = true;
				any = true;
			}
		if (!any)
			die("no rule is named %s; 'make lint-rules' lists them", p);
	}
}

static void list_rules(void)
{
	for (int i = 0; i < nr_rules; i++)
		printf("%-28s %s\n", rules[i]->id, rules[i]->summary);
	printf("%-28s %s\n", sparse_rule.id, sparse_rule.summary);
	printf("%-28s %s\n", comment_rule.id, comment_rule.summary);
}

static void kdir_checked(struct job *job)
{
	if (!succeeded(job))
		die("%s", first_line(job->err, NULL) +
		    (strncmp(job->err, "klp-sdk: ", 9) ? 0 : strlen("klp-sdk: ")));
}

static void check_kdir(void)
{
	struct job job = { .done = kdir_checked, .argv = {
		strf("%s/tools/check-kdir.sh", opt.sdk), (char *)(opt.kdir ? opt.kdir : "") } };

	add_job(&job);
	run_jobs(1);
	opt.kdir = realpath(opt.kdir, NULL);
}

/* An older module of the same name; of another one if that is all there is */
static void find_bases(struct group **groups, int nr, struct group **bases, int nr_bases)
{
	bool any = false;

	for (int i = 0; i < nr; i++) {
		for (int j = 0; j < nr_bases; j++)
			if (!strcmp(groups[i]->name, bases[j]->name))
				groups[i]->base = bases[j];
		if (!groups[i]->base && nr_bases == 1)
			groups[i]->base = bases[0];
		any |= !!groups[i]->base;
	}
	if (!any)
		die("BASE has no module of the name of any in M");
	any = false;
	for (int i = 0; i < nr_rules; i++)
		any |= rules[i]->selected && rules[i]->base;
	if (!any)
		die("BASE is set, and no rule that is selected compares with an older source");
}

static void diffed(struct job *job)
{
	if (job->timed_out || !WIFEXITED(job->status) || WEXITSTATUS(job->status) > 1)
		broken("diff failed: %s", first_line(job->err, NULL));
	fputs(job->out, stdout);
}

/* What the rules have made of the copies, as a diff of the files; returns how many */
static int print_repairs(void)
{
	int nr = 0;

	for (int i = 0; i < nr_files; i++) {
		struct file *file = files[i];
		size_t len;
		char *copy = read_file(strf("%s/%s", opt.tmp, file->copy), &len);
		char *text = copy ? written_back(file, copy) : NULL;
		char *name = strf("%s/repaired", opt.tmp);
		const char *show = file->show + (*file->show == '/');

		if (file->base)
			continue;
		if (!text) {
			broken("%s: a repair changes a declaration of the SDK; do it by hand",
			       file->show);
			continue;
		}
		if (!strcmp(text, file->text))
			continue;
		write_file(name, text, strlen(text));
		nr++;
		add_job(&(struct job){ .done = diffed, .args = (char *[]){
			"diff", "-u", "--label", strf("a/%s", show), "--label",
			strf("b/%s", show), file->path, name, NULL } });
		run_jobs(1);
	}
	return nr;
}

static void print_findings(const char *format)
{
	if (!strcmp(format, "sarif"))
		print_sarif();
	for (int i = 0; i < nr_findings; i++) {
		if (!strcmp(format, "github"))
			print_github(&findings[i]);
		else if (!strcmp(format, "text"))
			print_text(&findings[i]);
	}
}

static char *plural(int n, const char *what)
{
	return strf("%d %s%s", n, what, n == 1 ? "" : "s");
}

static void print_summary(int nr_groups, int nr_repairs, int nr_selected, int unbuilt,
			  const struct timespec *start)
{
	int errors = 0, shown_files = 0;
	bool sparse = sparse_rule.selected && !opt.patch;
	struct timespec now;
	char *what, *by;

	for (int i = 0; i < nr_findings; i++)
		errors += findings[i].error;
	for (int i = 0; i < nr_files; i++)
		shown_files += !files[i]->base;
	if (opt.patch)
		what = strf("%s to repair", plural(nr_repairs, "file"));
	else
		what = strf("%s, %s%s", plural(errors, "error"),
			    plural(nr_findings - errors, "warning"),
			    nr_silenced ? strf(", %d silenced", nr_silenced) : "");
	clock_gettime(CLOCK_MONOTONIC, &now);
	fflush(stdout);
	by = nr_selected ? plural(nr_selected, "rule") : "";
	fprintf(stderr, "klp-sdk: lint: %s; %s%s%s, %s, %s%s, %.1f s\n", what, by,
		*by && sparse ? " and " : "", sparse ? "sparse" : "",
		plural(nr_groups, "module"), plural(shown_files, "file"),
		unbuilt && sparse ? strf(", %d of them in no Kbuild file and not seen by sparse",
					 unbuilt) : "",
		now.tv_sec - start->tv_sec + (now.tv_nsec - start->tv_nsec) / 1e9);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "sdk", required_argument, NULL, 's' },
		{ "kdir", required_argument, NULL, 'k' },
		{ "mode", required_argument, NULL, 'm' },
		{ "rules", required_argument, NULL, 'r' },
		{ "format", required_argument, NULL, 'f' },
		{ "base", required_argument, NULL, 'b' },
		{ "fixtures", no_argument, NULL, 'x' },
		{ "list", no_argument, NULL, 'l' },
		{ }
	};
	const char *format = "text", *mode = "report", *base = NULL, *limit, *tmp;
	int nr_groups = 0, nr_bases = 0, nr_units = 0, unbuilt = 0, nr_selected = 0, o;
	struct group **groups = NULL, **bases = NULL;
	int parallel = sysconf(_SC_NPROCESSORS_ONLN), nr_repairs = 0;
	struct unit **units = NULL;
	struct timespec start;
	char *list = NULL;
	bool sparse;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 's':
			opt.sdk = optarg;
			break;
		case 'k':
			opt.kdir = *optarg ? optarg : NULL;
			break;
		case 'm':
			mode = *optarg ? optarg : mode;
			break;
		case 'r':
			list = optarg;
			break;
		case 'f':
			format = *optarg ? optarg : format;
			break;
		case 'b':
			base = *optarg ? optarg : NULL;
			break;
		case 'x':
			opt.own = true;
			break;
		case 'l':
			mode = "list";
			break;
		default:
			die(USAGE);
		}
	}
	if (!opt.sdk)
		die(USAGE);
	opt.cwd = getcwd(NULL, 0);
	opt.sdk = realpath(opt.sdk, NULL);
	if (!opt.sdk || !opt.cwd)
		die("no such folder: %s", strerror(errno));
	opt.rules_dir = getenv("KLP_SDK_LINT_RULES_DIR");
	if (!opt.rules_dir || !*opt.rules_dir)
		opt.rules_dir = strf("%s/coccinelle", opt.sdk);
	limit = getenv("KLP_SDK_LINT_TIMEOUT");
	if (limit && *limit) {
		opt.timeout = atoi(limit);
		if (opt.timeout <= 0 || opt.timeout > 86400)
			die("KLP_SDK_LINT_TIMEOUT=%s is no number of seconds", limit);
	}
	read_rules();
	if (!strcmp(mode, "list")) {
		list_rules();
		return 0;
	}
	if (strcmp(mode, "report") && strcmp(mode, "patch"))
		die("MODE=%s: it is report or patch", mode);
	if (strcmp(format, "text") && strcmp(format, "github") && strcmp(format, "sarif"))
		die("FORMAT=%s: it is text, github or sarif", format);
	if (optind == argc)
		die(USAGE);
	opt.patch = !strcmp(mode, "patch");
	select_rules(list);
	for (int i = 0; i < nr_rules; i++)
		nr_selected += rules[i]->selected;
	if (nr_selected)
		find_spatch();

	catch_signals();
	tmp = getenv("TMPDIR");
	opt.tmp = strf("%s/klp-sdk-lint-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(opt.tmp))
		die("cannot make a temporary directory: %s", strerror(errno));
	sparse = sparse_rule.selected && !opt.patch;
	if (sparse)
		check_kdir();
	for (int i = optind; i < argc; i++)
		collect(argv[i], false, &groups, &nr_groups, sparse ? &units : NULL, &nr_units,
			&unbuilt);
	if (base) {
		int ignored = 0;

		collect(base, true, &bases, &nr_bases, NULL, NULL, &ignored);
		find_bases(groups, nr_groups, bases, nr_bases);
	}
	for (int i = 0; i < nr_files; i++)
		write_copy(files[i]);

	/* No rule is worth running on what cannot be parsed. */
	if (nr_selected)
		add_parse();
	for (int i = 0; i < nr_units; i++)
		ask_kbuild(units[i]);
	run_jobs(parallel);
	if (!nr_failures) {
		add_passes(groups, nr_groups);
		run_jobs(opt.patch ? 1 : parallel);
	}
	if (opt.patch && !nr_failures) {
		nr_repairs = print_repairs();
	} else if (!opt.patch) {
		sort_findings();
		silence();
		print_findings(format);
	}
	if (fflush(stdout) || ferror(stdout))
		die("cannot write: %s", strerror(errno));
	for (int i = 0; i < nr_failures; i++)
		print_failure(failures[i]);
	if (!nr_failures)
		print_summary(nr_groups, nr_repairs, nr_selected, unbuilt, &start);
	remove_tmp();
	if (nr_failures)
		return 2;
	return nr_findings || nr_repairs ? 1 : 0;
}
