// SPDX-License-Identifier: GPL-2.0
/* What modpost adds to each module; the loader of the simulation fills it. */
#include <linux/module.h>

struct module __this_module;
