// SPDX-License-Identifier: GPL-2.0
/* The same shadow variables, two types converted and one grown. */
#define TPC	2
#include "tpc.h"
