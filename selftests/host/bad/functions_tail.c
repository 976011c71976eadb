// SPDX-License-Identifier: GPL-2.0
/* expect: error: .*\(array\|negative width\) */
#include "common.h"

static struct klp_func funcs[] = {
	{ .old_name = "some_function", .new_func = read_thing },
	{ .old_name = "another_function", .new_func = read_thing },
	{ }
};

KLP_SDK_PATCH(.objs = KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, funcs),
				      KLP_SDK_OBJECT("some_module", funcs + 1)));
