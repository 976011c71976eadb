// SPDX-License-Identifier: GPL-2.0
/*
 * A patch that replaces all others and has neither functions nor states: to it make
 * smoke drops a patch author's patches.
 */
#include <klp-sdk/klp-sdk.h>

/* Read by inject.h in the engine's objects. */
extern int tp_fail_alloc;
int tp_fail_alloc;

KLP_SDK_PATCH(.replace = true);

MODULE_DESCRIPTION("klp-sdk test: replaces all, has no state");
MODULE_LICENSE("GPL");
