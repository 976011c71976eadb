// SPDX-License-Identifier: GPL-2.0
/*
 * Files: what in them is comment, string or directive, the copies of them that
 * spatch sees, the comments that silence findings, and which files of a folder
 * are a module.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lint.h"

struct file **files;
int nr_files;

/*
 * The SDK's declaring macros: spatch cannot parse designators in a macro's
 * arguments and passes over them. It sees a structure in their place.
 */
static const struct macro {
	const char *name, *type;
	int args;			/* before the designators */
} macros[] = {
	{ "KLP_SDK_STATE", "klp_sdk_state", 2 },
	{ "KLP_SDK_SHADOW", "klp_sdk_shadow_type", 3 },
	{ "KLP_SDK_PATCH", "klp_sdk_patch", 0 },
};

char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0, n;

	*len = 0;
	if (!f)
		return NULL;
	do {
		size += 65536;
		text = xrealloc(text, size + 1);
		n = fread(text + *len, 1, size - *len, f);
		*len += n;
	} while (*len == size);
	n = ferror(f);
	fclose(f);
	text[*len] = '\0';
	return n ? NULL : text;
}

void write_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "we");

	if (!f || fwrite(text, 1, len, f) != len || fclose(f))
		die("cannot write %s: %s", path, strerror(errno));
}

void make_dirs(const char *path)
{
	char *p = strf("%s", path);

	for (char *slash = p; slash; ) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(p, 0700) && errno != EEXIST)
			die("cannot make %s: %s", p, strerror(errno));
		if (slash)
			*slash = '/';
	}
	free(p);
}

/* Without . and .. and double slashes; links stay */
char *absolute(const char *name)
{
	char *path = *name == '/' ? strf("%s", name) : strf("%s/%s", opt.cwd, name);
	char *to = path, *save, *rest = strdup(path);

	for (char *part = strtok_r(rest, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		if (!strcmp(part, "."))
			continue;
		if (!strcmp(part, "..")) {
			while (to > path && *--to != '/')
				;
			continue;
		}
		*to++ = '/';
		to = memmove(to, part, strlen(part));
		to += strlen(part);
	}
	if (to == path)
		*to++ = '/';
	*to = '\0';
	free(rest);
	return path;
}

/* Relative to the current directory if it is below it */
char *shown(const char *path)
{
	size_t len = strlen(opt.cwd);

	if (!strncmp(path, opt.cwd, len) && path[len] == '/')
		path += len + 1;
	else if (!strcmp(path, opt.cwd))
		path = ".";
	return strf("%s", path);
}

static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash > path ? strndup(path, slash - path) : strdup("/");
}

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

bool ends(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len > n && !strcmp(s + len - n, end);
}

static int line_of(const struct file *file, size_t at)
{
	int line = 1;

	for (size_t i = 0; i < at; i++)
		line += file->text[i] == '\n';
	return line;
}

/* Say of each byte what it belongs to; returns where a comment has no end, or -1 */
ssize_t mask_text(struct file *file)
{
	const char *s = file->text;
	unsigned char *mask = xrealloc(NULL, file->len + 1), cpp = 0;
	bool fresh = true;		/* only blanks so far in the line */
	size_t i = 0, n;

	memset(mask, 0, file->len + 1);
	file->mask = mask;
	while (i < file->len) {
		unsigned char kind = 0;

		n = 1;
		if (s[i] == '/' && s[i + 1] == '*') {
			const char *end = strstr(s + i + 2, "*/");

			if (!end)
				return i;
			n = end + 2 - (s + i);
			kind = MASK_COMMENT;
		} else if (s[i] == '/' && s[i + 1] == '/') {
			n = strcspn(s + i, "\n");
			while (i + n < file->len && s[i + n - 1] == '\\')
				n += 1 + strcspn(s + i + n + 1, "\n");
			kind = MASK_COMMENT;
		} else if (s[i] == '"' || s[i] == '\'') {
			/* One in #error or #if 0 may have no end but the line's. */
			while (i + n < file->len && s[i + n] != s[i] && s[i + n] != '\n')
				n += s[i + n] == '\\' && i + n + 1 < file->len ? 2 : 1;
			n += s[i + n] == s[i];
			kind = MASK_STRING;
		} else if (s[i] == '#' && fresh) {
			cpp = MASK_CPP;
		} else if (s[i] == '\\' && s[i + 1] == '\n') {
			n = 2;
		} else if (s[i] == '\n') {
			cpp = 0;
			fresh = true;
		}
		if (n > file->len - i)
			n = file->len - i;
		memset(mask + i, kind | cpp, n);
		if (!isspace((unsigned char)s[i]) && kind != MASK_COMMENT)
			fresh = false;
		i += n;
	}
	return -1;
}

