/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads what a patched /proc/cmdline shows: one line of "key=value" fields.
 */
#ifndef _FIELDS_H
#define _FIELDS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm/guest.h"

#define PROC	"/proc/cmdline"

struct fields {
	char text[1024];
};

static inline int fields_read(struct fields *f)
{
	return file_read(PROC, f->text, sizeof(f->text));
}

/* The value of @key in @buf; empty if there is none. */
static inline const char *field(const struct fields *f, const char *key,
				char *buf, size_t size)
{
	size_t len = strlen(key);
	const char *pos = f->text;

	for (*buf = '\0'; (pos = strstr(pos, key)); pos += len) {
		if ((pos != f->text && pos[-1] != ' ') || pos[len] != '=')
			continue;
		snprintf(buf, size, "%.*s", (int)strcspn(pos + len + 1, "\n "),
			 pos + len + 1);
		break;
	}
	return buf;
}

static inline long console_level(void)
{
	return file_int("/proc/sys/kernel/printk");
}

#endif /* _FIELDS_H */
