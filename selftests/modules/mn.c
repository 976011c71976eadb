// SPDX-License-Identifier: GPL-2.0
/* ma has a name that no module has. */
#define TPM_MA		.object = "tp-mod1", .version = 1
#include "tpm.h"
