// SPDX-License-Identifier: GPL-2.0
/* Version 2 of all states and a new state among them. */
#define TP_ALPHA	2
#define TP_BETA		2
#define TP_DELTA
#define TP_STATES	&alpha, &beta, &delta, &gamma
#include "tp.h"
