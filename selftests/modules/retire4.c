// SPDX-License-Identifier: GPL-2.0
/* Would retire alpha with another size of it. */
#define TP_RETIRE
#define TP_ALPHA_T	struct alpha_v2
#include "tp.h"
