// SPDX-License-Identifier: GPL-2.0
/* Takes version 2 of alpha away. */
#define TP_ALPHA	2
#define TP_BETA		2
#define TP_RETIRE
#include "tp.h"
