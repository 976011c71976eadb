// SPDX-License-Identifier: GPL-2.0
/* Saves the original in pre_patch. */
#define TP_EARLY
#include "tp.h"
