// SPDX-License-Identifier: GPL-2.0
/* One of two twins of a module whose init fails while the state is an orphan. */
#define TPS		1
#define TPS_DROP
#define TPS_MOD		"tp_mod2"
#define TPS_STATE_ID	407
#define TPS_IDS		0x530
#include "tps.h"
