// SPDX-License-Identifier: GPL-2.0
/* A module with a parameter that a patch can change. */
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "param.h"

int smoke_param = 1;
EXPORT_SYMBOL_GPL(smoke_param);
module_param_named(level, smoke_param, int, 0644);
MODULE_PARM_DESC(level, "to be changed");

MODULE_DESCRIPTION("klp-sdk test: a module with a parameter");
MODULE_LICENSE("GPL");
