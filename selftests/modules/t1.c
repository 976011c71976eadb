// SPDX-License-Identifier: GPL-2.0
/* One of two patches that hand over locks, a timer and work items. */
#define TPT	1
#include "tpt.h"
