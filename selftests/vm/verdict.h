/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a guest's result stream and kernel log amount to: pure functions, so
 * that the rules can be tested without booting anything.
 */
#ifndef KLP_SDK_VERDICT_H
#define KLP_SDK_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __printf(a, b)	__attribute__((__format__(printf, a, b)))
#define __noreturn	__attribute__((__noreturn__))

/* Last line of a complete stream; whatever stops short of it is cut */
#define VERDICT_END	"# klp-sdk: end"
/* Lines between the guest library and vmrun, not meant for the reader */
#define VERDICT_NOTE	"# klp-sdk:"

enum line_kind { LINE_OTHER, LINE_NOTE, LINE_RESULT, LINE_END };

struct verdict {
	bool plain;		/* set by the caller: no KTAP, marker only */
	bool version, ended;
	int plan;		/* -1 until the plan has been read */
	int results, passed, failed, skipped;
	char running[96];	/* test announced, but not reported yet */
	char name[96];		/* last result's description */
	char first_bad[112];	/* first failed test, "number (name)" */
	char broken[160];	/* first breach of the protocol */
};

void verdict_init(struct verdict *v, bool plain);
/* One line without its newline; @whole is false if the newline was missing */
enum line_kind verdict_line(struct verdict *v, const char *line, bool whole);
/* Judge a stream that has ended. Returns true if good, or fills @why */
bool verdict_stream(const struct verdict *v, char *why, size_t size);

/* Is this line of a kernel log a splat? */
bool log_line_bad(const char *line);
/*
 * Read a kernel log; returns the number of bad lines, the first one in @first
 * (without its time stamp), @panic tells whether the kernel panicked.
 * Returns -1 if the log cannot be read: no log is not a clean log.
 */
int log_scan(const char *path, char *first, size_t size, bool *panic);

#endif
