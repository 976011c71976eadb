// SPDX-License-Identifier: GPL-2.0
#define TPS	2
#include "tps.h"
