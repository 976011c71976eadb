// SPDX-License-Identifier: GPL-2.0
/* Eight states over three objects, at version 1. */
#include "tpm.h"
