// SPDX-License-Identifier: GPL-2.0
/*
 * What is seen after an event, as text for diff and compared: the same text is made of
 * what the sim shows and of what the VM shows.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

static const char *const target_phases[] = { "gone", "coming", "live" };

static void put_ret(struct out *o, int ret)
{
	const char *name = ret < 0 ? strerrorname_np(-ret) : NULL;

	put(o, "%d%s%s", ret, name ? " " : "", name ? name : "");
}

static void put_call(struct out *o, const struct sim_call *call)
{
	put(o, "%s %.*s%s%s", patch_name(call->patch), (int)sizeof(call->state), call->state,
	    *call->state ? " " : "", name_of(fn_names, SIM_NR_FNS, call->fn));
}

static void put_runs(struct out *o, int patch)
{
	put(o, "%s", patch == -2 ? "absent" : patch == -1 ? "original" : patch_name(patch));
}

static void put_record(struct out *o, const struct sim_record *r)
{
	int i;

	put(o, "%s %.*s version %d%s", r->target < 0 ? "vmlinux" :
	    name_of(target_names, SIM_NR_TARGETS, r->target), (int)sizeof(r->name), r->name,
	    r->version, r->forced ? " forced" : "");
	for (i = 0; i < SIM_NR_PATCHES; i++)
		if (r->phase[i])
			put(o, " %s:%s", patch_name(i),
			    name_of(phase_names, SIM_NR_PHASES, r->phase[i]));
}

static int order(const struct sim_record *a, const struct sim_record *b)
{
	int ret = strncmp(a->name, b->name, sizeof(a->name));

	if (!ret)
		ret = a->target - b->target;
	if (!ret)
		ret = a->version - b->version;
	if (!ret)
		ret = !a->forced - !b->forced;
	return ret ? ret : memcmp(a->phase, b->phase, sizeof(a->phase));
}

/* The records of @seen in an order that does not depend on how they are listed */
static int sort_records(const struct sim_seen *seen, const struct sim_record **sorted)
{
	int nr = 0, i;

	for (; nr < seen->nr_records && nr < SIM_MAX_RECORDS; nr++) {
		for (i = nr; i && order(sorted[i - 1], &seen->records[nr]) > 0; i--)
			sorted[i] = sorted[i - 1];
		sorted[i] = &seen->records[nr];
	}
	return nr;
}

static int nr_calls(const struct sim_seen *seen)
{
	return seen->nr_calls < SIM_MAX_CALLS ? seen->nr_calls : SIM_MAX_CALLS;
}

static void put_patches(struct out *o, const struct sim_seen *seen)
{
	int i;

	for (i = 0; i < SIM_NR_PATCHES; i++) {
		if (!seen->loaded[i] && !seen->present[i])
			continue;
		put(o, "patch %s%s refs %d", patch_name(i), seen->loaded[i] ? "" : " unloaded",
		    seen->refs[i]);
		if (seen->present[i])
			put(o, " %s%s", seen->enabled[i] ? "enabled" : "disabled",
			    seen->transition[i] ? " transition" : "");
		put(o, "\n");
	}
}

static void put_values(struct out *o, const struct sim_seen *seen)
{
	int i;

	if (seen->value.there)
		put(o, "value born %d from %d\n", seen->value.born, seen->value.from);
	if (seen->value.nr)
		put(o, "values %d\n", seen->value.nr);
	for (i = 0; i < SIM_NR_TYPES; i++)
		if (seen->dtors[i])
			put(o, "released %d of %s\n", seen->dtors[i], type_names[i]);
}

