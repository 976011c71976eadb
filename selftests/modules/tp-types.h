/* SPDX-License-Identifier: GPL-2.0 */
/* The layouts of the test states' data, of all versions. */
#ifndef _TP_TYPES_H
#define _TP_TYPES_H

#include <linux/types.h>

#define TP_MAGIC	0x5ca1ab1e
#define TP_BUF		16

struct alpha_v1 {
	u32 magic;
	int saved;
	int hits;
	char *buf;
};

struct alpha_v2 {
	u64 magic;
	char *buf;
	int saved;
	int hits;
	int from;
};

/* smaller than version 2 */
struct alpha_v3 {
	u32 magic;
	int hits;
	int saved;
	char *buf;
};

struct beta_v1 {
	long count;
};

struct beta_v2 {
	long count;
	long before;
};

/* more than the room that version 1 kept */
struct beta_huge {
	long count;
	long more[7];
};

struct gamma {
	char *buf;
};

#endif /* _TP_TYPES_H */