/* From after an opening bracket to the next comma or closing bracket of it */
static size_t argument_end(const struct file *file, size_t i)
{
	int depth = 0;

	for (; i < file->len; i++) {
		if (file->mask[i])
			continue;
		if (strchr("([{", file->text[i]))
			depth++;
		else if (!depth && strchr(",)", file->text[i]))
			break;
		else if (strchr(")]}", file->text[i]))
			depth--;
	}
	return i;
}

/* An argument in one line, without comments and blanks around it */
static char *argument(const struct file *file, size_t from, size_t to)
{
	char *arg = xrealloc(NULL, to - from + 1);
	size_t n = 0;

	for (size_t i = from; i < to; i++) {
		bool blank = file->mask[i] & MASK_COMMENT || isspace((unsigned char)file->text[i]);

		if (!blank)
			arg[n++] = file->text[i];
		else if (n && arg[n - 1] != ' ')
			arg[n++] = ' ';
	}
	while (n && arg[n - 1] == ' ')
		n--;
	arg[n] = '\0';
	return arg;
}

/* Blanks for all that @head stands for after its first line: columns stay */
static char *padding(const struct file *file, size_t from, size_t to)
{
	char *pad = strndup(file->text + from, to - from);
	char *nl = strchr(pad, '\n');

	for (char *p = pad; *p; p++)
		if (*p != '\n' && *p != '\t')
			*p = ' ';
	return nl ? nl : strf("%s", "");
}

static bool find_rewrite(const struct file *file, size_t at, struct rewrite *r)
{
	const char *s = file->text + at;
	const struct macro *m;
	char *arg[3] = { NULL }, *parent = "";
	size_t i = 0, name = 0;

	for (m = macros; m < macros + ARRAY_SIZE(macros); m++) {
		name = strlen(m->name);
		if (!strncmp(s, m->name, name) && s[name] == '(')
			break;
	}
	if (m == macros + ARRAY_SIZE(macros))
		return false;
	i = at + name + 1;
	for (int n = 0; n < m->args; n++) {
		size_t end = argument_end(file, i);

		if (end == file->len || (n + 1 < m->args && file->text[end] != ','))
			return false;
		arg[n] = argument(file, i, end);
		i = end + (file->text[end] == ',');
	}
	*r = (struct rewrite){ .start = at, .args = i, .line = line_of(file, at) };
	for (r->end = argument_end(file, i); r->end < file->len && file->text[r->end] == ',';)
		r->end = argument_end(file, r->end + 1);
	if (r->end == file->len)
		return false;
	if (m->args == 3)
		parent = strf(" .parent_type = sizeof(%s),", arg[1]);
	if (m->args)
		r->head = strf("static struct %s %s = {%s .data_type = sizeof(%s),%s", m->type,
			       arg[0], parent, arg[m->args - 1], padding(file, at, i));
	else
		r->head = strf("static struct %s klp_sdk_this_patch = {", m->type);
	return true;
}

static void find_rewrites(struct file *file)
{
	struct rewrite r;

	for (size_t i = 0; i < file->len; i++)
		if (!file->mask[i] && (!i || file->text[i - 1] == '\n') &&
		    find_rewrite(file, i, &r))
			append(file->rewrites, file->nr_rewrites, r);
}

/*
 * { NULL, NULL, 0 } is { }, and where the other entries of an array have designators,
 * it has spatch try each of its fields with each of them: twice the time for an entry.
 */
