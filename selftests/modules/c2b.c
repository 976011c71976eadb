// SPDX-License-Identifier: GPL-2.0
/* Takes over from its twin, which may have left values in the first layout. */
#define TPC	2
#include "tpc.h"
