// SPDX-License-Identifier: GPL-2.0
#define TPS	1
#include "tps.h"
