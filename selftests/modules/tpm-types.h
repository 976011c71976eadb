/* SPDX-License-Identifier: GPL-2.0 */
/* The layouts of the data in tpm.h's states and in tp_rawm's. */
#ifndef _TPM_TYPES_H
#define _TPM_TYPES_H

#include <linux/types.h>

#define TPM_MAGIC	0x0ddba115
#define TPM_BUF		16

struct tpm_v1 {
	u32 magic;
	int made;
	char *buf;
	long hits;
};

/* What tpm_v1 is converted to. */
struct tpm_v2 {
	long hits;
	char *buf;
	int made;
	int from;
	u32 magic;
};

/* What tpm_v1 grows to. */
struct tpm_g2 {
	u32 magic;
	int made;
	char *buf;
	long hits;
	long before;
};

#endif /* _TPM_TYPES_H */
