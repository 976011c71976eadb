// SPDX-License-Identifier: GPL-2.0
/* As tp_a2, with ways back to version 1. */
#define TP_ALPHA	2
#define TP_BETA		2
#define TP_BACK
#include "tp.h"
