// SPDX-License-Identifier: GPL-2.0
/* Three states are converted, two grow. */
#define TPM_VERSION	2
#include "tpm.h"
