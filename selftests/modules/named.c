// SPDX-License-Identifier: GPL-2.0
/*
 * Patches whose pre_patch takes what exists only once in the system, a device number.
 * Several are built of this file: NAMED_VERSION is 1 or 2, NAMED_BACK gives version 2
 * a way back to version 1, and with NAMED_STACK it does not replace others.
 */
#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <klp-sdk/klp-sdk.h>

/* Read by inject.h in the engine's objects. */
extern int tp_fail_alloc;
int tp_fail_alloc;

#define NAMED_DEV	MKDEV(234, 56)
#define say(fmt, ...)	pr_info("tp: " KBUILD_MODNAME " number " fmt "\n", ##__VA_ARGS__)

struct number_v1 {
	dev_t dev;
	int owners;
};

/* The note has no place in version 1. */
struct number_v2 {
	int owners;
	dev_t dev;
	char *note;
};

/* A second state, which grows. */
struct room_v1 {
	long uses;
};

struct room_v2 {
	long uses;
	char *note;
};

static inline char *new_note(const char *text)
{
	char *note = klp_sdk_kzalloc(16, GFP_KERNEL | __GFP_NOFAIL);

	strscpy(note, text, 16);
	return note;
}

#if NAMED_VERSION == 1
#define NUMBER_T	struct number_v1
#define ROOM_T		struct room_v1
#else
#define NUMBER_T	struct number_v2
#define ROOM_T		struct room_v2

static void number_from_v1(struct number_v2 *n, const struct number_v1 *old)
{
	n->dev = old->dev;
	n->owners = old->owners;
	n->note = new_note("number");
	say("convert from=1");
}

static void room_from_v1(struct room_v2 *r)
{
	r->note = new_note("room");
}

KLP_SDK_GROW(room_v1, 1, struct room_v1, struct room_v2, note, room_from_v1);

KLP_SDK_CONVERT(number_v1, 1, struct number_v1, struct number_v2, number_from_v1);
#endif

#ifdef NAMED_BACK
static void number_to_v1(struct number_v1 *n, const struct number_v2 *newer)
{
	n->dev = newer->dev;
	n->owners = newer->owners;
	say("convert to=1 zeroed=%d", !n->owners || n->owners == newer->owners);
}

static void number_release(struct number_v2 *newer)
{
	say("release");
	kfree(newer->note);
}

KLP_SDK_CONVERT_BACK_RELEASE(number_to_v1, 1, struct number_v1,
			     struct number_v2, number_to_v1, number_release);

static void room_release(struct room_v2 *r)
{
	kfree(r->note);
}

KLP_SDK_GROW_BACK(room_to_v1, 1, struct room_v1, struct room_v2, note,
		  room_release);
#endif

static int number_pre_patch(NUMBER_T *n)
{
	n->dev = NAMED_DEV;
#if NAMED_VERSION == 2
	n->note = new_note("number");
#endif
	return register_chrdev_region(n->dev, 1, "tp_named");
}

static void number_post_unpatch(NUMBER_T *n)
{
	say("post_unpatch owners=%d", n->owners);
#if NAMED_VERSION == 2
	kfree(n->note);
#endif
	unregister_chrdev_region(n->dev, 1);
}

static void number_adopt(NUMBER_T *n, const void *old)
{
	n->owners++;
	say("adopt owners=%d", n->owners);
}

KLP_SDK_STATE(number, NUMBER_T,
	      .id		= KLP_SDK_STATE_ID(232),
	      .version		= NAMED_VERSION,
#if NAMED_VERSION == 2
	      .convert		= { KLP_SDK_FROM(number_v1) },
#endif
#ifdef NAMED_BACK
	      .back		= { KLP_SDK_TO(number_to_v1) },
	      .permanent	= true,
#endif
	      .pre_patch	= number_pre_patch,
	      .post_unpatch	= number_post_unpatch,
	      .adopt		= number_adopt);

#if NAMED_VERSION == 2
static int room_pre_patch(struct room_v2 *r)
{
	r->note = new_note("room");
	return 0;
}

static void room_post_unpatch(struct room_v2 *r)
{
	kfree(r->note);
}
#endif

KLP_SDK_STATE(room, ROOM_T,
	      .id		= KLP_SDK_STATE_ID(233),
	      .reserve		= 32,
#if NAMED_VERSION == 2
	      .grow		= { KLP_SDK_FROM(room_v1) },
	      .pre_patch	= room_pre_patch,
	      .post_unpatch	= room_post_unpatch,
#endif
#ifdef NAMED_BACK
	      .back		= { KLP_SDK_TO(room_to_v1) },
#endif
	      .version		= NAMED_VERSION);

static int named_show(struct seq_file *m, void *v)
{
	const NUMBER_T *n = klp_sdk_live(number);
	ROOM_T *r = klp_sdk_data(room);

	/* Where a task may be held. */
	seq_printf(m, "patch=%s", KBUILD_MODNAME);
	seq_printf(m, " owners=%d dev=%d uses=%ld", n ? n->owners : -1,
		   n && n->dev == NAMED_DEV, ++r->uses);
#if NAMED_VERSION == 2
	seq_printf(m, " note=%s room=%s", n ? n->note : "-", r->note);
#endif
	seq_puts(m, "\n");
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = named_show },
	{ }
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, funcs)),
	      .states	= KLP_SDK_STATES(&number, &room),
#ifndef NAMED_STACK
	      .replace	= true
#endif
	      );

MODULE_DESCRIPTION("klp-sdk test patch");
MODULE_LICENSE("GPL");
