// SPDX-License-Identifier: GPL-2.0
/* As tp_mw1. */
#define TPM_LONE
#define TPM_STATES	&rm
#include "tpm.h"
