// SPDX-License-Identifier: GPL-2.0
/* Drops gamma, and lists the others in another order. */
#define TP_NO_GAMMA
#define TP_STATES	&beta, &alpha
#include "tp.h"
