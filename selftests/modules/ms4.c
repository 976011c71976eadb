// SPDX-License-Identifier: GPL-2.0
/* Would share sm at another version. */
#define TPM_STACKED
#define TPM_STATES	&sv, &sm
#define TPM_SM_VERSION	2
#define TPM_REPLACE	false
#include "tpm.h"
