// SPDX-License-Identifier: GPL-2.0
/* Version 2: what one took in its init is not the other's leak. */
#include "init_memory.h"
