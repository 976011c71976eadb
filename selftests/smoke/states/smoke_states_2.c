// SPDX-License-Identifier: GPL-2.0
/* The state at version 2 */
#define VERSION	2
#include "states.h"
