// SPDX-License-Identifier: GPL-2.0
/* A replacing patch that does not declare gamma. */
#define TP_STATES	&alpha, &beta
#define TP_NO_GAMMA
#include "tp.h"
