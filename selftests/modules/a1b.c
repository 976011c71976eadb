// SPDX-License-Identifier: GPL-2.0
/* As tp_a1: what comes next without any change of the states. */
#include "tp.h"
