// SPDX-License-Identifier: GPL-2.0
/* alpha at version 3 that knows version 2 only. */
#define TP_ALPHA	3
#define TP_BETA		2
#define TP_ALPHA_NO_V1
#include "tp.h"
