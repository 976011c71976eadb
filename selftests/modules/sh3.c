// SPDX-License-Identifier: GPL-2.0
#define TPS	3
#include "tps.h"
