// SPDX-License-Identifier: GPL-2.0
/*
 * Runs sparse as "make C=2" would, but compiles nothing: Kbuild is asked, by make
 * -n in a copy of the folder, how it would call sparse, and this is what is run.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lint.h"

/* Stands before sparse's arguments in what make -n prints; make expands the rest */
#define MARK	"@klp-sdk-lint@"
#define CHECK	"CHECK=" MARK " $(CURDIR) $(CC) " MARK

/* sparse on one file */
struct check {
	struct file *file;
	struct unit *unit;
	char *dir, *cc, *args;
	char *srctree;
	int first;			/* where c_flags begins in args, or -1 */
};

/* Anything that a Kbuild file refers to may stand beside it or above it */
static void link_others(const char *root, const char *dir, const char *except)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char *path = strf("%s/%s", strcmp(dir, "/") ? dir : "", e->d_name);

		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
		    (!except || strcmp(path, except)) &&
		    symlink(path, strf("%s%s", root, path)) && errno != EEXIST)
			die("cannot link %s: %s", path, strerror(errno));
		free(path);
	}
	if (d)
		closedir(d);
}

/* A real directory in place of what may be a link so far */
static void real_dir(const char *path)
{
	unlink(path);
	make_dirs(path);
}

/* A folder's Kbuild file, which builds what the configuration leaves out, too */
static void write_kbuild(const char *root, const char *folder)
{
	char *name = strf("%s/Kbuild", folder), *text, *to;
	size_t len;

	if (access(name, F_OK))
		name = strf("%s/Makefile", folder);
	text = read_file(name, &len);
	if (!text)
		die("cannot read %s: %s", shown(name), strerror(errno));
	to = strf("%s%s", root, name);
	unlink(to);
	text = strf("%s\nobj-m += $(filter-out $(obj-m) $(obj-y),$(obj-n) $(obj-))\n", text);
	write_file(to, text, strlen(text));
}

/* For files that no Kbuild file names: each is a module */
static void make_kbuild(const struct unit *unit)
{
	char *to = strf("%s%s/Kbuild", unit->root, unit->dir), *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		die("out of memory");
	fprintf(f, "ccflags-y += -I%s/include\n", opt.sdk);
	for (int i = 0; i < unit->nr_files; i++) {
		const char *name = strrchr(unit->files[i]->path, '/') + 1;

		fprintf(f, "obj-m += %.*s.o\n", (int)strlen(name) - 2, name);
	}
	fclose(f);
	unlink(to);
	write_file(to, text, len);
}

static void mirror(struct unit *unit)
{
	char *path = strf("%s", unit->dir), *slash;

	make_dirs(strf("%s%s", unit->root, unit->dir));
	link_others(unit->root, unit->dir, NULL);
	while ((slash = strrchr(path, '/'))) {
		char *below = strf("%s", path);

		*slash = '\0';
		link_others(unit->root, *path ? path : "/", below);
	}
	if (unit->made)
		make_kbuild(unit);
	else
		write_kbuild(unit->root, unit->dir);
	for (int i = 1; i < unit->nr_folders; i++) {
		real_dir(strf("%s%s", unit->root, unit->folders[i]));
		link_others(unit->root, unit->folders[i], NULL);
		write_kbuild(unit->root, unit->folders[i]);
	}
}

/* Paths in a message as the user knows them */
static char *unmirrored(const struct unit *unit, const char *message)
{
	char *text, *root = strf("%s/", unit->root);
	size_t len;
	FILE *to = open_memstream(&text, &len);
	const char *at;

	if (!to)
		die("out of memory");
	while ((at = strstr(message, root))) {
		fwrite(message, 1, at - message, to);
		message = at + strlen(root) - 1;
		if (!strncmp(message, opt.cwd, strlen(opt.cwd)) &&
		    message[strlen(opt.cwd)] == '/')
			message += strlen(opt.cwd) + 1;
	}
	fputs(message, to);
	fclose(to);
	return text;
}

