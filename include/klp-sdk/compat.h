/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that depends on the version of the kernel, and nothing else.
 *
 * No other file of the SDK tests LINUX_VERSION_CODE, and none but this one
 * touches a field of the livepatch core that livepatch.h marks "internal".
 */
#ifndef _KLP_SDK_COMPAT_H
#define _KLP_SDK_COMPAT_H

#include <linux/kobject.h>
#include <linux/livepatch.h>
#include <linux/version.h>

/*
 * Hard bounds. kernel/livepatch was read from 5.10 to 7.2; a later kernel may
 * drop klp_state.version and .data or move the callbacks, and a patch that
 * merely compiles there could corrupt the system.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "klp-sdk: this kernel is older than 5.10, the oldest that is supported"
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#error "klp-sdk: this kernel is newer than 7.2; get a release of the SDK that knows it"
#endif
#if !IS_ENABLED(CONFIG_LIVEPATCH)
#error "klp-sdk: the kernel of KDIR has no CONFIG_LIVEPATCH; set KDIR to one that has"
#endif

/*
 * The patch that an object belongs to. The core gives callbacks the object
 * only and keeps no pointer to the patch, but klp_init_object() makes the
 * object's kobject a child of the patch's (5.10 to 7.2).
 */
static inline struct klp_patch *klp_sdk_compat_patch(struct klp_object *obj)
{
	return container_of(obj->kobj.parent, struct klp_patch, kobj);
}

/*
 * Is this the enabling of @patch as a whole? __klp_enable_patch() sets
 * ->enabled only after every pre_patch callback has run (5.10 to 7.2), so
 * a pre_patch that finds it set runs for a module that is just coming.
 */
static inline bool klp_sdk_compat_enabling(const struct klp_patch *patch)
{
	return !patch->enabled;
}

#endif /* _KLP_SDK_COMPAT_H */
