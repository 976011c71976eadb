// SPDX-License-Identifier: GPL-2.0
/* The kernel's messages in a step: the lines that say what is wrong, not a call trace. */
#include <stdio.h>
#include <string.h>

#include "smoke.h"

#define LOG_LINES	15

/* Does the line belong to a call trace, or to the registers above and below it? */
static bool is_trace(const char *line, size_t len)
{
	static const char *const starts[] = {
		" ", "Call Trace:", "CPU: ", "Hardware name: ", "Modules linked in:",
		"RIP: ", "Code: ", "RSP: ", "RAX: ", "RDX: ", "RBP: ", "R10: ", "R13: ",
		"FS: ", "CS: ", "CR2: ", "DR0: ", "DR3: ", "Tainted: ", "Workqueue: ",
		"---[ end", "------------[", "<TASK>", "</TASK>",
	};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (len >= strlen(starts[i]) && !strncmp(line, starts[i], strlen(starts[i])))
			return true;
	return !len;
}

static const char *next_line(const char *pos)
{
	pos = strchrnul(pos, '\n');
	return pos + !!*pos;
}

/* The last ones: what a step does before is seldom wrong. */
void show_log(void)
{
	const char *log = kmsg_since(), *pos;
	int lines = 0;

	for (pos = log; *pos; pos = next_line(pos))
		lines += !is_trace(pos, strcspn(pos, "\n"));
	for (pos = log; *pos; pos = next_line(pos)) {
		size_t len = strcspn(pos, "\n");

		if (!is_trace(pos, len) && lines-- <= LOG_LINES)
			out("#   | %.*s", (int)len, pos);
	}
}
