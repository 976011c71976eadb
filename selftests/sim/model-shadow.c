// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of values, from docs/contract.md, docs/design.md and the comments of
 * include/klp-sdk/shadow.h; what the patches declare is from selftests/modules/tps.h. It
 * follows what the model says of the state's holders, and so needs no transitions:
 *
 *   the state gets another owner	values are handed over, those of types that the new
 *					one lacks are released
 *   it has no owner any more, or an older one, which takes nothing over: all are released
 *
 * What a force leaves behind is not looked at: after one nothing is expected of values.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "model-shadow.h"

static bool has_types(int patch)
{
	return patch >= SIM_sh1 && patch <= SIM_shret;
}

/* Of plain, index and the state */
static int version_of(int patch)
{
	return patch == SIM_sh2 ? 2 : patch == SIM_sh3 ? 3 : 1;
}

static bool knows(int patch, int type)
{
	return type < SIM_QUIET || patch == SIM_sh1;
}

/* The layout that @patch gives values of @type */
static int layout_of(int patch, int type)
{
	return type == SIM_PLAIN || type == SIM_INDEX ? version_of(patch) : 1;
}

/* A type of the SDK's own: with an index, or with conversions */
static bool is_checked(int patch, int type)
{
	return type == SIM_INDEX || type == SIM_SLEEP ||
	       (type == SIM_PLAIN && version_of(patch) > 1);
}

static bool has_dtor(int type)
{
	return type != SIM_COUNT;
}

static bool get_more(const struct values *v, int parent)
{
	return v->more[parent / 8] >> parent % 8 & 1;
}

static void release(struct value *value, int type, struct sim_seen *want)
{
	if (value->layout && has_dtor(type))
		want->dtors[type]++;
	memset(value, 0, sizeof(*value));
}

static void release_type(struct values *v, int type, struct sim_seen *want)
{
	int i;

	for (i = 0; i < SIM_NR_PARENTS; i++)
		release(&v->of[type][i], type, want);
	if (type != SIM_INDEX)
		return;
	for (i = 0; i < MAX_VALUES; i++)
		want->dtors[type] += get_more(v, i);
	memset(v->more, 0, sizeof(v->more));
}

static void convert(struct value *value, int layout)
{
	value->from = value->layout;
	value->layout = layout;
}

/* An index is converted at once, plain values when somebody asks for them. */
static void hand_over(struct values *v, int to, struct sim_seen *want)
{
	struct value *value;
	int type, i;

	for (type = 0; type < SIM_NR_TYPES; type++)
		if (!knows(to, type))
			release_type(v, type, want);
	for (i = 0; i < SIM_NR_PARENTS; i++) {
		value = &v->of[SIM_INDEX][i];
		if (value->layout && value->layout != version_of(to))
			convert(value, version_of(to));
	}
}

/* Who has the state by now */
static int find_owner(const struct sim_record *r)
{
	int i;

	for (i = SIM_sh1; i <= SIM_shret; i++)
		if (r->phase[i] == SIM_IS_LIVE || r->phase[i] == SIM_LEAVING)
			return 1 + i;
	return 0;
}

static bool is_ours(const struct sim_record *r)
{
	return !memcmp(r->name, "sh", sizeof("sh"));
}

static void set_phases(struct values *v, const struct sim_record *r, bool apart)
{
	int i;

	for (i = SIM_sh1; i <= SIM_shret; i++)
		if (r->phase[i]) {
			v->phases[i] = r->phase[i];
			v->apart[i] = apart;
		}
}

static void follow(struct values *v, struct sim_seen *want)
{
	const struct sim_record *r = want->records, *end = r + want->nr_records;
	int owner = 0, type;

	memset(v->phases, 0, sizeof(v->phases));
	memset(v->apart, 0, sizeof(v->apart));
	for (; want->nr_records > 0 && r < end; r++)
		if (is_ours(r)) {
			v->unknown |= r->forced;
			owner = owner ? owner : find_owner(r);
		}
	for (r = want->records; want->nr_records > 0 && r < end; r++)
		if (is_ours(r))
			set_phases(v, r, owner && find_owner(r) != owner);
	if (owner == v->owner)
		return;
	if (v->unknown)
		;
	else if (v->owner && owner && version_of(owner - 1) >= version_of(v->owner - 1))
		hand_over(v, owner - 1, want);
	else
		for (type = 0; type < SIM_NR_TYPES; type++)
			release_type(v, type, want);
	v->owner = owner;
}

/* Both sides of a transition have the same values, of the same layouts. */
static bool is_live(const struct values *v, int patch)
{
	if (v->phases[patch] == SIM_IS_LIVE || v->phases[patch] == SIM_LEAVING)
		return true;
	return v->phases[patch] == SIM_PREPARED && v->owner && !v->apart[patch] &&
	       version_of(v->owner - 1) == version_of(patch) &&
	       knows(v->owner - 1, SIM_QUIET) >= knows(patch, SIM_QUIET);
}

static void found(struct sim_seen *want, const struct value *value, int type)
{
	want->value.there = 1;
	want->value.born = type == SIM_COUNT ? 0 : value->born;
	want->value.from = value->from;
	want->value.nr = value->count;
}

/* The value as @patch sees it, converted if it is a plain one of an older layout; or NULL */
static struct value *look(struct values *v, int patch, int type, int parent)
{
	struct value *value = &v->of[type][parent];
	int layout = layout_of(patch, type);

