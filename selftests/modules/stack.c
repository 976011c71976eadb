// SPDX-License-Identifier: GPL-2.0
/* A patch that does not replace the one that holds its states. */
#define TP_REPLACE	false
#include "tp.h"
