// SPDX-License-Identifier: GPL-2.0
/* Two states share one conversion. */
#define TPM_VERSION	2
#define TPM_ONE_CONVERSION
#include "tpm.h"