void text_seen(const struct sim_seen *seen, char *buf, unsigned long size)
{
	const struct sim_record *sorted[SIM_MAX_RECORDS];
	struct out o = out_to(buf, size);
	int i, nr;

	put(&o, "ret ");
	put_ret(&o, seen->ret);
	put(&o, "%s\n", seen->warned ? "\nwarned" : "");
	for (i = 0; i < nr_calls(seen); i++) {
		put(&o, "call ");
		put_call(&o, &seen->calls[i]);
		put(&o, "\n");
	}
	put_patches(&o, seen);
	for (i = 0; i < SIM_NR_TARGETS; i++)
		if (seen->target[i])
			put(&o, "target %s %s refs %d\n", target_names[i],
			    name_of(target_phases, ARRAY_SIZE(target_phases), seen->target[i]),
			    seen->target_refs[i]);
	put(&o, "runs");
	for (i = 0; i < SIM_NR_FUNCS; i++) {
		put(&o, " %s=", func_names[i]);
		put_runs(&o, seen->runs[i]);
	}
	put(&o, "\nlevel %d\n", seen->level);
	put_values(&o, seen);
	if (seen->nr_records < 0)
		put(&o, "records not shown\n");
	nr = sort_records(seen, sorted);
	for (i = 0; i < nr; i++) {
		put(&o, "record ");
		put_record(&o, sorted[i]);
		put(&o, "\n");
	}
}

/*
 * Differences
 */

static int same_call(const struct sim_call *a, const struct sim_call *b)
{
	return a->patch == b->patch && a->fn == b->fn &&
		!strncmp(a->state, b->state, sizeof(a->state));
}

static int calls_differ(const struct sim_seen *want, const struct sim_seen *got, struct out *o)
{
	int nr_want = nr_calls(want), nr_got = nr_calls(got), i = 0;

	while (i < nr_want && i < nr_got && same_call(&want->calls[i], &got->calls[i]))
		i++;
	if (i == nr_want && i == nr_got)
		return 0;
	put(o, "call %d: expected ", i + 1);
	if (i < nr_want)
		put_call(o, &want->calls[i]);
	else
		put(o, "no more");
	put(o, ", got ");
	if (i < nr_got)
		put_call(o, &got->calls[i]);
	else
		put(o, "no more");
	return SIM_DIFF_CALLS;
}

/* Two arrays of a number for each patch, or for each target */
static int numbers_differ(const void *want, const void *got, const char *what, int of_targets,
			  struct out *o)
{
	const signed char *w = want, *g = got;
	int nr = of_targets ? SIM_NR_TARGETS : SIM_NR_PATCHES, i;

	for (i = 0; i < nr; i++) {
		if (w[i] == g[i])
			continue;
		put(o, "%s of %s: expected %d, got %d", what,
		    of_targets ? target_names[i] : patch_name(i), w[i], g[i]);
		return 1;
	}
	return 0;
}

static int modules_differ(const struct sim_seen *want, const struct sim_seen *got,
			  struct out *o)
{
	if (numbers_differ(want->loaded, got->loaded, "loaded", 0, o))
		return SIM_DIFF_LOADED;
	if (numbers_differ(want->refs, got->refs, "references", 0, o))
		return SIM_DIFF_REFS;
	if (numbers_differ(want->present, got->present, "in sysfs", 0, o))
		return SIM_DIFF_PRESENT;
	if (numbers_differ(want->enabled, got->enabled, "enabled", 0, o))
		return SIM_DIFF_ENABLED;
	if (numbers_differ(want->transition, got->transition, "transition", 0, o))
		return SIM_DIFF_TRANSITION;
	if (numbers_differ(want->target, got->target, "state", 1, o))
		return SIM_DIFF_TARGET;
	if (numbers_differ(want->target_refs, got->target_refs, "references", 1, o))
		return SIM_DIFF_TARGET_REFS;
	return 0;
}

static int runs_differ(const struct sim_seen *want, const struct sim_seen *got, struct out *o)
{
	int i;

	for (i = 0; i < SIM_NR_FUNCS; i++) {
		if (want->runs[i] == got->runs[i])
			continue;
		put(o, "function %s that runs: expected ", func_names[i]);
		put_runs(o, want->runs[i]);
		put(o, ", got ");
		put_runs(o, got->runs[i]);
		return SIM_DIFF_RUNS;
	}
	return 0;
}

