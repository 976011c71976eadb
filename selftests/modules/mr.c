// SPDX-License-Identifier: GPL-2.0
/* Takes ma away for good. */
#define TPM_MA		.object = "tp_mod1", .version = 1, .retire = true
#include "tpm.h"
