// SPDX-License-Identifier: GPL-2.0
/* ma at version 3, and no way to it. */
#define TPM_MA		.object = "tp_mod1", .version = 3
#include "tpm.h"
