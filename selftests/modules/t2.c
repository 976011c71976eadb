// SPDX-License-Identifier: GPL-2.0
/* The other of two patches that hand over locks, a timer and work items. */
#define TPT	2
#include "tpt.h"
