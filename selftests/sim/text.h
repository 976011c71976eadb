/* SPDX-License-Identifier: GPL-2.0 */
/* What text.c, seen.c and ../replay.c share: text that is put together, and names. */
#ifndef _KLP_SDK_SIM_TEXT_H
#define _KLP_SDK_SIM_TEXT_H

#include "pool.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(_a)	(sizeof(_a) / sizeof((_a)[0]))
#endif

/* What does not fit is cut off. */
struct out {
	char *at, *end;
};

struct out out_to(char *buf, unsigned long size);
void put(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "?" stands for a number that has no name */
const char *name_of(const char *const *names, int nr, int i);
const char *patch_name(int nr);

extern const char *const func_names[SIM_NR_FUNCS];
extern const char *const target_names[SIM_NR_TARGETS];

#endif /* _KLP_SDK_SIM_TEXT_H */
