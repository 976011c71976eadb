// SPDX-License-Identifier: GPL-2.0
/* As tp_a3, which cannot be loaded again after a force. */
#define TP_ALPHA	3
#define TP_BETA		2
#include "tp.h"