static char *real_path(const struct check *check, const char *path)
{
	size_t len = strlen(check->unit->root);
	char *abs = *path == '/' ? strf("%s", path) : strf("%s/%s", check->dir, path);

	if (!strncmp(abs, check->unit->root, len) && abs[len] == '/')
		return absolute(abs + len);
	return absolute(abs);
}

static bool below(const char *path, const char *dir)
{
	return dir && !strncmp(path, dir, strlen(dir)) && path[strlen(dir)] == '/';
}

/* Does the file compile? If not, sparse has not seen all of it */
static void compiled(struct job *job)
{
	struct check *check = job->data;

	if (job->timed_out)
		broken("%s: the compiler takes more than %d s", check->file->show, opt.timeout);
	else if (!succeeded(job))
		broken("%s: does not compile, and sparse cannot check it: %s", check->file->show,
		       unmirrored(check->unit, first_line(job->err, "error:")));
}

static void compile(struct check *check)
{
	struct job *job = xrealloc(NULL, sizeof(*job));

	*job = (struct job){ .data = check, .done = compiled, .dir = check->dir, .argv = {
		"sh", "-c", strf("exec %s -fsyntax-only -w %s", check->cc,
				 check->args + check->first) } };
	add_job(job);
}

static void checked(struct job *job)
{
	struct check *check = job->data;
	char *save, *message = NULL, *path = NULL, *text;
	int line = 0, col = 0, lines = 0;
	struct file *file = NULL;
	bool ours = false, colons = false;

	if (job->timed_out || WIFSIGNALED(job->status)) {
		broken("%s: sparse %s", check->file->show, job->timed_out ?
		       strf("takes more than %d s", opt.timeout) : "was killed");
		return;
	}
	for (char *p = strtok_r(job->err, "\n", &save); ; p = strtok_r(NULL, "\n", &save)) {
		char *colon = p ? strchr(p, ':') : NULL;
		int at_line, at_col, n = 0;

		if (colon)
			sscanf(colon, ":%d:%d:%n", &at_line, &at_col, &n);
		if (p && strstr(p, ": note: in included file"))
			continue;
		text = n && colon[n] == ' ' ? strchr(colon + n + 1, ' ') : NULL;
		if (text && strncmp(colon + n, " error: ", 8) &&
		    strncmp(colon + n, " warning: ", 10))
			text = NULL;
		/* More of the message in a line of its own: a type, another place. */
		if (n && message && !text) {
			message = strf("%s%s%s", message, colons ? " " : ", ",
				       colon + n + strspn(colon + n, " "));
			colons = false;
			continue;
		}
		if (message && ours)
			found(file, shown(path), line, col, true, "sparse", message);
		if (!p)
			break;
		lines++;
		message = NULL;
		if (!text) {
			broken("%s: sparse says what the driver does not understand: %s",
			       check->file->show, p);
			return;
		}
		*colon = '\0';
		path = real_path(check, p);
		file = find_file(path);
		/* What is wrong in the kernel's headers is not the author's to repair. */
		ours = !below(path, check->srctree) && !below(path, opt.kdir);
		line = at_line;
		col = at_col > 0 ? at_col - 1 : 0;
		message = strf("%s", text + 1);
		colons = *message && message[strlen(message) - 1] == ':';
	}
	if (!succeeded(job) && !lines)
		broken("%s: sparse failed%s%s", check->file->show,
		       WEXITSTATUS(job->status) == 127 ? "; is it installed?" : "", "");
	if (lines && check->first >= 0)
		compile(check);
}

/* Up to what ends a command in the shell */
static size_t command_end(const char *p)
{
	const char *from = p;
	char quote = 0;

	for (; *p && *p != '\n'; p++) {
		if (quote)
			quote = *p == quote ? 0 : quote;
		else if (*p == '\'' || *p == '"')
			quote = *p;
		else if (*p == '\\' && p[1])
			p++;
		else if (*p == ';' || *p == '|' || *p == '&')
			break;
	}
	return p - from;
}

