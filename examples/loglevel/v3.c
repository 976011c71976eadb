// SPDX-License-Identifier: GPL-2.0
/*
 * Version 3: the states are those of version 2 and are handed over as they are.
 * adopt counts how often that happened.
 */
#include "loglevel.h"

static void loglevel_post_patch(struct loglevel *s)
{
	s->saved = console_loglevel;
	s->raised = CONSOLE_LOGLEVEL_MOTORMOUTH;
	console_loglevel = s->raised;
}

static void loglevel_pre_unpatch(struct loglevel *s)
{
	console_loglevel = s->saved;
}

static void loglevel_from_v1(struct loglevel *s, const struct loglevel_v1 *old)
{
	s->saved = old->saved;
	s->raised = console_loglevel;
}

static void loglevel_adopt(struct loglevel *s, const void *old)
{
	s->handovers++;
}

KLP_SDK_CONVERT(loglevel_v1, 1, struct loglevel_v1, struct loglevel,
		loglevel_from_v1);

/* And the way back, should version 1 have to take this one's place. */
static void loglevel_to_v1(struct loglevel_v1 *old, const struct loglevel *s)
{
	old->saved = s->saved;
}

KLP_SDK_CONVERT_BACK(loglevel_to_v1, 1, struct loglevel_v1, struct loglevel,
		     loglevel_to_v1);

KLP_SDK_STATE(loglevel, struct loglevel,
	      .id		= LOGLEVEL_STATE,
	      .version		= 2,
	      .convert		= { KLP_SDK_FROM(loglevel_v1) },
	      .back		= { KLP_SDK_TO(loglevel_to_v1) },
	      .post_patch	= loglevel_post_patch,
	      .pre_unpatch	= loglevel_pre_unpatch,
	      .adopt		= loglevel_adopt);

static void reads_from_v1(struct reads *s)
{
	WRITE_ONCE(s->before, atomic_long_read(&s->total));
}

KLP_SDK_GROW(reads_v1, 1, struct reads_v1, struct reads, before,
	     reads_from_v1);

/* The newer fields have nothing that must be released. */
static void reads_to_v1(struct reads *s)
{
}

KLP_SDK_GROW_BACK(reads_to_v1, 1, struct reads_v1, struct reads, before,
		  reads_to_v1);

KLP_SDK_STATE(reads, struct reads,
	      .id		= READS_STATE,
	      .version		= 2,
	      .reserve		= 64,
	      .grow		= { KLP_SDK_FROM(reads_v1) },
	      .back		= { KLP_SDK_TO(reads_to_v1) });

static int v3_cmdline_proc_show(struct seq_file *m, void *v)
{
	struct loglevel *s = klp_sdk_live(loglevel);
	struct reads *r = klp_sdk_data(reads);

	seq_printf(m, "patch=v3 live=%d reads=%ld before=%ld", !!s,
		   atomic_long_inc_return(&r->total), READ_ONCE(r->before));
	if (s)
		seq_printf(m, " saved=%d raised=%d handovers=%u", s->saved,
			   s->raised, s->handovers);
	seq_puts(m, "\n");
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = v3_cmdline_proc_show },
	{ }
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, funcs)),
	      .states	= KLP_SDK_STATES(&loglevel, &reads),
	      .replace	= true);

MODULE_DESCRIPTION("klp-sdk example: a log level that survives upgrades, version 3");
MODULE_LICENSE("GPL");
