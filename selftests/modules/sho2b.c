// SPDX-License-Identifier: GPL-2.0
/* A twin of tp_sho2, which would find the values that tp_sho2 left behind. */
#define TPS		2
#define TPS_STATE_ID	408
#define TPS_IDS		0x540
#include "tps.h"
