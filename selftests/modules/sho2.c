// SPDX-License-Identifier: GPL-2.0
/* tp_sho2 is forced out with values of tp_sho1's layout that it has not converted. */
#define TPS		2
#define TPS_STATE_ID	408
#define TPS_IDS		0x540
#include "tps.h"