static void blank_zeros(char *text)
{
	static const char blanks[] = " \t\n";

	for (char *open = strchr(text, '{'); open; open = strchr(open + 1, '{')) {
		char *p = open + 1, *fields = p;
		int nr = 0;

		while (*(p += strspn(p, blanks)) && *p != '}') {
			size_t len = strcspn(p, ",}/*{ \t\n");

			if (strncmp(p, "NULL", 4 > len ? 4 : len) && strncmp(p, "0", len ? len : 1))
				break;
			p += len;
			p += strspn(p, blanks);
			nr++;
			if (*p != ',')
				break;
			p++;
		}
		if (*p != '}' || nr < 2)
			continue;
		for (; fields < p; fields++)
			if (!isspace((unsigned char)*fields))
				*fields = ' ';
	}
}

void write_copy(struct file *file)
{
	char *path = strf("%s/%s", opt.tmp, file->copy), *text;
	size_t at = 0, len;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		die("out of memory");
	for (int i = 0; i < file->nr_rewrites; i++) {
		const struct rewrite *r = &file->rewrites[i];

		fwrite(file->text + at, 1, r->start - at, to);
		fputs(r->head, to);
		fwrite(file->text + r->args, 1, r->end - r->args, to);
		fputc('}', to);
		at = r->end + 1;
	}
	fwrite(file->text + at, 1, file->len - at, to);
	fclose(to);
	/* A repair is to leave them as they are. */
	if (!opt.patch)
		blank_zeros(text);
	make_dirs(dir_of(path));
	write_file(path, text, len);
}

/* The last byte of code before @at, or 0 */
static size_t code_before(const struct file *file, size_t at)
{
	while (at && (file->mask[--at] & MASK_COMMENT || isspace((unsigned char)file->text[at])))
		;
	return at;
}

char *written_back(struct file *file, char *copy)
{
	struct file new = { .text = copy, .len = strlen(copy) };
	size_t len, at = 0;
	char *text;
	FILE *to;

	if (mask_text(&new) >= 0)
		return NULL;
	to = open_memstream(&text, &len);
	if (!to)
		die("out of memory");
	for (int i = 0; i < file->nr_rewrites; i++) {
		const struct rewrite *r = &file->rewrites[i];
		char *head = strstr(copy + at, r->head);
		size_t end, comma;
		int depth = 1;

		if (!head)
			return NULL;
		end = head - copy + strlen(r->head);
		fwrite(copy + at, 1, head - (copy + at), to);
		fwrite(file->text + r->start, 1, r->args - r->start, to);
		at = end;
		for (; end < new.len; end++) {
			if (new.mask[end])
				continue;
			depth += (copy[end] == '{') - (copy[end] == '}');
			if (!depth)
				break;
		}
		if (end == new.len)
			return NULL;
		/* spatch ends the last field with a comma, a macro's arguments have none. */
		comma = code_before(&new, end);
		if (copy[comma] == ',' && file->text[code_before(file, r->end)] != ',')
			fwrite(copy + at, 1, comma - at, to);
		else
			fwrite(copy + at, 1, end - at, to);
		fputc(')', to);
		at = end + 1;
	}
	fwrite(copy + at, 1, new.len - at, to);
	fclose(to);
	return text;
}

