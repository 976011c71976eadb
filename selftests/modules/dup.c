// SPDX-License-Identifier: GPL-2.0
/* alpha has the id of beta. */
#define TP_ALPHA_ID	102
#include "tp.h"
