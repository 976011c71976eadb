// SPDX-License-Identifier: GPL-2.0
/* alpha at version 1 with another size. */
#define TP_ALPHA_T	struct alpha_v2
#include "tp.h"
