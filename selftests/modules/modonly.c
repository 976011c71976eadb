// SPDX-License-Identifier: GPL-2.0
/* Its only object is a module that is not loaded. */
#define TP_OBJECTS	KLP_SDK_OBJECT("tp_absent", tp_funcs)
#include "tp.h"
