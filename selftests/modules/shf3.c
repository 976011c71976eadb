// SPDX-License-Identifier: GPL-2.0
/* No type has the same version in tp_shf1 and tp_shf3, which is forced out. */
#define TPS		3
#define TPS_COUNT	3
#define TPS_STATE_ID	406
#define TPS_IDS		0x520
#include "tps.h"
