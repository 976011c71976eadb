// SPDX-License-Identifier: GPL-2.0
/* Version 1: counts breakpoints of programs in a notifier. */
#include "traps.h"

/* Runs on any CPU at any time, patched or not: it uses the data, no reader. */
static int traps_notify(struct notifier_block *nb, unsigned long event,
			void *args)
{
	struct traps *s = container_of(nb, struct traps, nb);

	if (traps_is_breakpoint(event, args)) {
		atomic_long_inc(&s->seen);
		WRITE_ONCE(s->counted_by, 1);
	}
	return NOTIFY_DONE;
}

static int traps_pre_patch(struct traps *s)
{
	s->nb.notifier_call = traps_notify;
	return 0;
}

static void traps_post_patch(struct traps *s)
{
	register_die_notifier(&s->nb);
}

/* Waits for those who are in the notifier. */
static void traps_pre_unpatch(struct traps *s)
{
	unregister_die_notifier(&s->nb);
}

/* From a patch with the same version of the state: version 2, when one goes back. */
static void traps_adopt(struct traps *s, const void *old)
{
	WRITE_ONCE(s->nb.notifier_call, traps_notify);
	/* For those who have read the old address, see version 2. */
	synchronize_rcu();
}

KLP_SDK_STATE(traps, struct traps,
	      .id		= TRAPS_STATE,
	      .version		= 1,
	      .pre_patch	= traps_pre_patch,
	      .post_patch	= traps_post_patch,
	      .pre_unpatch	= traps_pre_unpatch,
	      .adopt		= traps_adopt);

static int v1_cmdline_proc_show(struct seq_file *m, void *v)
{
	struct traps *s = klp_sdk_live(traps);

	seq_puts(m, "patch=v1");
	if (s)
		seq_printf(m, " traps=%ld by=%d", atomic_long_read(&s->seen),
			   READ_ONCE(s->counted_by));
	seq_puts(m, "\n");
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = v1_cmdline_proc_show },
	{ }
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, funcs)),
	      .states	= KLP_SDK_STATES(&traps),
	      .replace	= true);

MODULE_DESCRIPTION("klp-sdk example: a notifier that survives upgrades, version 1");
MODULE_LICENSE("GPL");
