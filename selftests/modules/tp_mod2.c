// SPDX-License-Identifier: GPL-2.0
/* One of two modules that test patches change. */
#define TP_MOD	tp_mod2
#include "tp_mod.h"
