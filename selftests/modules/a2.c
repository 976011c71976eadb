// SPDX-License-Identifier: GPL-2.0
/* alpha is converted from version 1, beta grows. */
#define TP_ALPHA	2
#define TP_BETA		2
#include "tp.h"