/* Where a comment has "klp-lint:" as its first word, what follows is for us */
static void read_comment(struct file *file, size_t from, size_t to)
{
	static const char key[] = "klp-lint:";
	char *text = strf("%.*s", (int)(to - from - 2), file->text + from + 2), *p = text;
	size_t len = strlen(text), before = from, after = to;
	int line = line_of(file, from), last = line_of(file, to - 1), col;
	struct silence s = { .line = line };
	char *reason;
	bool alone;

	if (len >= 2 && !strcmp(text + len - 2, "*/"))
		text[len - 2] = '\0';
	p += strspn(p, " \t\n*");
	if (strncmp(p, key, strlen(key)))
		return;
	p += strlen(key);
	p += strspn(p, " \t\n");
	while (before && strchr(" \t", file->text[before - 1]))
		before--;
	while (after < file->len && strchr(" \t\r", file->text[after]))
		after++;
	alone = (!before || file->text[before - 1] == '\n') &&
		(after == file->len || file->text[after] == '\n');
	for (col = 0; from > (size_t)col && file->text[from - col - 1] != '\n'; col++)
		;
	s.col = col;
	s.from = alone ? last + 1 : line;
	s.to = alone ? last + 1 : last;
	reason = strchr(p, ':');
	if (strncmp(p, "ignore", 6) || !isspace((unsigned char)p[6])) {
		found(file, NULL, line, col, false, "klp_lint_comment",
		      "this is no \"klp-lint: ignore RULE: reason\"");
		return;
	}
	p += 7;
	p += strspn(p, " \t\n");
	s.rule = strndup(p, strcspn(p, " \t\n:"));
	if (!*s.rule || !reason || !reason[1 + strspn(reason + 1, " \t\n*")]) {
		found(file, NULL, line, col, false, "klp_lint_comment",
		      strf("silences %s without a reason; write \"klp-lint: ignore %s: reason\"",
			   *s.rule ? s.rule : "nothing", *s.rule ? s.rule : "RULE"));
		return;
	}
	append(file->silences, file->nr_silences, s);
}

static void find_silences(struct file *file)
{
	for (size_t i = 0, n; i < file->len; i += n) {
		n = 1;
		if (!(file->mask[i] & MASK_COMMENT))
			continue;
		if (file->text[i + 1] == '/')
			while (i + n < file->len && file->mask[i + n] & MASK_COMMENT)
				n++;
		else
			n = strstr(file->text + i + 2, "*/") + 2 - (file->text + i);
		read_comment(file, i, i + n);
	}
	/* Several above each other are all for the line below. */
	for (int i = file->nr_silences - 1; i > 0; i--) {
		struct silence *s = &file->silences[i - 1], *below = &file->silences[i];

		if (below->from > below->line && s->from > s->line && s->from == below->line) {
			s->from = below->from;
			s->to = below->to;
		}
	}
}

static struct file *add_file(const char *path, bool base);

/* #include "..." of what stands beside the file */
static void find_includes(struct file *file)
{
	char *dir = dir_of(file->path);

	for (size_t i = 0; i < file->len; i++) {
		const char *p = file->text + i;
		char *path;

		if (*p != '#' || file->mask[i] != MASK_CPP)
			continue;
		p++;
		p += strspn(p, " \t");
		if (strncmp(p, "include", 7))
			continue;
		p += 7 + strspn(p + 7, " \t");
		if (*p != '"' || !strcspn(p + 1, "\"\n"))
			continue;
		path = absolute(strf("%s/%.*s", dir, (int)strcspn(p + 1, "\"\n"), p + 1));
		if (is_file(path))
			append(file->includes, file->nr_includes, add_file(path, file->base));
	}
}

/* Paths are in lists of make and in spatch's output, between blanks and colons */
static void check_name(const char *path)
{
	if (strpbrk(path, " \t\n:;&|<>()$`'\"\\*?[]#%!"))
		die("%s: modules cannot be built in a path with blanks, colons or quotes",
		    shown(path));
}

struct file *find_file(const char *path)
{
	for (int i = 0; i < nr_files; i++)
		if (!files[i]->base && !strcmp(files[i]->path, path))
			return files[i];
	return NULL;
}

static struct file *add_file(const char *path, bool base)
{
	struct file *file;
	ssize_t open;

	for (int i = 0; i < nr_files; i++)
		if (files[i]->base == base && !strcmp(files[i]->path, path))
			return files[i];
	check_name(path);
	file = xrealloc(NULL, sizeof(*file));
	*file = (struct file){ .path = strf("%s", path), .show = shown(path), .base = base,
			       .copy = strf("%s%s", base ? "base" : "new", path),
			       .header = !ends(path, ".c") };
	file->text = read_file(path, &file->len);
	if (!file->text)
		die("cannot read %s: %s", file->show, strerror(errno));
	if (strlen(file->text) != file->len)
		die("%s: this is no text", file->show);
	open = mask_text(file);
	if (open >= 0)
		die("%s:%d: a comment begins here and has no end", file->show,
		    line_of(file, open));
	append(files, nr_files, file);
	find_rewrites(file);
	if (!base)
		find_silences(file);
	find_includes(file);
	return file;
}

