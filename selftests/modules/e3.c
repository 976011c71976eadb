// SPDX-License-Identifier: GPL-2.0
/* Saves the original in pre_patch, for another state that does alpha's job. */
#define TP_EARLY
#define TP_ALPHA_ID	111
#include "tp.h"
