// SPDX-License-Identifier: GPL-2.0
/* Version 1: raises the console's log level and counts reads of /proc/cmdline. */
#include "loglevel.h"

static void loglevel_post_patch(struct loglevel_v1 *s)
{
	s->saved = console_loglevel;
	console_loglevel = CONSOLE_LOGLEVEL_MOTORMOUTH;
}

static void loglevel_pre_unpatch(struct loglevel_v1 *s)
{
	console_loglevel = s->saved;
}

KLP_SDK_STATE(loglevel, struct loglevel_v1,
	      .id		= LOGLEVEL_STATE,
	      .version		= 1,
	      .post_patch	= loglevel_post_patch,
	      .pre_unpatch	= loglevel_pre_unpatch);

KLP_SDK_STATE(reads, struct reads_v1,
	      .id		= READS_STATE,
	      .version		= 1,
	      .reserve		= 64);

static int v1_cmdline_proc_show(struct seq_file *m, void *v)
{
	struct loglevel_v1 *s = klp_sdk_live(loglevel);
	long reads = atomic_long_inc_return(&klp_sdk_data(reads)->total);

	seq_printf(m, "patch=v1 live=%d reads=%ld", !!s, reads);
	if (s)
		seq_printf(m, " saved=%d", s->saved);
	seq_puts(m, "\n");
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = v1_cmdline_proc_show },
	{ }
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, funcs)),
	      .states	= KLP_SDK_STATES(&loglevel, &reads),
	      .replace	= true);

MODULE_DESCRIPTION("klp-sdk example: a log level that survives upgrades, version 1");
MODULE_LICENSE("GPL");
