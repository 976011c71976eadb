// SPDX-License-Identifier: GPL-2.0
#define TPS	1
#define TPS_DROP
#define TPS_STACK
#include "tps.h"
