// SPDX-License-Identifier: GPL-2.0
/* ma is permanent, at version 2. */
#define TPM_VERSION	2
#define TPM_MA		.object = "tp_mod1", .version = 2, .permanent = true
#include "tpm.h"
