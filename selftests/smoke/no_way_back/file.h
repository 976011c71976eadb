/* SPDX-License-Identifier: GPL-2.0 */
/* A file of which there is one. The newer version takes it over, the older does not. */
#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "../raw.h"

static ssize_t smoke_file_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, KBUILD_MODNAME "\n");
}

static struct kobj_attribute smoke_file = __ATTR_RO(smoke_file);

static int make_file(void)
{
	return sysfs_create_file(kernel_kobj, &smoke_file.attr);
}

static void remove_file(void)
{
	sysfs_remove_file(kernel_kobj, &smoke_file.attr);
}
