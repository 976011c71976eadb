// SPDX-License-Identifier: GPL-2.0
/* Has the one state that tp_rawm has, at version 2. */
#define TPM_LONE
#define TPM_VERSION	2
#define TPM_STATES	&rm
#include "tpm.h"
