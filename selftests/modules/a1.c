// SPDX-License-Identifier: GPL-2.0
/* All states at version 1. */
#include "tp.h"
