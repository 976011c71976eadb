/* SPDX-License-Identifier: GPL-2.0 */
/* The layouts of the test patches' shadow variables, of all versions. */
#ifndef _TPS_TYPES_H
#define _TPS_TYPES_H

#include <linux/types.h>

#define TPS_MAGIC	0x0ddba11

struct sh_v1 {
	long one;
};

struct sh_v2 {
	long one;
	long two;
};

struct sh_v3 {
	long one;
	long two;
	long three;
};

struct tps_v1 {
	u32 magic;
	u32 born;
	char *buf;
};

/* larger, and nothing where it was */
struct tps_v2 {
	char *buf;
	u64 more[6];
	u32 from;
	u32 born;
	u32 magic;
};

/* smaller than version 2 */
struct tps_v3 {
	char *buf;
	u32 magic;
	u16 from;
	u16 born;
};

struct tps_count_v1 {
	u32 magic;
	u32 count;
};

/* grown in place */
struct tps_count_v2 {
	u32 magic;
	u32 count;
	u64 since;
};

/* more than the room that version 1 kept */
struct tps_count_huge {
	u32 magic;
	u32 count;
	u64 since[8];
};

#endif /* _TPS_TYPES_H */
