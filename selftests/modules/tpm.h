/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test patches with eight states over three objects. Each source sets what
 * differs and includes this file.
 *
 *   vmlinux	va (201) is converted, vb (205) grows, vc (208) stays as it is
 *   tp_mod1	ma (202) is converted, mb (203) grows, mc (207) stays as it is
 *   tp_mod2	na (204) stays as it is, nb (206) is converted
 *
 * TPM_VERSION	of those that change, 1 unless set, or 2
 * TPM_STATES	what the patch lists, all unless set
 * TPM_MA	properties of ma that differ
 * TPM_VERSION_SHOW	change a function that no other patch does: /proc/version. The
 *		core may not be asked to reverse the disable of a patch that lies
 *		below another one with the same function.
 *
 * TPM_BACK	version 2 has ways back to version 1
 *
 * TPM_STACKED	two other states that patches share, of which sm is of tp_mod1
 * TPM_LONE	one other state of tp_mod1
 *
 * Each state owns a buffer and counts in @made how often the change was made:
 * never but once at a time. Like those of tp.h the functions say that they run.
 */
#ifndef _TPM_H
#define _TPM_H

#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <klp-sdk/klp-sdk.h>

#include "tpm-types.h"

#ifndef TPM_VERSION
#define TPM_VERSION	1
#endif
#ifndef TPM_STATES
#define TPM_STATES	&va, &ma, &mb, &na, &vb, &nb, &mc, &vc
#endif
#ifndef TPM_MA
#define TPM_MA		.object = "tp_mod1", .version = TPM_VERSION
#endif
#ifndef TPM_MB_RESERVE
#define TPM_MB_RESERVE	64
#endif
#ifndef TPM_SM_VERSION
#define TPM_SM_VERSION	1
#endif
#ifndef TPM_REPLACE
#define TPM_REPLACE	true
#endif

#if TPM_VERSION == 1
#define TPM_CONVERTED	tpm_v1
#define TPM_GROWN	tpm_v1
#else
#define TPM_CONVERTED	tpm_v2
#define TPM_GROWN	tpm_g2
#endif

/* Read by inject.h in the engine's objects. */
extern int tp_fail_alloc;
int tp_fail_alloc;
module_param_named(fail_alloc, tp_fail_alloc, int, 0644);
MODULE_PARM_DESC(fail_alloc, "which allocation of the engine fails");

static char tpm_fail_state[8];
module_param_string(fail_state, tpm_fail_state, sizeof(tpm_fail_state), 0644);
MODULE_PARM_DESC(fail_state, "the state whose pre_patch fails");

#define tpm_say(fmt, ...)	pr_info("tp: " KBUILD_MODNAME " " fmt "\n", ##__VA_ARGS__)
#define tpm_bad(fmt, ...)	pr_err("tp: " KBUILD_MODNAME " BAD " fmt "\n", ##__VA_ARGS__)

static inline int tpm_pre_patch(const char *state, u32 *magic, char **buf)
{
	tpm_say("%s pre_patch", state);
	if (sysfs_streq(tpm_fail_state, state))
		return -ENODEV;
	*buf = klp_sdk_kzalloc(TPM_BUF, GFP_KERNEL);
	if (!*buf)
		return -ENOMEM;
	strscpy(*buf, state, TPM_BUF);
	*magic = TPM_MAGIC;
	return 0;
}

static inline void tpm_made(const char *state, const char *fn, u32 magic,
			    const char *buf, int made, int want)
{
	tpm_say("%s %s", state, fn);
	if (magic != TPM_MAGIC || strcmp(buf, state) || made != want)
		tpm_bad("%s %s: magic %x buf %s made %d", state, fn, magic,
			magic == TPM_MAGIC ? buf : "?", made);
}

