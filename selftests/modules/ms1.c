// SPDX-License-Identifier: GPL-2.0
/* One of two patches that share a state of a module. */
#define TPM_STACKED
#define TPM_STATES	&sv, &sm
#define TPM_VERSION_SHOW
#define TPM_REPLACE	false
#include "tpm.h"