static void add_to_group(struct group *group, struct file *file)
{
	for (int i = 0; i < group->nr; i++)
		if (group->files[i] == file)
			return;
	append(group->files, group->nr, file);
	for (int i = 0; i < file->nr_includes; i++)
		add_to_group(group, file->includes[i]);
}

static struct group *new_group(const char *name, struct group ***groups, int *nr)
{
	struct group *group = xrealloc(NULL, sizeof(*group));

	*group = (struct group){ .name = strf("%s", name) };
	append(*groups, *nr, group);
	return group;
}

/* One file which is a module for itself */
static struct file *lone_group(const char *path, bool base, struct group ***groups, int *nr)
{
	const char *name = strrchr(path, '/') + 1;
	struct file *file = add_file(path, base);

	add_to_group(new_group(strndup(name, strcspn(name, ".")), groups, nr), file);
	return file;
}

struct walk {
	bool base;
	struct group ***groups;
	int *nr;
	struct unit *unit;		/* of the folder that is named */
	int *unbuilt;
};

static bool covered(struct group **groups, int from, int nr, const char *path)
{
	for (int g = from; g < nr; g++)
		for (int i = 0; i < groups[g]->nr; i++)
			if (!strcmp(groups[g]->files[i]->path, path))
				return true;
	return false;
}

static void to_sparse(struct unit *unit, struct file *file)
{
	if (!unit || file->header)
		return;
	file->sparse = true;
	for (int i = 0; i < unit->nr_files; i++)
		if (unit->files[i] == file)
			return;
	append(unit->files, unit->nr_files, file);
}

static void asked_make(struct job *job)
{
	if (!succeeded(job))
		die("%s: make cannot read its Kbuild file: %s", shown(job->data),
		    job->timed_out ? "it takes too long" : first_line(job->err, "***"));
	*(char **)job->more = job->out;
}

