// SPDX-License-Identifier: GPL-2.0
/* As tp_a1, but for a reader that cannot wait for a conversion. */
#define TP_READS
#include "tp.h"
