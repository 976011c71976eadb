// SPDX-License-Identifier: GPL-2.0
/* One of two patches of a module that do not replace each other. */
#define NAME	"high"
#include "stacked.h"
