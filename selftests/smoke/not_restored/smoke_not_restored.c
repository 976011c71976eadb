// SPDX-License-Identifier: GPL-2.0
/* Sets values and does not put them back: a sysctl, a parameter, the log level. */
#include <linux/panic.h>
#include <linux/printk.h>

#include "../raw.h"
#include "param.h"

static void post_patch(struct klp_object *obj)
{
	console_loglevel = 4;
	panic_timeout = -7;
	smoke_param = 2;
}

RAW_PATCH(.post_patch = post_patch);
MODULE_DESCRIPTION("klp-sdk test: does not restore values");
