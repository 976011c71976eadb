// SPDX-License-Identifier: GPL-2.0
/* ma is bound to vmlinux. */
#define TPM_MA		.object = NULL, .version = 1
#include "tpm.h"
