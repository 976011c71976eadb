// SPDX-License-Identifier: GPL-2.0
/* The other of two patches that share a state of a module. */
#define TPM_STACKED
#define TPM_STATES	&sv, &sm
#define TPM_REPLACE	false
#include "tpm.h"