	if (!value->layout)
		return NULL;
	if (type == SIM_PLAIN && value->layout < layout && is_live(v, patch))
		convert(value, layout);
	return value->layout == layout ? value : NULL;
}

static void get(struct values *v, int patch, int type, int parent, struct sim_seen *want)
{
	struct value *value = look(v, patch, type, parent);

	if (!value)
		return;
	value->count += type == SIM_COUNT;
	found(want, value, type);
}

static void alloc(struct values *v, int patch, int type, int parent, struct sim_seen *want)
{
	struct value *value = &v->of[type][parent];

	value->layout = layout_of(patch, type);
	value->born = v->born[parent];
	value->count = type == SIM_COUNT;
	found(want, value, type);
}

/* That there is one already is the author's mistake. */
static void alloc_call(struct values *v, int patch, int type, int parent, bool or_get,
		       const struct sim_seen *got, struct sim_seen *want)
{
	if (!is_live(v, patch) && is_checked(patch, type))
		return;
	if (!look(v, patch, type, parent))
		return alloc(v, patch, type, parent, want);
	if (or_get)
		return get(v, patch, type, parent, want);
	want->warned = 1;
	/* One may have been made before the other was seen. */
	if (got->dtors[type] == 1)
		want->dtors[type] = 1;
}

static int some(struct values *v, int patch, int what, int nr, struct sim_seen *want)
{
	int i;

	if (what == SIM_FILL && !is_live(v, patch))
		return -ENOMEM;
	for (i = 0; i < MAX_VALUES; i++) {
		struct value *value = i < SIM_NR_PARENTS ? &v->of[SIM_INDEX][i] : NULL;
		bool there = value ? value->layout : get_more(v, i);

		if (what == SIM_SUM) {
			want->value.nr += there && (v->phases[patch] != SIM_PREPARED ||
						    version_of(patch) ==
						    version_of(v->owner - 1));
		} else if (what == SIM_FILL && i < nr && !there) {
			if (value) {
				value->layout = version_of(patch);
				value->born = v->born[i];
			} else {
				v->more[i / 8] |= 1 << i % 8;
			}
		} else if (what == SIM_THIN && there && i % nr) {
			want->dtors[SIM_INDEX]++;
			if (value)
				memset(value, 0, sizeof(*value));
			else
				v->more[i / 8] &= ~(1 << i % 8);
		}
	}
	return 0;
}

static int shadow(struct values *v, int patch, int par, const struct sim_seen *got,
		  struct sim_seen *want)
{
	int call = SIM_SHADOW_CALL(par), type = SIM_SHADOW_TYPE(par);
	int parent = SIM_SHADOW_PARENT(par);
	struct value *value;

	if (call == SIM_SOME)
		return some(v, patch, type, sim_bulk[parent], want);
	value = &v->of[type][parent];
	/* Version 2 alone looks for older values, and of the first two types. */
	if (call == SIM_PREV && patch == SIM_sh2) {
		if (value->layout == 1)
			found(want, value, type);
		return 0;
	}
	if (!knows(patch, type) || call == SIM_PREV)
		return -EINVAL;
	if (type == SIM_COUNT && call != SIM_GET)
		call = SIM_GET_OR_ALLOC;
	if (call == SIM_GET)
		get(v, patch, type, parent, want);
	else if (call == SIM_FREE)
		release(value, type, want);
	else
		alloc_call(v, patch, type, parent, call == SIM_GET_OR_ALLOC, got, want);
	return 0;
}

/* What the patch may do by the rules for authors */
int values_sensible(const struct values *v, const struct sim_event *e)
{
	int call = SIM_SHADOW_CALL(e->par), type = SIM_SHADOW_TYPE(e->par);

	if (!has_types(e->arg))
		return 0;
	if (call == SIM_AGAIN)
		return v->phases[e->arg] != SIM_NONE;
	if (v->phases[e->arg] < SIM_PREPARED || v->apart[e->arg])
		return 0;
	if (call == SIM_SOME)
		return 1;
	if (call == SIM_PREV)
		return type < SIM_COUNT;
	/* These are the kernel's own, where nobody looks whether the state is live. */
	if ((call == SIM_ALLOC || call == SIM_GET_OR_ALLOC || type == SIM_COUNT) &&
	    !is_checked(e->arg, type))
		return is_live(v, e->arg);
	return 1;
}

void values_event(struct values *v, const struct sim_event *event,
		  const struct sim_seen *got, struct sim_seen *want)
{
	int call = SIM_SHADOW_CALL(event->par);

	if (event->op == SIM_FORCE && !want->ret && has_types(event->arg))
		v->unknown = 1;
	if (event->op != SIM_SHADOW) {
		follow(v, want);
	} else if (call == SIM_AGAIN) {
		v->born[SIM_SHADOW_PARENT(event->par)]++;
	} else if (!want->present[event->arg]) {
		want->ret = -ENOENT;
	} else if (!has_types(event->arg)) {
		want->ret = -ENOENT;
	} else if (!v->unknown && !values_sensible(v, event)) {
		v->unknown = 1;
	} else if (!v->unknown) {
		want->ret = shadow(v, event->arg, event->par, got, want);
	}
	if (!v->unknown)
		return;
	want->value = got->value;
	memcpy(want->dtors, got->dtors, sizeof(want->dtors));
	if (event->op == SIM_SHADOW) {
		want->ret = got->ret;
		want->warned = got->warned;
	}
}
