// SPDX-License-Identifier: GPL-2.0
/* The other of two patches that share states. */
#define TP_STACK
#define TP_NO_GAMMA
#define TP_STATES	&alpha, &beta
#define TP_REPLACE	false
#include "tp.h"
