// SPDX-License-Identifier: GPL-2.0
/*
 * A livepatch without the SDK that has the state of tp_mw1, bound to tp_mod1. It
 * copies the predecessor's pointer as the kernel's documentation says, and takes
 * care where that does not: klp_get_prev_state() may be called in a transition
 * only, which the own function tells.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "tp_raw.h"
#include "tpm-types.h"

#define say(fn)	pr_info("tp: " KBUILD_MODNAME " rm " fn "\n")

static int rawm_mod1_show(struct seq_file *m, void *v)
{
	seq_printf(m, "patch=%s live=0 data=1\n", KBUILD_MODNAME);
	return 0;
}

static int rawm_show(struct seq_file *m, void *v)
{
	seq_printf(m, "patch=%s\n", KBUILD_MODNAME);
	return 0;
}

static struct klp_func mod1_funcs[] = {
	{ .old_name = "tp_mod1_show", .new_func = rawm_mod1_show },
	{ }
};

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = rawm_show },
	{ }
};

static struct klp_state states[] = {
	{ .id = 221, .version = 1 },
	{ }
};

static int get_state(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "0x%lx\n", (unsigned long)&states[0]);
}

static const struct kernel_param_ops state_ops = {
	.get = get_state,
};
module_param_cb(state, &state_ops, NULL, 0400);

static struct tpm_v1 *inherits(void)
{
	struct klp_state *prev;

	prev = mod1_funcs[0].transition ? klp_get_prev_state(221) : NULL;
	return prev ? prev->data : NULL;
}

static int make(void)
{
	struct tpm_v1 *d;

	d = klp_sdk_kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return -ENOMEM;
	d->buf = klp_sdk_kzalloc(TPM_BUF, GFP_KERNEL);
	if (!d->buf) {
		kfree(d);
		return -ENOMEM;
	}
	strscpy(d->buf, "rm", TPM_BUF);
	d->magic = TPM_MAGIC;
	states[0].data = d;
	return 0;
}

/* Read before the module's init. */
static int early_set(const char *val, const struct kernel_param *kp)
{
	return make();
}

static const struct kernel_param_ops early_ops = {
	.set = early_set,
};
module_param_cb(early, &early_ops, NULL, 0);
MODULE_PARM_DESC(early, "have data before tp_mod1 is loaded");

static int pre_patch(struct klp_object *obj)
{
	if (states[0].data || inherits())
		return 0;
	say("pre_patch");
	return make();
}

static void post_patch(struct klp_object *obj)
{
	struct tpm_v1 *d = states[0].data;

	if (!d) {
		states[0].data = klp_get_prev_state(221)->data;
		return;
	}
	say("post_patch");
	d->made++;
}

static void pre_unpatch(struct klp_object *obj)
{
	struct tpm_v1 *d = states[0].data;

	say("pre_unpatch");
	if (--d->made || d->magic != TPM_MAGIC || strcmp(d->buf, "rm"))
		pr_err("tp: " KBUILD_MODNAME " BAD rm\n");
}

static void post_unpatch(struct klp_object *obj)
{
	struct tpm_v1 *d = states[0].data;

	/* A reversed enable that would have inherited has nothing. */
	if (!d)
		return;
	say("post_unpatch");
	kfree(d->buf);
	kfree(d);
	states[0].data = NULL;
}

static struct klp_object objs[] = {
	{
		.funcs = funcs,
	}, {
		.name = "tp_mod1",
		.funcs = mod1_funcs,
		.callbacks = TP_RAW_CALLBACKS,
	}, { }
};

TP_RAW_PATCH(objs, states, true);

static int get_patch(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "0x%lx\n", (unsigned long)&patch);
}

static const struct kernel_param_ops patch_ops = {
	.get = get_patch,
};
module_param_cb(patch, &patch_ops, NULL, 0400);

MODULE_DESCRIPTION("klp-sdk test: a raw livepatch with a state of a module");
MODULE_LICENSE("GPL");
