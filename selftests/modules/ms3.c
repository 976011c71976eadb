// SPDX-License-Identifier: GPL-2.0
/* Replaces all patches that share a state of a module. */
#define TPM_STACKED
#define TPM_STATES	&sv, &sm
#include "tpm.h"
