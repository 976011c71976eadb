// SPDX-License-Identifier: GPL-2.0
/* ma is bound to another module. */
#define TPM_MA		.object = "tp_mod2", .version = 1
#include "tpm.h"
