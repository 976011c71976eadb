/* SPDX-License-Identifier: GPL-2.0 */
/* A state with what outlives the module, for the files of calls in callbacks. */
#include "shadow.h"

struct clock {
	struct klp_sdk_lock_class class;
	struct timer_list timer;
	struct work_struct work;
	struct delayed_work dwork;
};
