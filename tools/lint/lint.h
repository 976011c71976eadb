/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the lint driver share: lint.c (findings and output),
 * source.c (files, what spatch sees of them, silencing comments, folders),
 * spatch.c (rules), sparse.c, and job.c (processes). It runs for seconds: what it
 * allocates is not freed.
 */
#ifndef KLP_SDK_LINT_H
#define KLP_SDK_LINT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "../owntime.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __printf(a, b)	__attribute__((__format__(printf, a, b)))
#define __noreturn	__attribute__((__noreturn__))

/* A declaring macro of the SDK and the structure that stands for it in a copy */
struct rewrite {
	size_t start, args, end;	/* name, end of what @head replaces, ')' */
	int line;
	char *head;
};

/* klp-lint: ignore RULE: reason */
struct silence {
	int line, col;
	int from, to;			/* findings' lines that it is for */
	char *rule;
	bool used;
};

struct file {
	char *path;			/* absolute */
	char *show;			/* as its user would name it */
	char *copy;			/* in the temporary directory */
	char *text;
	unsigned char *mask;		/* of each byte: MASK_* */
	size_t len;
	bool header, base, sparse;
	struct rewrite *rewrites;
	int nr_rewrites;
	struct silence *silences;
	int nr_silences;
	struct file **includes;		/* local ones, existing */
	int nr_includes;
};

/* What one module is made of */
struct group {
	char *name;
	struct file **files;
	int nr;
	struct group *base;		/* its older source */
};

/* Where Kbuild is asked for sparse's flags: a folder, or files of none */
struct unit {
	char *dir, *root;		/* absolute; where it is mirrored */
	char **folders;			/* those with a Kbuild file, @dir first */
	int nr_folders;
	struct file **files;		/* what sparse is to see */
	int nr_files;
	bool made;			/* by a Kbuild file of ours */
};

struct rule {
	char *id, *path, *summary;
	char **options;
	int nr_options;
	bool base, repairs;		/* what it can do */
	bool alone;			/* wants a process for each module */
	bool selected, failed;
};

struct finding {
	const char *show, *rule;
	struct file *file;		/* NULL: not one of ours */
	int line, col;			/* from 1, from 0 */
	bool error;
	char *message;
};

/* A process in a group of its own, with a limit to its own time */
struct job {
	const char *what;		/* for messages */
	const char *dir;
	char *argv[5];
	char **args;			/* in place of argv */
	void (*done)(struct job *job);
	void *data, *more;
	struct rule *rule;
	/* Afterwards: */
	char *out, *err;
	int status;			/* as of waitpid() */
	bool timed_out;
	/* job.c's own */
	struct job *next;
	pid_t pid;
	int fd[2];
	struct own_time own;
};

extern struct options {
	const char *sdk, *kdir, *rules_dir;
	bool patch, own;		/* own: each file by the rule of its name */
	int timeout;
	char *tmp, *cwd;
} opt;

extern struct file **files;
extern int nr_files;

/* Grow @array by one; its size is a power of two or 0 */
#define append(array, nr, ...)	do {						\
	if (!((nr) & ((nr) - 1)))						\
		(array) = xrealloc(array, ((nr) ? 2 * (nr) : 1) * sizeof(*(array)));\
	(array)[(nr)++] = __VA_ARGS__;						\
} while (0)

/* lint.c */
void __noreturn __printf(1, 2) die(const char *fmt, ...);
/* Could not run; the exit code will be 2, and what is found is printed */
void __printf(1, 2) broken(const char *fmt, ...);
char *__printf(1, 2) strf(const char *fmt, ...);
void *xrealloc(void *p, size_t size);
void found(struct file *file, const char *show, int line, int col, bool error,
	   const char *rule, const char *message);

/* source.c */
enum { MASK_COMMENT = 1, MASK_STRING = 2, MASK_CPP = 4 };
char *read_file(const char *path, size_t *len);
void write_file(const char *path, const char *text, size_t len);
void make_dirs(const char *path);
char *absolute(const char *name);
bool ends(const char *s, const char *end);
char *shown(const char *path);
struct file *find_file(const char *path);
void write_copy(struct file *file);
/* The text of a copy that spatch has changed, in terms of the original */
char *written_back(struct file *file, char *copy);
/* Add the modules of what a user names; @units may be NULL */
void collect(const char *name, bool base, struct group ***groups, int *nr,
	     struct unit ***units, int *nr_units, int *unbuilt);

/* Fill in @mask; returns where a comment begins that has no end, or -1 */
ssize_t mask_text(struct file *file);

/* spatch.c */
extern struct rule **rules;
extern int nr_rules;
void read_rules(void);
void find_spatch(void);
void add_parse(void);
void add_passes(struct group **groups, int nr);

/* job.c */
void add_job(struct job *job);
void run_jobs(int parallel);
bool succeeded(const struct job *job);
char *first_line(const char *text, const char *having);
void catch_signals(void);
void remove_tmp(void);

/* sparse.c */
void ask_kbuild(struct unit *unit);

#endif
