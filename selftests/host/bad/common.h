/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations that must not compile. Each file has one mistake and says in its
 * second line what the compiler or sparse must say of it; good.c has none.
 */
#include <klp-sdk/klp-sdk.h>

struct thing_v1 {
	int value;
};

struct thing {
	int value;
	int more;
};

struct other {
	long value;
	long more;
};

#define THING_ID	KLP_SDK_STATE_ID(7)

/* What stands for a patched function. */
int read_thing(void);
