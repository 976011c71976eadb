// SPDX-License-Identifier: GPL-2.0
/* Has the one state that tp_rawm has. */
#define TPM_LONE
#define TPM_STATES	&rm
#include "tpm.h"
