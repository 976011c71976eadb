/* SPDX-License-Identifier: GPL-2.0 */
/* Parents for the shadow variables of test patches, see tp_pool.c. */
#ifndef _TP_POOL_H
#define _TP_POOL_H

struct tps_parent {
	unsigned int nr;
	/* how many objects have been at this address */
	unsigned int born;
};

/* NULL if there is no such parent. */
struct tps_parent *tp_pool_parent(unsigned int nr);

#endif /* _TP_POOL_H */
