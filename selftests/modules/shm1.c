// SPDX-License-Identifier: GPL-2.0
#define TPS	1
#define TPS_MOD	"tp_mod1"
#include "tps.h"
