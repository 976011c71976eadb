// SPDX-License-Identifier: GPL-2.0
/* Saves the original in pre_patch, at version 2. */
#define TP_EARLY
#define TP_ALPHA	2
#define TP_BETA		2
#include "tp.h"