/* Which modules and folders a folder's Kbuild file names, as groups.mk prints it */
static char *ask_make(const char *folder, const char *kbuild)
{
	struct job job = { .done = asked_make, .data = (void *)folder };
	char *out, *args[] = {
		"make", "-s", "-r", "-R", "--no-print-directory", "-C", (char *)folder,
		"-f", strf("%s/tools/lint/groups.mk", opt.sdk), strf("DIR=%s", folder),
		strf("KBUILD=%s", kbuild), strf("KDIR=%s", opt.kdir ? opt.kdir : ""),
		strf("KLP_SDK=%s", opt.sdk), "print", NULL
	};

	job.args = args;
	job.more = &out;
	add_job(&job);
	run_jobs(1);
	return out;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All C files of a folder, sorted */
static char **c_files(const char *folder, int *nr)
{
	DIR *dir = opendir(folder);
	char **list = NULL;
	struct dirent *e;

	*nr = 0;
	if (!dir)
		die("cannot read %s: %s", shown(folder), strerror(errno));
	while ((e = readdir(dir))) {
		char *path = absolute(strf("%s/%s", folder, e->d_name));

		if (e->d_name[0] != '.' && ends(path, ".c") && !ends(path, ".mod.c") &&
		    is_file(path))
			append(list, *nr, path);
	}
	closedir(dir);
	if (*nr)
		qsort(list, *nr, sizeof(*list), by_name);
	return list;
}

static char *kbuild_of(const char *folder)
{
	static const char *const names[] = { "Kbuild", "Makefile" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *path = absolute(strf("%s/%s", folder, names[i]));

		if (is_file(path))
			return path;
	}
	return NULL;
}

static void walk_module(struct walk *walk, const char *folder, char *line)
{
	char *save, *name = strtok_r(line, " ", &save), *object;
	struct group *group = NULL;

	while ((object = strtok_r(NULL, " ", &save))) {
		size_t len = strlen(object);
		struct file *file;
		char *path;

		if (!ends(object, ".o"))
			continue;
		path = absolute(strf("%s/%.*s.c", folder, (int)len - 2, object));
		if (!is_file(path))	/* assembly, or made by a rule */
			continue;
		file = add_file(path, walk->base);
		if (!group)
			group = new_group(strrchr(name, '/') ? strrchr(name, '/') + 1 : name,
					  walk->groups, walk->nr);
		add_to_group(group, file);
		to_sparse(walk->unit, file);
	}
	if (!group)
		die("%s: the Kbuild file names the module %s, and there is no source of it",
		    shown(folder), name);
}

static void walk_folder(struct walk *walk, const char *folder)
{
	char *kbuild = kbuild_of(folder), *line, *save, **list;
	int before = *walk->nr, nr;

	check_name(folder);
	if (kbuild && walk->unit) {
		for (int i = 0; i < walk->unit->nr_folders; i++)
			if (!strcmp(walk->unit->folders[i], folder))
				return;
		append(walk->unit->folders, walk->unit->nr_folders, strf("%s", folder));
	}
	if (kbuild) {
		char *out = ask_make(folder, kbuild);

		for (line = strtok_r(out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
			if (!strncmp(line, "module ", 7)) {
				walk_module(walk, folder, line + 7);
			} else if (!strncmp(line, "folder ", 7)) {
				char *sub = absolute(strf("%s/%s", folder, line + 7));

				if (!is_dir(sub))
					die("%s: no such folder, which %s names", shown(sub),
					    shown(kbuild));
				walk_folder(walk, sub);
			}
		}
	}
	/* What no Kbuild file names may be no module: only rules see it. */
	list = c_files(folder, &nr);
	for (int i = 0; i < nr; i++) {
		if (covered(*walk->groups, before, *walk->nr, list[i]))
			continue;
		lone_group(list[i], walk->base, walk->groups, walk->nr);
		*walk->unbuilt += 1;
	}
}

static struct unit *new_unit(const char *dir, bool made, struct unit ***units, int *nr)
{
	struct unit *unit = xrealloc(NULL, sizeof(*unit));

	*unit = (struct unit){ .dir = strf("%s", dir), .made = made };
	append(*units, *nr, unit);
	return unit;
}

/* Does a Kbuild file name this source? Then it knows the flags for it. */
static bool built(const char *folder, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char *kbuild = kbuild_of(folder), *save;
	char *object = strf("%.*s.o", (int)strlen(name) - 2, name);

	if (!kbuild)
		return false;
	for (char *p = strtok_r(ask_make(folder, kbuild), "\n ", &save); p;
	     p = strtok_r(NULL, "\n ", &save))
		if (!strcmp(p, object))
			return true;
	return false;
}

void collect(const char *name, bool base, struct group ***groups, int *nr,
	     struct unit ***units, int *nr_units, int *unbuilt)
{
	char *path = absolute(name), *dir = dir_of(path);
	struct walk walk = { .base = base, .groups = groups, .nr = nr, .unbuilt = unbuilt };
	int before = *nr;
	char **list;
	int nr_list;

	check_name(path);
	if (is_file(path)) {
		struct unit *unit = NULL;
		bool made;

		if (!ends(path, ".c") && !ends(path, ".h"))
			die("%s is neither a folder nor a C file", name);
		made = units && ends(path, ".c") && !built(dir, path);
		for (int i = 0; units && i < *nr_units; i++)
			if ((*units)[i]->made == made && !strcmp((*units)[i]->dir, dir))
				unit = (*units)[i];
		if (units && !unit && ends(path, ".c"))
			unit = new_unit(dir, made, units, nr_units);
		to_sparse(unit, lone_group(path, base, groups, nr));
		return;
	}
	if (!is_dir(path))
		die("%s: %s", name, access(path, F_OK) ? "no such file or folder" :
		    "neither a file nor a folder");
	if (kbuild_of(path)) {
		walk.unit = units ? new_unit(path, false, units, nr_units) : NULL;
		walk_folder(&walk, path);
	} else {
		struct unit *unit;

		list = c_files(path, &nr_list);
		unit = units && nr_list ? new_unit(path, true, units, nr_units) : NULL;
		for (int i = 0; i < nr_list; i++)
			to_sparse(unit, lone_group(list[i], base, groups, nr));
	}
	if (*nr == before)
		die("%s: no C files", name);
}
