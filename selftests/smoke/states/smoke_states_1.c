// SPDX-License-Identifier: GPL-2.0
/* The state at version 1 */
#define VERSION	1
#include "states.h"
