// SPDX-License-Identifier: GPL-2.0
/* As tpm_m1: what comes next without any change of the states. */
#include "tpm.h"
