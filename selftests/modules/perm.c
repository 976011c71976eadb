// SPDX-License-Identifier: GPL-2.0
/* alpha at version 2 and permanent. */
#define TP_ALPHA	2
#define TP_PERMANENT
#include "tp.h"
