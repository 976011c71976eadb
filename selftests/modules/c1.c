// SPDX-License-Identifier: GPL-2.0
/* Shadow variables in their first layout, used by many tasks. */
#define TPC	1
#include "tpc.h"
