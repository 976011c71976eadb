// SPDX-License-Identifier: GPL-2.0
/* Would share alpha at another version. */
#define TP_STACK
#define TP_NO_GAMMA
#define TP_STATES	&alpha, &beta
#define TP_ALPHA	2
#define TP_REPLACE	false
#include "tp.h"
