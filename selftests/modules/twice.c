// SPDX-License-Identifier: GPL-2.0
/* vmlinux is listed twice. */
#define TP_OBJECTS	KLP_SDK_OBJECT(NULL, tp_funcs), KLP_SDK_OBJECT(NULL, tp_funcs)
#include "tp.h"
