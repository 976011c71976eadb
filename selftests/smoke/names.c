// SPDX-License-Identifier: GPL-2.0
/*
 * The names that a module can give to something (files in /proc, /sys and debugfs,
 * devices, kernel threads, kprobes, slab caches), and the values that can be set, as
 * sorted lines that can be compared.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "smoke.h"

/* Lines */

void lines_add(struct lines *l, const char *text)
{
	if (l->nr == l->room) {
		l->room = l->room ? 2 * l->room : 1024;
		l->line = realloc(l->line, l->room * sizeof(*l->line));
	}
	if (l->line)
		l->line[l->nr] = strdup(text);
	if (!l->line || !l->line[l->nr])
		broken("no memory for", text);
	l->nr++;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_lines(struct lines *l)
{
	qsort(l->line, l->nr, sizeof(*l->line), compare);
}

void lines_free(struct lines *l)
{
	while (l->nr)
		free(l->line[--l->nr]);
	free(l->line);
	memset(l, 0, sizeof(*l));
}

bool lines_has(const struct lines *l, const char *line)
{
	return l->nr && bsearch(&line, l->line, l->nr, sizeof(*l->line), compare);
}

/* The same name may be there twice: kernel threads have any. */
int lines_missing(const struct lines *a, const struct lines *b, void (*fn)(const char *line))
{
	int missing = 0, k = 0;

	for (int i = 0; i < a->nr; i++) {
		int order = -1;

		while (k < b->nr && (order = strcmp(a->line[i], b->line[k])) > 0)
			k++;
		if (k < b->nr && !order) {
			k++;
			continue;
		}
		missing++;
		fn(a->line[i]);
	}
	return missing;
}

/* Directories */

/*
 * A module's own folder shows what it is made of, a process its files; the trace
 * events' files are the same for each, and there are twenty thousand.
 */
static bool leave_out(const char *path, const char *name)
{
	static const char *const paths[] = {
		"/proc/self", "/proc/thread-self", "/sys/kernel/debug/tracing",
		"/sys/kernel/debug/slab", "/sys/kernel/debug/dynamic_debug",
	};
	static const char *const names[] = { "sections", "notes", "holders" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (!strcmp(path, paths[i]))
			return true;
	if (!strncmp(path, "/sys/module/", 12))
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (!strcmp(name, names[i]))
				return true;
	return !strncmp(path, "/proc/", 6) && name[strspn(name, "0123456789")] == '\0' &&
	       name == path + 6;
}

static void walk(const char *path, int depth, void (*fn)(struct lines *l, const char *path,
							 bool folder), struct lines *l)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	char sub[512];

	while (dir && (e = readdir(dir))) {
		int len = snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    len >= (int)sizeof(sub) ||
		    leave_out(sub, sub + len - strlen(e->d_name)))
			continue;
		fn(l, sub, e->d_type == DT_DIR);
		if (e->d_type == DT_DIR && depth > 1)
			walk(sub, depth - 1, fn, l);
	}
	if (dir)
		closedir(dir);
}

static void add_name(struct lines *l, const char *path, bool folder)
{
	lines_add(l, path);
}

/* Names that are lines of a file */
static void add_file(struct lines *l, const char *path, const char *what, int skip)
{
	static char text[65536];
	char line[512], *s, *save;

	if (file_read(path, text, sizeof(text)) <= 0)
		return;
	for (s = strtok_r(text, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		for (int i = 0; i < skip; i++)
			s += strcspn(s, " ") + strspn(s + strcspn(s, " "), " ");
		snprintf(line, sizeof(line), "%s %.400s (%s)", what, s + strspn(s, " "), path);
		lines_add(l, line);
	}
}

/* The kernel starts and ends kworkers as it needs them. */
static void add_threads(struct lines *l)
{
	DIR *dir = opendir("/proc");
	char path[300], stat[512], line[300];
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char *name, *end;
		int parent;

		if (e->d_name[strspn(e->d_name, "0123456789")])
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		if (file_read(path, stat, sizeof(stat)) <= 0)
			continue;
		name = strchr(stat, '(');
		end = strrchr(stat, ')');
		if (!name || !end || sscanf(end, ") %*c %d", &parent) != 1 || parent != 2)
			continue;
		*end = '\0';
		if (!strncmp(name + 1, "kworker", 7))
			continue;
		snprintf(line, sizeof(line), "kernel thread %s", name + 1);
		lines_add(l, line);
	}
	if (dir)
		closedir(dir);
}

