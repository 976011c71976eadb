// SPDX-License-Identifier: GPL-2.0
/* mb has no room to grow. */
#define TPM_MB_RESERVE	0
#include "tpm.h"
