/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What spatch is told of the SDK's annotations, which it takes for types where they
 * stand: they are nothing. For its --macro-file; see include/klp-sdk/sparse.h.
 */
#define __klp_sdk_callback
#define __klp_sdk_prev
