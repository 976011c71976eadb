// SPDX-License-Identifier: GPL-2.0
/* alpha is converted from version 1 or 2, into a smaller object. */
#define TP_ALPHA	3
#define TP_BETA		2
#include "tp.h"
