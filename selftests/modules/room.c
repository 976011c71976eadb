// SPDX-License-Identifier: GPL-2.0
/*
 * Patches of one state, which grows in place. ROOM_VERSION is 1 or 2. Version 2 has
 * ways back to version 1: with ROOM_BACK the right one, which releases what has no
 * place there, with ROOM_WRONG one that makes another size than version 1 has.
 * ROOM_OBJECT is what the state is bound to, if anything; with ROOM_STACK patches
 * share it, and do not replace each other. ROOM_LARGE makes version 1 larger.
 */
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <klp-sdk/klp-sdk.h>

/* Read by inject.h in the engine's objects. */
extern int tp_fail_alloc;
int tp_fail_alloc;

#define ROOM_NOTE	16
#define say(fn)		pr_info("tp: " KBUILD_MODNAME " room " fn "\n")

struct room_v1 {
	long uses;
#ifdef ROOM_LARGE
	char more[72];
#endif
};

struct room_v2 {
	long uses;
	char *note;
};

struct room_other {
	long uses[3];
};

#if ROOM_VERSION == 1
#define ROOM_T	struct room_v1
#else
#define ROOM_T	struct room_v2

static inline char *room_note(void)
{
	char *note = klp_sdk_kzalloc(ROOM_NOTE, GFP_KERNEL | __GFP_NOFAIL);

	strscpy(note, "room", ROOM_NOTE);
	return note;
}

static void room_from_v1(struct room_v2 *r)
{
	say("grow");
	r->note = room_note();
}

KLP_SDK_GROW(room_v1, 1, struct room_v1, struct room_v2, note, room_from_v1);
#endif

#ifdef ROOM_BACK
static void room_release(struct room_v2 *r)
{
	say("release");
	kfree(r->note);
	r->note = NULL;
}

KLP_SDK_GROW_BACK(room_to_v1, 1, struct room_v1, struct room_v2, note, room_release);
#elif defined(ROOM_WRONG)
static void room_convert(struct room_other *r, const struct room_v2 *newer)
{
	say("BAD convert");
}

KLP_SDK_CONVERT_BACK(room_to_v1, 1, struct room_other, struct room_v2, room_convert);
#endif

static int room_pre_patch(ROOM_T *r)
{
	say("pre_patch");
#if ROOM_VERSION == 2
	r->note = room_note();
#endif
	return 0;
}

static void room_post_unpatch(ROOM_T *r)
{
	say("post_unpatch");
#if ROOM_VERSION == 2
	kfree(r->note);
#endif
}

KLP_SDK_STATE(room, ROOM_T,
	      .id		= KLP_SDK_STATE_ID(ROOM_ID),
	      .version		= ROOM_VERSION,
	      .reserve		= 96,
#ifdef ROOM_OBJECT
	      .object		= ROOM_OBJECT,
#endif
#ifdef ROOM_STACK
	      .stackable	= true,
#endif
#if ROOM_VERSION == 2
	      .grow		= { KLP_SDK_FROM(room_v1) },
#endif
#if defined(ROOM_BACK) || defined(ROOM_WRONG)
	      .back		= { KLP_SDK_TO(room_to_v1) },
#endif
	      .pre_patch	= room_pre_patch,
	      .post_unpatch	= room_post_unpatch);

static int room_show(struct seq_file *m, void *v)
{
	ROOM_T *r = klp_sdk_live(room);

	/* Where a task may be held. */
	seq_printf(m, "patch=%s", KBUILD_MODNAME);
	seq_printf(m, " room=%px uses=%ld", r, r ? ++r->uses : -1);
#if ROOM_VERSION == 2
	seq_printf(m, " note=%s", r && r->note ? r->note : "-");
#endif
	seq_puts(m, "\n");
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = room_show },
	{ }
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, funcs)),
	      .states	= KLP_SDK_STATES(&room),
#ifndef ROOM_STACK
	      .replace	= true
#endif
	      );

MODULE_DESCRIPTION("klp-sdk test patch");
MODULE_LICENSE("GPL");
