// SPDX-License-Identifier: GPL-2.0
/* beta grows beyond the room that version 1 kept. */
#define TP_BETA		2
#define TP_BETA_HUGE
#include "tp.h"
