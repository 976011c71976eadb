// SPDX-License-Identifier: GPL-2.0
/*
 * Lists all live states, as every patch with the SDK does, without being a
 * patch: for a look at what is left when all patches are gone.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <klp-sdk/klp-sdk.h>

/* Read by inject.h in the engine's objects. */
extern int tp_fail_alloc;
int tp_fail_alloc;

module_param_cb(klp_sdk_states, &klp_sdk_view_ops, NULL, 0400);

MODULE_DESCRIPTION("klp-sdk test: list all live states");
MODULE_LICENSE("GPL");
