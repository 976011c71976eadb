// SPDX-License-Identifier: GPL-2.0
/* Replaces all patches that share states. */
#define TP_STACK
#define TP_NO_GAMMA
#define TP_STATES	&alpha, &beta
#include "tp.h"
