/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In place of hash_ptr() for the front of an index, sdk/front.h, in test modules
 * only: 128 of its words, eight for each lock, so that parents share words.
 */
#ifndef _TP_HASH_H
#define _TP_HASH_H

#include <linux/hash.h>

static inline u32 tp_hash_ptr(const void *ptr, unsigned int bits)
{
	return hash_ptr(ptr, bits) & ~31;
}

/* In place of KLP_SDK_FRONT_VALUES. */
#define TP_FRONT_VALUES		1500

#define hash_ptr(ptr, bits)	tp_hash_ptr(ptr, bits)

#endif /* _TP_HASH_H */