static int records_differ(const struct sim_seen *want, const struct sim_seen *got,
			  struct out *o)
{
	const struct sim_record *w[SIM_MAX_RECORDS], *g[SIM_MAX_RECORDS];
	int nr_want, nr_got, i = 0;

	if (want->nr_records < 0 ? got->nr_records >= 0 : got->nr_records < 0) {
		put(o, "records: expected %d, got %d (-1: no patch shows them)",
		    want->nr_records, got->nr_records);
		return SIM_DIFF_RECORDS;
	}
	nr_want = sort_records(want, w);
	nr_got = sort_records(got, g);
	while (i < nr_want && i < nr_got && !order(w[i], g[i]))
		i++;
	if (i == nr_want && i == nr_got)
		return 0;
	put(o, "record: expected ");
	if (i < nr_want)
		put_record(o, w[i]);
	else
		put(o, "no more");
	put(o, ", got ");
	if (i < nr_got)
		put_record(o, g[i]);
	else
		put(o, "no more");
	return SIM_DIFF_RECORDS;
}

static int values_differ(const struct sim_seen *want, const struct sim_seen *got,
			 struct out *o)
{
	const struct sim_value *w = &want->value, *g = &got->value;
	int i;

	if (memcmp(w, g, sizeof(*w))) {
		put(o, "value: expected there %d born %d from %d nr %d, got %d %d %d %d", w->there,
		    w->born, w->from, w->nr, g->there, g->born, g->from, g->nr);
		return SIM_DIFF_VALUE;
	}
	for (i = 0; i < SIM_NR_TYPES; i++) {
		if (want->dtors[i] == got->dtors[i])
			continue;
		put(o, "values of %s that are released: expected %d, got %d", type_names[i],
		    want->dtors[i], got->dtors[i]);
		return SIM_DIFF_DTORS;
	}
	return 0;
}

/* What text_differs() finds nearly always: all bytes are equal. */
static int same(const struct sim_seen *a, const struct sim_seen *b)
{
	int nr_records = a->nr_records < 0 ? 0 : a->nr_records;

	if (nr_records > SIM_MAX_RECORDS)
		return 0;
	return a->ret == b->ret && a->warned == b->warned && a->nr_calls == b->nr_calls &&
		a->level == b->level && a->nr_records == b->nr_records &&
		!memcmp(&a->value, &b->value, offsetof(struct sim_seen, level) -
			offsetof(struct sim_seen, value)) &&
		!memcmp(a->calls, b->calls, nr_calls(a) * sizeof(*a->calls)) &&
		!memcmp(a->records, b->records, nr_records * sizeof(*a->records));
}

int text_differs(const struct sim_seen *want, const struct sim_seen *got, char *buf,
		 unsigned long size)
{
	struct out out, *o = &out;
	int ret;

	if (same(want, got))
		return 0;
	out = out_to(buf, size);
	if (got->warned != want->warned) {
		put(o, "warned: expected %d, got %d", want->warned, got->warned);
		return SIM_DIFF_WARNED;
	}
	if (got->ret != want->ret) {
		put(o, "ret: expected ");
		put_ret(o, want->ret);
		put(o, ", got ");
		put_ret(o, got->ret);
		return SIM_DIFF_RET;
	}
	ret = calls_differ(want, got, o);
	if (!ret)
		ret = modules_differ(want, got, o);
	if (!ret)
		ret = runs_differ(want, got, o);
	if (!ret && want->level != got->level) {
		put(o, "level: expected %d, got %d", want->level, got->level);
		ret = SIM_DIFF_LEVEL;
	}
	if (!ret)
		ret = values_differ(want, got, o);
	return ret ? ret : records_differ(want, got, o);
}
