// SPDX-License-Identifier: GPL-2.0
/* Would retire alpha without replacing its holder. */
#define TP_RETIRE
#define TP_REPLACE	false
#include "tp.h"
