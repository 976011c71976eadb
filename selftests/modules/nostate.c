// SPDX-License-Identifier: GPL-2.0
/* A replacing patch that declares no state at all. */
#include <linux/moduleparam.h>
#include <klp-sdk/klp-sdk.h>

/* Read by inject.h in the engine's objects. */
extern int tp_fail_alloc;
int tp_fail_alloc;
module_param_named(fail_alloc, tp_fail_alloc, int, 0444);
MODULE_PARM_DESC(fail_alloc, "which allocation of the engine fails");

KLP_SDK_PATCH(.replace = true);

MODULE_DESCRIPTION("klp-sdk test patch");
MODULE_LICENSE("GPL");
