// SPDX-License-Identifier: GPL-2.0
/* Does not replace the patch that holds its states. */
#define TPM_REPLACE	false
#include "tpm.h"
