// SPDX-License-Identifier: GPL-2.0
/* Version 1: what one took in its init is not the other's leak. */
#include "init_memory.h"
