// SPDX-License-Identifier: GPL-2.0
/* expect: klp-sdk: KLP_SDK_OBJECT(): funcs must be an array of struct klp_func, not const */
#include "common.h"

static struct klp_object funcs[] = { { } };

KLP_SDK_PATCH(.objs = KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, funcs)));