/* A reference that is not given back, or given back twice, shows here. */
static void add_references(struct lines *l)
{
	DIR *dir = opendir("/sys/module");
	char path[300], line[400];
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		long n, i;

		if (!strncmp(e->d_name, "klp_sdk_", 8))
			continue;
		snprintf(path, sizeof(path), "/sys/module/%s/refcnt", e->d_name);
		n = file_int(path);
		/* One more is one name more, and nothing that is gone. */
		for (i = 1; i <= n; i++) {
			snprintf(line, sizeof(line), "reference %ld to module %s", i,
				 e->d_name);
			lines_add(l, line);
		}
	}
	if (dir)
		closedir(dir);
}

void names_read(struct lines *l)
{
	lines_free(l);
	walk("/proc", 8, add_name, l);
	walk("/sys", 12, add_name, l);
	walk("/sys/kernel/debug/tracing/instances", 1, add_name, l);
	walk("/sys/kernel/debug/tracing/events", 1, add_name, l);
	add_file(l, "/proc/devices", "device", 0);
	add_file(l, "/proc/misc", "misc device", 0);
	add_file(l, "/proc/filesystems", "file system", 0);
	add_file(l, "/sys/kernel/debug/kprobes/list", "kprobe", 1);
	add_threads(l);
	add_references(l);
	sort_lines(l);
}

/* Values */

/* They count what happens, or differ with each reading. */
static bool changes_by_itself(const char *path)
{
	static const char *const paths[] = {
		"/proc/sys/fs/dentry-state", "/proc/sys/fs/file-nr", "/proc/sys/fs/inode-nr",
		"/proc/sys/fs/inode-state", "/proc/sys/fs/aio-nr", "/proc/sys/fs/quota/",
		"/proc/sys/kernel/ns_last_pid", "/proc/sys/kernel/random/",
		"/proc/sys/kernel/pty/nr", "/proc/sys/kernel/tainted",
		"/proc/sys/fs/binfmt_misc", "/sys/module/klp_sdk_",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (!strncmp(path, paths[i], strlen(paths[i])))
			return true;
	return false;
}

static void add_value(struct lines *l, const char *path, bool folder)
{
	char line[1024], value[400];
	struct stat st;

	if (folder || changes_by_itself(path) || stat(path, &st) ||
	    !S_ISREG(st.st_mode) || !(st.st_mode & 0444))
		return;
	if (!strncmp(path, "/sys/module/", 12) && !strstr(path, "/parameters/"))
		return;
	if (file_read(path, value, sizeof(value)) < 0)
		return;
	for (char *c = value; *c; c++)
		if (*c == '\n' || *c == '\t')
			*c = c[1] ? ' ' : '\0';
	snprintf(line, sizeof(line), "%s = %s", path, value);
	lines_add(l, line);
}

void values_read(struct lines *l)
{
	struct utsname u;
	char line[512];

	lines_free(l);
	walk("/proc/sys", 8, add_value, l);
	walk("/sys/module", 3, add_value, l);
	if (!uname(&u)) {
		const char *const names[][2] = {
			{ "sysname", u.sysname }, { "nodename", u.nodename },
			{ "release", u.release }, { "version", u.version },
			{ "machine", u.machine },
		};

		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			snprintf(line, sizeof(line), "uname %s = %s", names[i][0], names[i][1]);
			lines_add(l, line);
		}
	}
	sort_lines(l);
}

static size_t key_len(const char *line)
{
	const char *end = strstr(line, " = ");

	return end ? (size_t)(end - line) + 3 : strlen(line);
}

static const char *same_key(const struct lines *l, const char *line)
{
	size_t len = key_len(line);

	for (int i = 0; i < l->nr; i++)
		if (!strncmp(l->line[i], line, len))
			return l->line[i];
	return NULL;
}

int values_differ(const struct lines *before, const struct lines *after,
		  const struct lines *unsteady, void (*fn)(const char *was, const char *is))
{
	int differ = 0;

	for (int i = 0; i < before->nr; i++) {
		const char *was = before->line[i], *is;

		if (lines_has(after, was))
			continue;
		is = same_key(after, was);
		if (!is || (unsteady && same_key(unsteady, was)))
			continue;
		differ++;
		if (fn)
			fn(was, is + key_len(is));
	}
	return differ;
}

void values_unsteady(const struct lines *a, const struct lines *b, struct lines *unsteady)
{
	lines_free(unsteady);
	for (int i = 0; i < a->nr; i++)
		if (!lines_has(b, a->line[i]))
			lines_add(unsteady, a->line[i]);
	sort_lines(unsteady);
}
