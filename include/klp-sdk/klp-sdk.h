/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one header that a patch module includes.
 */
#ifndef _KLP_SDK_H
#define _KLP_SDK_H

#include <klp-sdk/lasting.h>
#include <klp-sdk/patch.h>
#include <klp-sdk/shadow.h>
#include <klp-sdk/sparse.h>
#include <klp-sdk/state.h>
#include <klp-sdk/version.h>

#endif /* _KLP_SDK_H */