/* The functions of state @_s with data of struct @_tag, and how they are declared. */
#define TPM_FNS(_s, _tag)							\
	static int _s##_pre_patch(struct _tag *d)				\
	{								\
		return tpm_pre_patch(#_s, &d->magic, &d->buf);		\
	}								\
	static void _s##_post_patch(struct _tag *d)				\
	{								\
		tpm_made(#_s, "post_patch", d->magic, d->buf, ++d->made, 1); \
	}								\
	static void _s##_pre_unpatch(struct _tag *d)				\
	{								\
		tpm_made(#_s, "pre_unpatch", d->magic, d->buf, --d->made, 0); \
	}								\
	static void _s##_post_unpatch(struct _tag *d)				\
	{								\
		tpm_made(#_s, "post_unpatch", d->magic, d->buf, d->made, 0); \
		kfree(d->buf);						\
		d->buf = NULL;						\
	}								\
	static __maybe_unused void _s##_adopt(struct _tag *d, const void *old)	\
	{								\
		tpm_made(#_s, "adopt", d->magic, d->buf, d->made, 1);	\
	}

#define TPM_DECL(_s)							\
	.pre_patch	= _s##_pre_patch,				\
	.post_patch	= _s##_post_patch,				\
	.pre_unpatch	= _s##_pre_unpatch,				\
	.post_unpatch	= _s##_post_unpatch

#if TPM_VERSION == 2
static void tpm_from_v1(struct tpm_v2 *d, const struct tpm_v1 *old)
{
	d->magic = old->magic;
	d->made = old->made;
	d->buf = old->buf;
	d->hits = old->hits;
	d->from = 1;
}

static __maybe_unused void tpm_grow(struct tpm_g2 *d)
{
	d->before = d->hits;
}

KLP_SDK_CONVERT(tpm_v1, 1, struct tpm_v1, struct tpm_v2, tpm_from_v1);
#ifndef TPM_LONE
KLP_SDK_CONVERT(tpm_v1_ma, 1, struct tpm_v1, struct tpm_v2, tpm_from_v1);
#ifndef TPM_ONE_CONVERSION
KLP_SDK_CONVERT(tpm_v1_nb, 1, struct tpm_v1, struct tpm_v2, tpm_from_v1);
#endif
KLP_SDK_GROW(tpm_g1, 1, struct tpm_v1, struct tpm_g2, before, tpm_grow);
#endif
#ifdef TPM_BACK
static void tpm_to_v1(struct tpm_v1 *d, const struct tpm_v2 *newer)
{
	d->magic = newer->magic;
	d->made = newer->made;
	d->buf = newer->buf;
	d->hits = newer->hits;
}

static void tpm_shrink(struct tpm_g2 *d)
{
	if (d->magic != TPM_MAGIC)
		pr_err("tp: " KBUILD_MODNAME " BAD shrink\n");
}

KLP_SDK_CONVERT_BACK(tpm_to_v1, 1, struct tpm_v1, struct tpm_v2, tpm_to_v1);
KLP_SDK_GROW_BACK(tpm_shrink, 1, struct tpm_v1, struct tpm_g2, before,
		  tpm_shrink);
#define TPM_TO		.back = { KLP_SDK_TO(tpm_to_v1) },
#define TPM_SHRINK	.back = { KLP_SDK_TO(tpm_shrink) },
#else
#define TPM_TO
#define TPM_SHRINK
#endif
#define TPM_FROM	TPM_TO .convert = { KLP_SDK_FROM(tpm_v1) },
#define TPM_FROM_MA	TPM_TO .convert = { KLP_SDK_FROM(tpm_v1_ma) },
#ifdef TPM_ONE_CONVERSION
#define TPM_FROM_NB	TPM_FROM_MA
#else
#define TPM_FROM_NB	TPM_TO .convert = { KLP_SDK_FROM(tpm_v1_nb) },
#endif
#define TPM_GROW	TPM_SHRINK .grow = { KLP_SDK_FROM(tpm_g1) }
#else
#define TPM_FROM
#define TPM_FROM_MA
#define TPM_FROM_NB
#define TPM_GROW	.stackable = false
#endif

#if !defined(TPM_STACKED) && !defined(TPM_LONE)
TPM_FNS(va, TPM_CONVERTED)
KLP_SDK_STATE(va, struct TPM_CONVERTED, .id = KLP_SDK_STATE_ID(201),
	      .version = TPM_VERSION, TPM_FROM TPM_DECL(va),
	      .adopt = va_adopt);
TPM_FNS(vb, TPM_GROWN)
KLP_SDK_STATE(vb, struct TPM_GROWN, .id = KLP_SDK_STATE_ID(205),
	      .version = TPM_VERSION, TPM_GROW, .reserve = 64, TPM_DECL(vb),
	      .adopt = vb_adopt);

#ifndef TPM_FEW
TPM_FNS(ma, TPM_CONVERTED)
KLP_SDK_STATE(ma, struct TPM_CONVERTED, .id = KLP_SDK_STATE_ID(202), TPM_MA,
	      TPM_FROM_MA TPM_DECL(ma), .adopt = ma_adopt);
TPM_FNS(na, tpm_v1)
KLP_SDK_STATE(na, struct tpm_v1, .id = KLP_SDK_STATE_ID(204),
	      .object = "tp_mod2", .version = 1, TPM_DECL(na),
	      .adopt = na_adopt);
TPM_FNS(vc, tpm_v1)
KLP_SDK_STATE(vc, struct tpm_v1, .id = KLP_SDK_STATE_ID(208),
	      .version = 1, TPM_DECL(vc), .adopt = vc_adopt);
#endif

TPM_FNS(mb, TPM_GROWN)
KLP_SDK_STATE(mb, struct TPM_GROWN, .id = KLP_SDK_STATE_ID(203),
	      .object = "tp_mod1", .version = TPM_VERSION, TPM_GROW,
	      .reserve = TPM_MB_RESERVE, TPM_DECL(mb), .adopt = mb_adopt);
TPM_FNS(nb, TPM_CONVERTED)
KLP_SDK_STATE(nb, struct TPM_CONVERTED, .id = KLP_SDK_STATE_ID(206),
	      .object = "tp_mod2", .version = TPM_VERSION,
	      TPM_FROM_NB TPM_DECL(nb), .adopt = nb_adopt);
TPM_FNS(mc, tpm_v1)
KLP_SDK_STATE(mc, struct tpm_v1, .id = KLP_SDK_STATE_ID(207),
	      .object = "tp_mod1", .version = 1, TPM_DECL(mc),
	      .adopt = mc_adopt);
#define TPM_LIVE	klp_sdk_live(mc)
#define TPM_DATA	klp_sdk_data(mc)
#define TPM_VM_LIVE	klp_sdk_live(vb)
#define TPM_VM_DATA	klp_sdk_data(vb)

#elif defined(TPM_LONE) /* the state that tp_rawm has as well */
TPM_FNS(rm, TPM_CONVERTED)
KLP_SDK_STATE(rm, struct TPM_CONVERTED, .id = KLP_SDK_STATE_ID(221),
	      .object = "tp_mod1", .version = TPM_VERSION,
	      TPM_FROM TPM_DECL(rm), .adopt = rm_adopt);
#define TPM_LIVE	klp_sdk_live(rm)
#define TPM_DATA	true

#else /* TPM_STACKED: two states that patches share */
TPM_FNS(sv, tpm_v1)
KLP_SDK_STATE(sv, struct tpm_v1, .id = KLP_SDK_STATE_ID(211), .version = 1,
	      .stackable = true, TPM_DECL(sv));
TPM_FNS(sm, tpm_v1)
static bool sm_live(void);

static void sm_make(struct tpm_v1 *d)
{
	if (sm_live())
		tpm_bad("sm is live before post_patch");
	sm_post_patch(d);
}

KLP_SDK_STATE(sm, struct tpm_v1, .id = KLP_SDK_STATE_ID(212),
	      .version = TPM_SM_VERSION, .object = "tp_mod1",
	      .stackable = true, .pre_patch = sm_pre_patch,
	      .post_patch = sm_make, .pre_unpatch = sm_pre_unpatch,
	      .post_unpatch = sm_post_unpatch);

static bool sm_live(void)
{
	return klp_sdk_live(sm);
}

#define TPM_LIVE	klp_sdk_live(sm)
#define TPM_DATA	klp_sdk_data(sm)
#define TPM_VM_LIVE	klp_sdk_live(sv)
#define TPM_VM_DATA	klp_sdk_data(sv)
#endif

/* In place of cmdline_proc_show(), where the tests hold a task. */
static int tpm_show(struct seq_file *m, void *v)
{
	seq_printf(m, "patch=%s", KBUILD_MODNAME);
#ifdef TPM_VM_LIVE
	seq_printf(m, " made=%d hits=%ld buf=%s",
		   TPM_VM_LIVE ? TPM_VM_LIVE->made : -1,
		   ++TPM_VM_DATA->hits, TPM_VM_DATA->buf);
#endif
#if TPM_VERSION == 2 && !defined(TPM_LONE) && !defined(TPM_STACKED)
	rcu_read_lock();
	seq_printf(m, " prev_ma=%d", !!klp_sdk_prev(tpm_v1_ma));
	rcu_read_unlock();
#endif
	seq_puts(m, "\n");
	return 0;
}

/* In place of tp_mod1_show(). */
static int tpm_mod1_show(struct seq_file *m, void *v)
{
	typeof(TPM_LIVE) d = TPM_LIVE;

	seq_printf(m, "patch=%s live=%d data=%d", KBUILD_MODNAME, !!d,
		   !!TPM_DATA);
	if (d)
		seq_printf(m, " magic=%d made=%d hits=%ld buf=%s",
			   d->magic == TPM_MAGIC, d->made, ++d->hits, d->buf);
	seq_puts(m, "\n");
	return 0;
}

static struct klp_func tpm_funcs[] = {
#ifdef TPM_VERSION_SHOW
	{ .old_name = "version_proc_show", .new_func = tpm_show },
#else
	{ .old_name = "cmdline_proc_show", .new_func = tpm_show },
#endif
	{ }
};

static __maybe_unused struct klp_func tpm_mod1_funcs[] = {
	{ .old_name = "tp_mod1_show", .new_func = tpm_mod1_show },
	{ }
};

#ifdef TPM_VERSION_SHOW
#define TPM_OBJECTS	KLP_SDK_OBJECT(NULL, tpm_funcs)
#else
#define TPM_OBJECTS	KLP_SDK_OBJECT(NULL, tpm_funcs), \
			KLP_SDK_OBJECT("tp_mod1", tpm_mod1_funcs)
#endif

/* Nothing for tp_mod2: its object is there for its states only. */
KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(TPM_OBJECTS),
	      .states	= KLP_SDK_STATES(TPM_STATES),
	      .replace	= TPM_REPLACE);

MODULE_DESCRIPTION("klp-sdk test patch");
MODULE_LICENSE("GPL");

#endif /* _TPM_H */