/* The kernel's source: Kbuild includes one of its headers by the command line */
static char *srctree_of(const char *args)
{
	const char *end = strstr(args, "/include/linux/kconfig.h"), *p = end;

	while (p && p > args && p[-1] != ' ')
		p--;
	return p && *p == '/' ? strndup(p, end - p) : NULL;
}

static void add_check(struct unit *unit, char *p)
{
	struct check *check = xrealloc(NULL, sizeof(*check));
	struct job *job = xrealloc(NULL, sizeof(*job));
	char *mark = strstr(p, " " MARK " "), *blank, *path, *flags;

	p += strspn(p, " ");
	blank = strchr(p, ' ');
	if (!mark || !blank || blank > mark)
		return;
	*check = (struct check){ .unit = unit, .dir = strndup(p, blank - p), .first = -1,
				 .cc = strndup(blank + 1, mark - blank - 1) };
	p = mark + strlen(MARK) + 2;
	check->args = strndup(p, command_end(p));
	for (size_t n = strlen(check->args); n && check->args[n - 1] == ' '; n--)
		check->args[n - 1] = '\0';
	path = strrchr(check->args, ' ');
	if (!path)
		return;
	path = real_path(check, path + 1);
	for (int i = 0; i < unit->nr_files && !check->file; i++)
		if (!strcmp(unit->files[i]->path, path))
			check->file = unit->files[i];
	if (!check->file || check->file->sparse)
		return;
	check->file->sparse = true;
	check->srctree = srctree_of(check->args);
	/* The compiler's own flags come after sparse's and begin with this one. */
	flags = strstr(check->args, "-Wp,-M");
	if (flags)
		check->first = flags - check->args;
	/*
	 * After an error sparse is silent about other things, unless all of them
	 * are errors. spatch counts a tab as one column, and so do editors.
	 */
	*job = (struct job){ .data = check, .done = checked, .dir = check->dir, .argv = {
		"sh", "-c", strf("exec sparse %s -Wsparse-error -ftabstop=1", check->args) } };
	add_job(job);
}

static void asked_kbuild(struct job *job)
{
	struct unit *unit = job->data;
	char *p = job->out, *mark;

	for (int i = 0; i < unit->nr_files; i++)
		unit->files[i]->sparse = false;
	while ((mark = strstr(p, MARK))) {
		char *next = strchr(mark, '\n');

		if (next)
			*next = '\0';
		add_check(unit, mark + strlen(MARK));
		p = next ? next + 1 : strchr(mark, '\0');
	}
	for (int i = 0; i < unit->nr_files; i++)
		if (!unit->files[i]->sparse) {
			broken("%s: Kbuild does not say how to run sparse on it: %s",
			       unit->files[i]->show, job->timed_out ? "it takes too long" :
			       unmirrored(unit, first_line(job->err, "***")));
			return;
		}
}

/* make -n fails in its last step, for want of objects: not its exit status counts */
void ask_kbuild(struct unit *unit)
{
	static int nr;
	struct job *job = xrealloc(NULL, sizeof(*job));
	char **args = NULL;
	int n = 0;

	if (!unit->nr_files)
		return;
	unit->root = strf("%s/kbuild%d", opt.tmp, nr++);
	mirror(unit);
	append(args, n, "make");
	append(args, n, "-n");
	append(args, n, "-C");
	append(args, n, (char *)opt.kdir);
	append(args, n, strf("M=%s%s", unit->root, unit->dir));
	append(args, n, strf("KLP_SDK=%s", opt.sdk));
	append(args, n, "C=2");
	append(args, n, CHECK);
	append(args, n, "modules");
	append(args, n, NULL);
	*job = (struct job){ .data = unit, .done = asked_kbuild, .args = args };
	add_job(job);
}
