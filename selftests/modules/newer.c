// SPDX-License-Identifier: GPL-2.0
/* alpha at version 1 with a migration from version 2. */
#define TP_ALPHA_FROM	KLP_SDK_FROM(alpha_v2)
#define TP_ALPHA_NEWER
#include "tp.h"
