// SPDX-License-Identifier: GPL-2.0
/* As tp_s2, and alpha is permanent. */
#define TP_STACK
#define TP_PERMANENT
#define TP_NO_GAMMA
#define TP_STATES	&alpha, &beta
#define TP_REPLACE	false
#include "tp.h"
