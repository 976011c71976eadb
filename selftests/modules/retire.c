// SPDX-License-Identifier: GPL-2.0
/* Takes alpha away for good. */
#define TP_RETIRE
#include "tp.h"
