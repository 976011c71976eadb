// SPDX-License-Identifier: GPL-2.0
/* The array of functions has no end. */
#define TP_NO_TERMINATOR
#include "tp.h"
