// SPDX-License-Identifier: GPL-2.0
/* Drops a state of each object. */
#define TPM_FEW
#define TPM_STATES	&va, &mb, &vb, &nb, &mc
#include "tpm.h"
