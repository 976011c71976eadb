// SPDX-License-Identifier: GPL-2.0
/* alpha under the id of gamma: the same id with another name. */
#define TP_ALPHA_ID	103
#define TP_STATES	&alpha, &beta
#define TP_NO_GAMMA
#include "tp.h"
