// SPDX-License-Identifier: GPL-2.0
/* As tp_m2, with ways back to version 1. */
#define TPM_VERSION	2
#define TPM_BACK
#include "tpm.h"
