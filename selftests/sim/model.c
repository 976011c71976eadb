// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle: what docs/contract.md and docs/force.md say of each event, and what the
 * kernel's livepatch core does by its documentation and source. It knows nothing of the
 * engine in sdk/ and must not be made to agree with it: where they differ, one of them
 * is wrong.
 *
 * A state is a record; the patches that have it are its holders, in the order in which
 * they were loaded. What a holder does depends on its phase, on those of the others, and
 * on whether there is data and whether the change is made.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "model-pool.h"
#include "model-shadow.h"

#define MAX_HOLDERS	6
#define MAX_RECORDS	40
#define MAX_PRESENT	12

/*
 * In the phase of a holder: this patch undoes the state. It has introduced it and is prepared,
 * or has reverted its change and is leaving.
 */
#define UNDOES		0x80

struct holder {
	unsigned char patch, phase;
};

struct record {
	unsigned char kind, version;
	unsigned short flags;
	unsigned char nr;
	unsigned char layouts;	/* of the plain shadow type, of which there may be values */
	struct holder holders[MAX_HOLDERS];
};

/* Flags of a record */
#define FORCED		BIT(0)
#define ORPHAN		BIT(1)
#define DATA		BIT(2)
#define MADE		BIT(3)	/* the change */
#define NO_ROOM		BIT(4)	/* cannot grow in place */
#define SAVED_15	BIT(5)	/* the console's level that it restores, else 7 */
#define PINS		BIT(6)	/* the orphan has a reference to its module */
#define OF_RAW		BIT(7)	/* taken over from a patch without the SDK, until completion */
#define STALE		BIT(8)	/* such a patch has replaced all who have it */
#define RETIRED		BIT(9)	/* reverted by the patch that retires it */
#define QUIET		BIT(10)	/* the shadow types that sh1 alone has are among its */
#define LIVED		BIT(11)	/* its data has been live: values may be attached */

/* Of a patch */
#define LOADED		BIT(0)
#define ENABLED		BIT(1)
#define IS_FORCED	BIT(2)	/* the core's mark: it keeps the module */

/* Of tp_raw and tp_rawm */
#define RAW_DATA	BIT(0)
#define RAW_INHERITS	BIT(1)
#define RAW_STACKED	BIT(2)
#define RAW_SAVED_15	BIT(3)
#define RAWM_DATA	BIT(4)

struct sim_model {
	unsigned char patches[SIM_NR_PATCHES];
	unsigned char kept[SIM_NR_PATCHES];	/* the states that keep the patch's module */
	unsigned char fails[SIM_NR_PATCHES];	/* 1 + the state whose pre_patch fails */
	unsigned char order[MAX_PRESENT];	/* the core's list of patches */
	unsigned char nr_present;
	unsigned char moving;			/* 1 + the patch in transition */
	bool disabling, patched;		/* how it began; where it leads */
	unsigned char inside;			/* 1 + the function that the task sleeps in */
	unsigned char version;			/* 1 + whose version of it, 0 the original's */
	bool task_patched;
	unsigned char target[SIM_NR_TARGETS];
	unsigned char given_up[SIM_NR_TARGETS];	/* references that are never dropped */
	bool level_15, number_taken, count_lost, quiet_lost, left;
	unsigned char plain_lost;	/* layouts */
	unsigned char raw;
	unsigned char nr_records;
	struct record records[MAX_RECORDS];
	struct values values;
};

#define for_each_record(_m, _r)						\
	for ((_r) = (_m)->records; (_r) < (_m)->records + (_m)->nr_records; (_r)++)

/* An event that is played */
struct play {
	struct sim_model *m;
	const struct sim_seen *got;
	struct sim_seen *seen;
	unsigned int fail;	/* counts the chances of an allocation to fail */
	bool fail_core;
	bool failing;		/* what is undone has not been seen by anybody */
};

/* What becomes of data that nobody undoes after a force */
enum fate { GOES_WITH_MODULE, GIVEN_UP, LEFT_BEHIND };

static bool chance(struct play *p)
{
	return p->fail && !--p->fail;
}

/* The table */

static bool is_sdk(int patch)
{
	return pool[patch].flags & SDK;
}

static bool replaces(const struct sim_model *m, int patch)
{
	if (patch == SIM_raw && (m->raw & RAW_STACKED))
		return false;
	return pool[patch].flags & REPLACES;
}

/* What @patch declares under the id of @kind, or NULL */
static const struct decl *declares(int patch, int kind)
{
	int i;

	for (i = 0; i < pool[patch].nr; i++)
		if (kinds[pool[patch].states[i].kind].id == kinds[kind].id)
			return &pool[patch].states[i];
	return NULL;
}

static bool migrates(const struct decl *d, int version)
{
	return d->from & BIT(version);
}

/* Patches in the core's list */

static int place_of(const struct sim_model *m, int patch)
{
	int i;

	for (i = 0; i < m->nr_present; i++)
		if (m->order[i] == patch)
			return i;
	return -1;
}

static bool is_moving(const struct sim_model *m, int patch)
{
	return m->moving == patch + 1;
}

/* It is being enabled, or that is being reversed */
static bool is_coming(const struct sim_model *m, int patch)
{
	return is_moving(m, patch) && !m->disabling;
}

static void take_out(struct sim_model *m, int patch)
{
	int at = place_of(m, patch);

	m->nr_present--;
	memmove(&m->order[at], &m->order[at + 1], m->nr_present - at);
	m->order[m->nr_present] = 0;
	m->patches[patch] &= ~ENABLED;
	if (patch == SIM_raw)
		m->raw &= RAWM_DATA;
	if (patch == SIM_rawm)
		m->raw &= ~RAWM_DATA;
}

static bool is_there(const struct sim_model *m, int kind)
{
	return kinds[kind].target < 0 || m->target[kinds[kind].target];
}

/* Functions: the ftrace stack of each has the patches that change it, in their order */

static bool has_func(int patch, int func)
{
	return pool[patch].funcs & BIT(func);
}

/* A patch that replaces others gets a nop for what they change and it does not. */
static bool has_nop(const struct sim_model *m, int patch, int func)
{
	int i;

	if (!is_coming(m, patch) || !replaces(m, patch) || has_func(patch, func))
		return false;
	for (i = 0; i < place_of(m, patch); i++)
		if (has_func(m->order[i], func))
			return true;
	return false;
}

/* The place of the next patch below @place that has @func on its stack, or -1 */
static int below(const struct sim_model *m, int func, int place)
{
	if (func == SIM_MOD1_SHOW && !m->target[SIM_MOD1])
		return -1;
	while (--place >= 0)
		if (has_func(m->order[place], func) || has_nop(m, m->order[place], func))
			break;
	return place;
}

/* Whose version of @func a task runs: 1 + the patch, or 0 */
static int runs(const struct sim_model *m, int func, bool patched)
{
	int place = below(m, func, m->nr_present);

	if (place >= 0 && is_moving(m, m->order[place]) && !patched)
		place = below(m, func, place);
	if (place < 0 || has_nop(m, m->order[place], func))
		return 0;
	return m->order[place] + 1;
}

/* The core compares the disable of a patch below others with what is not on the list. */
static bool is_lost_on_stack(const struct sim_model *m, int patch, int func)
{
	int place = place_of(m, patch);

	return has_func(patch, func) && below(m, func, place) < 0 &&
	       below(m, func, m->nr_present) > place;
}

static bool is_blocked(const struct sim_model *m)
{
	int patch = m->moving - 1, func = m->inside - 1, prev;

	if (!m->inside || m->task_patched == m->patched)
		return false;
	if (func == SIM_MOD1_SHOW && !m->target[SIM_MOD1])
		return false;
	if (has_nop(m, patch, func) && !m->patched)
		return !m->version;
	if (!has_func(patch, func) && !has_nop(m, patch, func))
		return false;
	if (!m->patched)
		return m->version == patch + 1;
	prev = below(m, func, place_of(m, patch));
	if (prev < 0)
		return !is_lost_on_stack(m, patch, func) && !m->version;
	return m->version == m->order[prev] + 1;
}

/* Records and holders */

static struct holder *holder_of(struct record *r, int patch)
{
	int i;

	for (i = 0; i < r->nr; i++)
		if (r->holders[i].patch == patch)
			return &r->holders[i];
	return NULL;
}

static bool is_stale(const struct sim_model *m, const struct record *r)
{
	return r->flags & STALE;
}

static bool has(const struct sim_model *m, int patch, struct record *r)
{
	return !is_stale(m, r) && holder_of(r, patch);
}

static struct record *record_of(struct sim_model *m, int patch, int kind)
{
	struct record *r;

	for_each_record(m, r)
		if (r->kind == kind && has(m, patch, r))
			return r;
	return NULL;
}

/* The record under the id of @kind that somebody holds, or an orphan, or a stale one */
static struct record *find(struct sim_model *m, int kind, bool (*is)(const struct sim_model *,
								     const struct record *))
{
	struct record *r;

	for_each_record(m, r)
		if (kinds[r->kind].id == kinds[kind].id && is(m, r))
			return r;
	return NULL;
}

static bool is_held(const struct sim_model *m, const struct record *r)
{
	return r->nr && !is_stale(m, r);
}

/* It is listed for the core by a patch that takes it away. */
static bool is_listed(const struct sim_model *m, const struct record *r)
{
	return is_held(m, r) && !(r->flags & ORPHAN);
}

static bool is_orphan(const struct sim_model *m, const struct record *r)
{
	return r->flags & ORPHAN;
}

static int newest(const struct record *r)
{
	return r->holders[r->nr - 1].patch;
}

/* Another holder than @h is in one of @phases */
static bool other_in(const struct record *r, const struct holder *h, unsigned int phases)
{
	int i;

	for (i = 0; i < r->nr; i++)
		if (&r->holders[i] != h &&
		    (BIT(r->holders[i].phase & ~UNDOES) & phases))
			return true;
	return false;
}

#define LIVE	BIT(SIM_IS_LIVE)
#define GOING	BIT(SIM_LEAVING)
#define READY	BIT(SIM_PREPARED)

static void drop_holder(struct record *r, int patch)
{
	struct holder *h = holder_of(r, patch);
	int at = h - r->holders;

	r->nr--;
	memmove(h, h + 1, (r->nr - at) * sizeof(*h));
	memset(&r->holders[r->nr], 0, sizeof(*h));
}

static struct record *add_record(struct sim_model *m, int kind, int version)
{
	struct record *r = &m->records[m->nr_records++];

	if (m->nr_records > MAX_RECORDS)
		abort();
	r->kind = kind;
	r->version = version;
	return r;
}

/* Records that nobody has go, but for orphans. */
static void sweep(struct sim_model *m)
{
	struct record *r;
	int n = 0;

	for_each_record(m, r)
		if (r->nr || (r->flags & ORPHAN))
			m->records[n++] = *r;
	memset(&m->records[n], 0, (m->nr_records - n) * sizeof(m->records[0]));
	m->nr_records = n;
}

static void forget_holders(struct record *r)
{
	memset(r->holders, 0, sizeof(r->holders));
	r->nr = 0;
}

static void add_holder(struct record *r, int patch)
{
	r->holders[r->nr].patch = patch;
	r->holders[r->nr++].phase = SIM_IDLE;
}

/* References that a force leaves behind */

static void keep(struct play *p, int patch, int kind)
{
	const struct decl *d = declares(patch, kind);

	p->m->kept[patch] |= BIT(d - pool[patch].states);
}

static void give_up(struct play *p, const struct record *r)
{
	int target = kinds[r->kind].target;

	if (target >= 0 && p->m->target[target])
		p->m->given_up[target]++;
}

static bool is_forced(const struct play *p, const struct record *r)
{
	int i;

	if (r->flags & FORCED)
		return true;
	for (i = 0; i < r->nr; i++)
		if (p->m->patches[r->holders[i].patch] & IS_FORCED)
			return true;
	return false;
}

static void mark_record(struct play *p, struct record *r)
{
	if (is_forced(p, r))
		r->flags |= FORCED;
}

/* The functions of a state */

static void say(struct play *p, int patch, int kind, enum sim_fn fn)
{
	struct sim_call *call;

	if (kind && !(kinds[kind].says & BIT(fn)))
		return;
	if (p->seen->nr_calls == SIM_MAX_CALLS)
		return;
	call = &p->seen->calls[p->seen->nr_calls++];
	call->patch = patch;
	call->fn = fn;
	memcpy(call->state, kinds[kind].name, sizeof(call->state));
}

static void save_level(struct play *p, struct record *r)
{
	r->flags &= ~SAVED_15;
	if (p->m->level_15)
		r->flags |= SAVED_15;
}

static int run_pre_patch(struct play *p, int patch, const struct decl *d, struct record *r)
{
	struct sim_model *m = p->m;

	say(p, patch, d->kind, SIM_PRE_PATCH);
	if (d->flags & EARLY)
		save_level(p, r);
	if (m->fails[patch] == 1 + (d - pool[patch].states))
		return -ENODEV;
	if (d->kind == NUMBER && (m->number_taken || chance(p))) {
		/* The note of version 2 is lost: the test patch's mistake. */
		m->left |= d->version == 2;
		return m->number_taken ? -EBUSY : -ENOMEM;
	}
	if (d->kind != NUMBER && kinds[d->kind].takes && chance(p))
		return -ENOMEM;
	m->number_taken |= d->kind == NUMBER;
	return 0;
}

static void run_post_patch(struct play *p, int patch, struct record *r)
{
	const struct decl *d = declares(patch, r->kind);

	say(p, patch, r->kind, SIM_POST_PATCH);
	r->flags |= MADE;
	if (!kinds[r->kind].level)
		return;
	if (!(d->flags & EARLY))
		save_level(p, r);
	p->m->level_15 = true;
}

static void run_pre_unpatch(struct play *p, int patch, struct record *r)
{
	say(p, patch, r->kind, SIM_PRE_UNPATCH);
	r->flags &= ~MADE;
	if (kinds[r->kind].level)
		p->m->level_15 = r->flags & SAVED_15;
}

static void run_post_unpatch(struct play *p, int patch, struct record *r)
{
	say(p, patch, r->kind, SIM_POST_UNPATCH);
	if (r->kind == NUMBER)
		p->m->number_taken = false;
}

/* Steps of one holder */

static bool does_retire(int patch, const struct record *r)
{
	const struct decl *d = declares(patch, r->kind);

	return d && (d->flags & RETIRES);
}

/*
 * A task in forced-out code may have found values of shadow types: whoever has them must not
 * free them. Those that only the lost state had stay behind, and no patch may find them.
 */
static void lose_values(struct sim_model *m, const struct record *lost)
{
	unsigned char layouts = lost->layouts;
	bool quiet = lost->flags & QUIET, count = true;
	struct record *r;

	for_each_record(m, r) {
		if (r->kind != SH || r == lost)
			continue;
		r->flags |= FORCED;
		layouts &= ~r->layouts;
		quiet = quiet && !(r->flags & QUIET);
		count = false;
	}
	if (!(lost->flags & LIVED))
		return;
	m->plain_lost |= layouts;
	m->count_lost |= count;
	m->quiet_lost |= quiet;
}

/* Has @patch types under whose ids there are values that stayed behind? */
static bool finds_lost(const struct sim_model *m, int patch, const struct decl *d,
		       const struct record *r)
{
	unsigned char known = r ? r->layouts : 0;

	if (d->kind != SH || (d->flags & RETIRES))
		return false;
	return (m->plain_lost & ~known & (BIT(d->version + 1) - 1)) ||
	       (m->count_lost && !r) ||
	       (m->quiet_lost && patch == SIM_sh1 && !(r && (r->flags & QUIET)));
}

/* A patch that has the state now does not list types that were there, or the other way. */
static void change_types(struct sim_model *m, int patch, struct record *r)
{
	if ((r->flags & (FORCED | QUIET)) == (FORCED | QUIET) && patch != SIM_sh1)
		m->quiet_lost = true;
	r->flags &= ~QUIET;
	if (patch == SIM_sh1)
		r->flags |= QUIET;
}

/* The last who has it undoes the state. */
static void end_data(struct play *p, int patch, struct record *r, enum fate fate)
{
	if (is_forced(p, r) && !p->failing) {
		keep(p, patch, r->kind);
		p->m->left = true;
		if (fate == LEFT_BEHIND)
			return;
		if (fate == GIVEN_UP)
			give_up(p, r);
		if (fate == GIVEN_UP && r->kind == SH)
			lose_values(p->m, r);
	} else {
		run_post_unpatch(p, r->flags & RETIRED ? p->m->moving - 1 : patch, r);
	}
	r->flags &= ~(DATA | MADE | RETIRED);
}

static int prepare(struct play *p, int patch, const struct decl *d)
{
	struct record *r = record_of(p->m, patch, d->kind);
	struct holder *h;
	int ret;

	if (!r || !is_there(p->m, d->kind))
		return 0;
	h = holder_of(r, patch);
	if (r->flags & OF_RAW)
		r->flags |= DATA | MADE;
	if (r->flags & DATA) {
		h->phase = SIM_PREPARED;
		return 0;
	}
	r->flags &= ~(NO_ROOM | SAVED_15 | MADE | LIVED);
	ret = run_pre_patch(p, patch, d, r);
	if (ret)
		return ret;
	r->version = d->version;
	r->layouts = BIT(d->version);
	r->flags |= DATA;
	h->phase = SIM_PREPARED | UNDOES;
	return 0;
}

/* The data is another version's, or an older patch's. */
static void migrate(struct play *p, int patch, struct record *r)
{
	const struct decl *d = declares(patch, r->kind);
	bool grows = kinds[r->kind].grows;
	int old = r->nr > 1 ? r->holders[r->nr - 2].patch : -1;
	const struct decl *from;

	if (r->version < d->version) {
		say(p, patch, r->kind, grows ? SIM_GROW : SIM_CONVERT);
		if (!grows)
			r->flags &= ~NO_ROOM;
	} else if (r->version > d->version && old >= 0) {
		from = declares(old, r->kind);
		if (!grows)
			say(p, old, r->kind, SIM_CONVERT);
		if (!is_forced(p, r)) {
			if (grows)
				say(p, old, r->kind, SIM_SHRINK);
			return;
		}
		if (from->flags & RELEASES) {
			keep(p, old, r->kind);
			give_up(p, r);
		}
		if (grows)
			r->flags |= NO_ROOM;
	}
}

static void complete(struct play *p, int patch, struct record *r)
{
	struct holder *h = holder_of(r, patch);
	const struct decl *d = declares(patch, r->kind);
	bool introduced = h->phase & UNDOES;

	if (!(BIT(h->phase & ~UNDOES) & READY))
		return;
	mark_record(p, r);
	if (!introduced)
		migrate(p, patch, r);
	if (!(r->flags & MADE))
		run_post_patch(p, patch, r);
	if (!introduced && !(d->flags & STACKABLE))
		say(p, patch, r->kind, SIM_ADOPT);
	r->flags |= LIVED;
	r->layouts |= BIT(d->version);
	h->phase = SIM_IS_LIVE;
}

/* The functions that revert the change are those of @by. */
static void leave(struct play *p, int patch, struct record *r, int by)
{
	struct holder *h = holder_of(r, patch);

	if (h->phase != SIM_IS_LIVE)
		return;
	h->phase = SIM_LEAVING;
	if (other_in(r, h, LIVE))
		return;
	h->phase |= UNDOES;
	run_pre_unpatch(p, by, r);
}

static void stay(struct play *p, int patch, struct record *r)
{
	struct holder *h = holder_of(r, patch);

	if ((h->phase & ~UNDOES) != SIM_LEAVING)
		return;
	h->phase = SIM_IS_LIVE;
	r->flags &= ~RETIRED;
	if (!(r->flags & MADE))
		run_post_patch(p, patch, r);
}

/* Undo what was prepared, or release what was leaving. */
static void undo(struct play *p, int patch, struct record *r, enum fate fate)
{
	struct holder *h = holder_of(r, patch);
	int phase = h->phase;

	if (phase != SIM_IDLE)
		mark_record(p, r);
	/* A module that comes during the disable has nothing that could be handed on. */
	if (fate == LEFT_BEHIND && (phase & ~UNDOES) != SIM_LEAVING)
		fate = GIVEN_UP;
	if ((phase & UNDOES) && ((phase & ~UNDOES) == SIM_LEAVING ||
				 !other_in(r, h, LIVE | GOING | READY)))
		end_data(p, patch, r, fate);
	else if (phase == SIM_PREPARED && (r->flags & OF_RAW))
		r->flags &= ~(DATA | MADE);
	else if (phase == SIM_PREPARED && (r->flags & FORCED) && !p->failing &&
		 kinds[r->kind].grows && r->version < declares(patch, r->kind)->version)
		r->flags |= NO_ROOM;	/* has been used by this patch */
	h->phase = SIM_IDLE;
}

/* States of replaced patches that the new one does not take over leave with them. */

static bool is_leaver(const struct sim_model *m, struct record *r, int patch)
{
	return replaces(m, patch) && is_held(m, r) && !holder_of(r, patch);
}

static bool is_of(int kind, int target)
{
	return target == SIM_NR_TARGETS || kinds[kind].target == target;
}

/* @target is one of enum sim_target, or SIM_NR_TARGETS for all states */
static void leavers_leave(struct play *p, int patch, int target)
{
	struct sim_model *m = p->m;
	bool retires;
	struct record *r;
	int i, k, old;

	for (i = m->nr_records; i-- > 0;) {
		r = &m->records[i];
		if (!is_leaver(m, r, patch) || !is_of(r->kind, target))
			continue;
		retires = does_retire(patch, r);
		if (retires && (r->flags & MADE))
			r->flags |= RETIRED;
		for (k = r->nr; k-- > 0;) {
			old = r->holders[k].patch;
			leave(p, old, r, retires ? patch : old);
		}
	}
}

static void leavers_stay(struct play *p, int patch)
{
	struct sim_model *m = p->m;
	struct record *r;
	int k;

	for_each_record(m, r) {
		if (!is_leaver(m, r, patch))
			continue;
		for (k = 0; k < r->nr; k++)
			stay(p, r->holders[k].patch, r);
	}
}

static void leavers_go(struct play *p, int patch)
{
	struct sim_model *m = p->m;
	struct record *r;
	int i, k;

	for (i = m->nr_records; i-- > 0;) {
		r = &m->records[i];
		if (!is_leaver(m, r, patch))
			continue;
		/* Nobody knows which of those that share it the data leads to. */
		for (k = 0; k < r->nr && (r->flags & DATA) && is_forced(p, r); k++)
			keep(p, r->holders[k].patch, r->kind);
		for (k = 0; k < r->nr; k++)
			undo(p, r->holders[k].patch, r, GIVEN_UP);
		forget_holders(r);
	}
}

/* A patch is forced out. */
static void mark_own(struct play *p, int patch)
{
	struct sim_model *m = p->m;
	int i;

	for (i = 0; i < m->nr_records && (m->patches[patch] & IS_FORCED); i++)
		if (has(m, patch, &m->records[i]))
			m->records[i].flags |= FORCED;
}

/* A patch replaces others, in a transition that is forced. */
static void mark_replaced(struct play *p, int patch, int target)
{
	struct sim_model *m = p->m;
	struct record *r;
	int k;

	for_each_record(m, r) {
		if (!is_of(r->kind, target) || !is_held(m, r))
			continue;
		for (k = 0; k < r->nr; k++)
			if (r->holders[k].patch != patch &&
			    (m->patches[r->holders[k].patch] & IS_FORCED))
				r->flags |= FORCED;
	}
}

/* At the end of the transition */
static void mark_enabled(struct play *p, int patch)
{
	struct sim_model *m = p->m;
	struct record *r;

	for_each_record(m, r) {
		if (has(m, patch, r) || (replaces(m, patch) && is_held(m, r)))
			mark_record(p, r);
	}
}

/* All states of a patch, or those of one module, in its order or in reverse */

static int prepare_all(struct play *p, int patch, int target)
{
	struct record *r;
	int i, ret = 0;

	for (i = 0; i < pool[patch].nr && !ret; i++)
		if (is_of(pool[patch].states[i].kind, target))
			ret = prepare(p, patch, &pool[patch].states[i]);
	if (!ret)
		return 0;
	/* The one that has failed is not prepared. */
	p->failing = target == SIM_NR_TARGETS;
	while (i-- > 0) {
		r = record_of(p->m, patch, pool[patch].states[i].kind);
		if (r && is_of(r->kind, target))
			undo(p, patch, r, p->failing ? GIVEN_UP : GOES_WITH_MODULE);
	}
	p->failing = false;
	return ret;
}

static void complete_all(struct play *p, int patch, int target)
{
	struct record *r;
	int i;

	for (i = 0; i < pool[patch].nr; i++) {
		r = record_of(p->m, patch, pool[patch].states[i].kind);
		if (!r || !is_of(r->kind, target))
			continue;
		stay(p, patch, r);
		complete(p, patch, r);
	}
}

static void leave_all(struct play *p, int patch, int target)
{
	struct record *r;
	int i;

	for (i = pool[patch].nr; i-- > 0;) {
		r = record_of(p->m, patch, pool[patch].states[i].kind);
		if (r && is_of(r->kind, target))
			leave(p, patch, r, patch);
	}
}

static void undo_all(struct play *p, int patch, int target, enum fate fate)
{
	struct record *r;
	int i;

	for (i = pool[patch].nr; i-- > 0;) {
		r = record_of(p->m, patch, pool[patch].states[i].kind);
		if (r && is_of(r->kind, target))
			undo(p, patch, r, fate);
	}
}

/* Patches without the SDK */

static bool lists(int patch, const struct sim_model *m, int kind)
{
	const struct decl *d = declares(patch, kind);

	return d && (!(d->flags & RETIRES) || is_coming(m, patch));
}

/* The latest patch before @patch that lists the state, as klp_get_prev_state() says; or -1 */
static int prev_of(const struct sim_model *m, int patch, int kind)
{
	int i = place_of(m, patch), prev = -1;

	for (i = i < 0 ? m->nr_present : i; i-- > 0 && prev < 0;)
		if (lists(m->order[i], m, kind))
			prev = m->order[i];
	return prev;
}

static void raw_post_patch(struct play *p)
{
	struct sim_model *m = p->m;
	struct record *r = NULL;
	int prev, i;

	if (m->raw & RAW_INHERITS) {
		say(p, SIM_raw, NO_STATE, SIM_RAW_INHERITS);
		prev = prev_of(m, SIM_raw, ALPHA);
		if (prev >= 0)
			r = record_of(m, prev, ALPHA);
		m->raw |= RAW_DATA;
		if (r && (r->flags & SAVED_15))
			m->raw |= RAW_SAVED_15;
		return;
	}
	/* What it replaces without a look at it is lost. */
	for (i = 0; i < m->nr_records && replaces(m, SIM_raw); i++)
		m->left |= is_held(m, &m->records[i]);
	m->raw &= ~RAW_SAVED_15;
	if (m->level_15)
		m->raw |= RAW_SAVED_15;
	m->level_15 = true;
}

static int raw_pre_patch(struct play *p)
{
	if (!(p->m->raw & RAW_STACKED) && prev_of(p->m, SIM_raw, ALPHA) >= 0)
		p->m->raw |= RAW_INHERITS;
	else
		p->m->raw |= RAW_DATA;
	return 0;
}

static void raw_post_unpatch(struct play *p)
{
	if (p->m->raw & RAW_DATA)
		say(p, SIM_raw, NO_STATE, SIM_RAW_FREES);
	p->m->raw &= ~RAW_DATA;
}

static int rawm_pre_patch(struct play *p)
{
	struct sim_model *m = p->m;
	int prev = is_moving(m, SIM_rawm) ? prev_of(m, SIM_rawm, RM) : -1;
	struct record *r = prev < 0 ? NULL : record_of(m, prev, RM);

	if (r && (r->flags & DATA))
		return 0;
	say(p, SIM_rawm, RM, SIM_PRE_PATCH);
	if (chance(p))
		return -ENOMEM;
	m->raw |= RAWM_DATA;
	return 0;
}

static void rawm_post_patch(struct play *p)
{
	if (p->m->raw & RAWM_DATA)
		say(p, SIM_rawm, RM, SIM_POST_PATCH);
	p->m->raw |= RAWM_DATA;
}

static void rawm_post_unpatch(struct play *p)
{
	if (p->m->raw & RAWM_DATA)
		say(p, SIM_rawm, RM, SIM_POST_UNPATCH);
	p->m->raw &= ~RAWM_DATA;
}

/* The data of tp_raw and tp_rawm has version 1. */
static void look_at_raw(struct play *p, int patch, int target)
{
	struct sim_model *m = p->m;
	struct record *r;

	for_each_record(m, r)
		if ((r->flags & OF_RAW) && has(m, patch, r) &&
		    is_of(r->kind, target) && is_there(m, r->kind))
			r->version = 1;
}

/*
 * The callbacks of an object: @target, or all of a patch's objects that are loaded if it is
 * SIM_NR_TARGETS.
 */
static int object_pre_patch(struct play *p, int patch, int target)
{
	if (is_sdk(patch)) {
		look_at_raw(p, patch, target);
		if (chance(p))
			return -ENOMEM;
		if (is_coming(p->m, patch)) {
			/* Replaced patches, in a transition that is forced already */
			if (target != SIM_NR_TARGETS && p->m->patched)
				mark_replaced(p, patch, target);
			leavers_leave(p, patch, target);
		}
		return prepare_all(p, patch, target);
	}
	if (patch == SIM_raw)
		return target == SIM_NR_TARGETS ? raw_pre_patch(p) : 0;
	return target != SIM_MOD2 && p->m->target[SIM_MOD1] ? rawm_pre_patch(p) : 0;
}

static void object_post_patch(struct play *p, int patch, int target)
{
	if (is_sdk(patch))
		complete_all(p, patch, target);
	else if (patch == SIM_raw && target == SIM_NR_TARGETS)
		raw_post_patch(p);
	else if (patch == SIM_rawm && target != SIM_MOD2 && p->m->target[SIM_MOD1])
		rawm_post_patch(p);
}

static void object_pre_unpatch(struct play *p, int patch, int target)
{
	if (is_sdk(patch))
		leave_all(p, patch, target);
	else if (patch == SIM_raw && target == SIM_NR_TARGETS)
		p->m->level_15 = p->m->raw & RAW_SAVED_15;
	else if (patch == SIM_rawm && target != SIM_MOD2 && p->m->target[SIM_MOD1])
		say(p, SIM_rawm, RM, SIM_PRE_UNPATCH);
}

static void object_post_unpatch(struct play *p, int patch, int target, enum fate fate)
{
	if (is_sdk(patch))
		undo_all(p, patch, target, fate);
	else if (patch == SIM_raw && target == SIM_NR_TARGETS)
		raw_post_unpatch(p);
	else if (patch == SIM_rawm && target != SIM_MOD2 && p->m->target[SIM_MOD1])
		rawm_post_unpatch(p);
}

/* The end of a transition */

/* The new patch alone has the state from now on. */
static void settle(struct play *p, int patch)
{
	struct sim_model *m = p->m;
	const struct decl *d;
	struct record *r;

	for_each_record(m, r) {
		if (!has(m, patch, r))
			continue;
		d = declares(patch, r->kind);
		while (replaces(m, patch) && r->holders[0].patch != patch)
			drop_holder(r, r->holders[0].patch);
		r->version = d->version;
		r->flags &= ~(ORPHAN | PINS | OF_RAW);
		if (r->kind == SH)
			change_types(m, patch, r);
	}
}

/*
 * A patch that replaces others forgets stale records. An orphan is left for good if a patch
 * has taken the state from one without the SDK.
 */
static void forget(struct play *p, int patch)
{
	struct sim_model *m = p->m;
	struct record *r;

	for_each_record(m, r) {
		if (is_stale(m, r) && replaces(m, patch))
			forget_holders(r);
		if (r->nr || !(r->flags & ORPHAN) || !record_of(m, patch, r->kind))
			continue;
		if (r->flags & PINS)
			m->given_up[(int)kinds[r->kind].target]++;
		r->flags &= ~ORPHAN;
	}
}

/* What a patch without the SDK has replaced */
static void mark_stale(struct sim_model *m)
{
	struct record *r;

	for_each_record(m, r)
		if (r->nr)
			r->flags |= STALE;
}

static void enabled(struct play *p, int patch)
{
	struct sim_model *m = p->m;

	if (is_sdk(patch)) {
		mark_enabled(p, patch);
		leavers_go(p, patch);
	}
	object_post_patch(p, patch, SIM_NR_TARGETS);
	if (is_sdk(patch)) {
		settle(p, patch);
		forget(p, patch);
		sweep(m);
	} else if (replaces(m, patch)) {
		mark_stale(m);
	}
	m->moving = 0;
	while (replaces(m, patch) && m->order[0] != patch)
		take_out(m, m->order[0]);
}

/* Quit the states of @patch; what it leaves behind is an orphan. */
static void quit(struct play *p, int patch)
{
	struct sim_model *m = p->m;
	struct record *r;

	for_each_record(m, r) {
		if (!has(m, patch, r))
			continue;
		drop_holder(r, patch);
		if (!r->nr && !(r->flags & DATA))
			r->flags &= ~ORPHAN;
		if (r->nr || !(r->flags & DATA) || (r->flags & ORPHAN))
			continue;
		r->flags |= ORPHAN;
		if (kinds[r->kind].target >= 0)
			r->flags |= PINS;
	}
	sweep(m);
}

static void cancelled(struct play *p, int patch)
{
	struct sim_model *m = p->m;

	if (is_sdk(patch) && !p->failing)
		mark_own(p, patch);
	object_post_unpatch(p, patch, SIM_NR_TARGETS, GIVEN_UP);
	if (is_sdk(patch)) {
		leavers_stay(p, patch);
		quit(p, patch);
	}
	m->moving = 0;
	take_out(m, patch);
}

static void disabled(struct play *p, int patch)
{
	if (is_sdk(patch))
		mark_own(p, patch);
	object_post_unpatch(p, patch, SIM_NR_TARGETS, LEFT_BEHIND);
	if (is_sdk(patch))
		quit(p, patch);
	p->m->moving = 0;
	take_out(p->m, patch);
}

static void idle(struct sim_model *m)
{
	m->moving = 0;
	m->disabling = false;
	m->patched = false;
	m->task_patched = false;
}

static void try_complete(struct play *p)
{
	struct sim_model *m = p->m;
	int patch = m->moving - 1;

	if (!m->moving || is_blocked(m))
		return;
	if (m->patched && m->disabling)
		object_post_patch(p, patch, SIM_NR_TARGETS);
	else if (m->patched)
		enabled(p, patch);
	else if (m->disabling)
		disabled(p, patch);
	else
		cancelled(p, patch);
	idle(m);
}

static void begin(struct sim_model *m, int patch, bool disable)
{
	m->moving = patch + 1;
	m->disabling = disable;
	m->patched = !disable;
	m->task_patched = disable;
}

/* May a patch be loaded? */

/* A patch without the SDK is the latest that has the state. */
static bool is_raw(const struct sim_model *m, int patch, int kind)
{
	int prev = prev_of(m, patch, kind);

	return prev >= 0 && !is_sdk(prev);
}

/* klp_is_patch_compatible(); an SDK patch lists for the core what it takes away */
static bool is_compatible(struct sim_model *m, int patch)
{
	const struct decl *d, *mine;
	int i, k, old;

	for (i = 0; i < m->nr_present; i++) {
		old = m->order[i];
		for (k = 0; k < pool[old].nr; k++) {
			d = &pool[old].states[k];
			mine = declares(patch, d->kind);
			if (!lists(old, m, d->kind))
				continue;
			if (is_sdk(patch) && replaces(m, patch) &&
			    (find(m, d->kind, is_listed) || (!mine && find(m, d->kind, is_stale))))
				continue;
			if (mine ? mine->version < d->version : replaces(m, patch))
				return false;
		}
	}
	return true;
}

static bool is_permanent(const struct record *r)
{
	int i;

	for (i = 0; i < r->nr; i++)
		if (declares(r->holders[i].patch, r->kind)->flags & PERMANENT)
			return true;
	return false;
}

static bool is_stackable(const struct record *r)
{
	int i;

	for (i = 0; i < r->nr; i++)
		if (!(declares(r->holders[i].patch, r->kind)->flags & STACKABLE))
			return false;
	return true;
}

static bool has_way_back(const struct record *r, const struct decl *d)
{
	const struct decl *newer = declares(newest(r), r->kind);

	if (!(newer->back & BIT(d->version)) || (r->flags & FORCED))
		return false;
	return kinds[r->kind].grows || !(d->flags & READS_DATA);
}

/* A patch gets data of @version from @r, or from a patch without the SDK if that is NULL. */
static int check_migration(const struct decl *d, int version, const struct record *r)
{
	if (d->version == version)
		return 0;
	if (!migrates(d, version))
		return -EINVAL;
	return kinds[d->kind].grows && (!r || (r->flags & NO_ROOM)) ? -EINVAL : 0;
}

static int check_held(struct sim_model *m, int patch, const struct decl *d, struct record *r)
{
	if (r->kind != d->kind)
		return -EINVAL;
	if (d->flags & RETIRES)
		return r->version == d->version ? 0 : -EINVAL;
	if (!replaces(m, patch))
		return r->version == d->version && (d->flags & STACKABLE) &&
		       is_stackable(r) ? 0 : -EBUSY;
	if (r->version <= d->version)
		return check_migration(d, r->version, r);
	return !has_way_back(r, d) && is_permanent(r) ? -EINVAL : 0;
}

static int check_orphan(const struct decl *d, const struct record *r)
{
	if (d->flags & RETIRES)
		return 0;
	if (r->kind != d->kind)
		return -EINVAL;
	if (!(r->flags & DATA))
		return 0;
	return r->version > d->version ? -EINVAL : check_migration(d, r->version, r);
}

static int check_state(struct sim_model *m, int patch, const struct decl *d)
{
	struct record *r = find(m, d->kind, is_held);

	if (is_raw(m, patch, d->kind)) {
		if (r || !replaces(m, patch))
			return -EBUSY;
		/* What is there of the other is too small. */
		if ((d->flags & RETIRES) || d->kind == ALPHA_103)
			return -EINVAL;
		r = find(m, d->kind, is_orphan);
		if (!r)
			r = find(m, d->kind, is_stale);
		/* An id is that of one state for ever. */
		if (r && r->kind != d->kind)
			return -EINVAL;
		return check_migration(d, 1, NULL);
	}
	if (r)
		return check_held(m, patch, d, r);
	r = find(m, d->kind, is_orphan);
	return r ? check_orphan(d, r) : 0;
}

/* What @patch takes away must not be permanent, nor held by a patch without the SDK. */
static int check_leavers(struct sim_model *m, int patch)
{
	struct record *r;
	int i;

	for (i = 0; i < m->nr_records && replaces(m, patch); i++) {
		r = &m->records[i];
		if (declares(patch, r->kind))
			continue;
		if ((is_held(m, r) && is_permanent(r)) ||
		    ((is_held(m, r) || is_stale(m, r)) && is_raw(m, patch, r->kind)))
			return -EINVAL;
	}
	return 0;
}

/* The records of the states that @patch has, from now on with it among the holders */

/* The record that is there and that a patch with @d goes on with, or NULL. */
static struct record *goes_on(struct sim_model *m, const struct decl *d)
{
	struct record *held = find(m, d->kind, is_held);

	if (!held)
		return find(m, d->kind, is_orphan);
	return held->version <= d->version || has_way_back(held, d) ? held : NULL;
}

static void attach(struct sim_model *m, int patch, const struct decl *d, bool forced)
{
	struct record *r;

	if (d->flags & RETIRES) {
		/* An orphan without data needs no mark any more. */
		r = find(m, d->kind, is_orphan);
		if (r && !(r->flags & DATA))
			r->flags &= ~ORPHAN;
		return;
	}
	if (is_raw(m, patch, d->kind)) {
		r = add_record(m, d->kind, d->version);
		r->flags = OF_RAW | NO_ROOM | (forced ? FORCED : 0);
		if ((m->raw & RAW_SAVED_15) && kinds[d->kind].level)
			r->flags |= SAVED_15;
	} else {
		r = goes_on(m, d);
	}
	if (!r)
		r = add_record(m, d->kind, d->version);
	add_holder(r, patch);
}

/* What nobody has is forgotten, but for what a patch without the SDK has now. */
static void forget_stale(struct sim_model *m, int patch)
{
	struct record *r;

	for_each_record(m, r)
		if (is_stale(m, r) && !is_raw(m, patch, r->kind))
			forget_holders(r);
}

static int attach_all(struct play *p, int patch)
{
	struct sim_model *m = p->m;
	struct record *orphan, *stale;
	const struct decl *d;
	unsigned int flags;
	int i, ret;

	for (i = 0; i < pool[patch].nr; i++) {
		d = &pool[patch].states[i];
		ret = check_state(m, patch, d);
		if (!ret && finds_lost(m, patch, d, goes_on(m, d)))
			ret = -EBUSY;
		if (ret)
			return ret;
		stale = find(m, d->kind, is_stale);
		orphan = find(m, d->kind, is_orphan);
		flags = (stale ? stale->flags : 0) | (orphan ? orphan->flags : 0);
		if (!is_raw(m, patch, d->kind) && stale)
			forget_holders(stale);
		if (chance(p))
			return -ENOMEM;
		attach(m, patch, d, flags & FORCED);
	}
	if (replaces(m, patch))
		forget_stale(m, patch);
	sweep(m);
	return check_leavers(m, patch);
}

/* The core changes functions; it fails where it has to register with ftrace. */
static int patch_funcs(struct play *p, int patch, unsigned int funcs)
{
	struct sim_model *m = p->m;
	int func;

	for (func = 0; func < SIM_NR_FUNCS; func++) {
		if (!(funcs & BIT(func)) || !has_func(patch, func) ||
		    below(m, func, place_of(m, patch)) >= 0)
			continue;
		if (func == SIM_MOD1_SHOW && !m->target[SIM_MOD1])
			continue;
		if (p->fail_core)
			return -EBUSY;
		if (chance(p))
			return -ENOMEM;
	}
	return 0;
}

/* klp_enable_patch() */
static int enable(struct play *p, int patch)
{
	struct sim_model *m = p->m;
	int ret = 0;

	if (!is_compatible(m, patch))
		return -EINVAL;
	m->order[m->nr_present++] = patch;
	begin(m, patch, false);
	if (is_sdk(patch))
		ret = attach_all(p, patch);
	/* tp_rawm has no callbacks for vmlinux, whose functions are first. */
	if (!ret && patch == SIM_rawm)
		ret = patch_funcs(p, patch, CMDLINE);
	if (!ret)
		ret = object_pre_patch(p, patch, SIM_NR_TARGETS);
	if (!ret)
		ret = patch_funcs(p, patch, patch == SIM_rawm ? BIT(SIM_MOD1_SHOW) : ~0u);
	if (ret) {
		p->failing = true;
		cancelled(p, patch);
		p->failing = false;
		idle(m);
		return ret;
	}
	m->patches[patch] |= ENABLED;
	try_complete(p);
	return 0;
}

/* Only the states of modules can fail later. */
static void forget_fails(struct sim_model *m, int patch)
{
	int nr = m->fails[patch];

	if (nr && kinds[pool[patch].states[nr - 1].kind].target < 0)
		m->fails[patch] = 0;
}

/* Events */

static int load(struct play *p, int patch, int par)
{
	struct sim_model *m = p->m;
	int ret;

	if (m->patches[patch] & LOADED)
		return -EEXIST;
	if (par >= SIM_PAR_STATE && par < SIM_PAR_STATE + pool[patch].nr &&
	    (pool[patch].flags & CAN_FAIL))
		m->fails[patch] = 1 + par - SIM_PAR_STATE;
	p->fail_core = par == SIM_PAR_CORE;
	if (patch == SIM_raw && par == SIM_PAR_RAW_STACKED)
		m->raw |= RAW_STACKED;
	/* Nothing says which of two reasons to refuse a patch is told in a transition. */
	if (chance(p))
		ret = -ENOMEM;
	else if (m->moving)
		ret = p->got->ret == -EINVAL ? -EINVAL : -EBUSY;
	else
		ret = enable(p, patch);
	if (ret) {
		m->fails[patch] = 0;
		if (patch == SIM_raw)
			m->raw &= RAWM_DATA;
		return ret;
	}
	m->patches[patch] |= LOADED;
	forget_fails(m, patch);
	return 0;
}

static int count_bits(unsigned int mask)
{
	int n = 0;

	for (; mask; mask &= mask - 1)
		n++;
	return n;
}

static int refs(const struct sim_model *m, int patch)
{
	return (place_of(m, patch) >= 0 || (m->patches[patch] & IS_FORCED)) +
	       count_bits(m->kept[patch]);
}

static int target_refs(const struct sim_model *m, int target)
{
	int n = m->given_up[target] + (m->target[target] == 1);
	const struct record *r;

	for_each_record(m, r)
		if (kinds[r->kind].target == target)
			n += !!(r->flags & PINS);
	return n;
}

static int unload(struct sim_model *m, int patch)
{
	if (!(m->patches[patch] & LOADED))
		return -ENOENT;
	if (refs(m, patch))
		return -EAGAIN;
	m->patches[patch] = 0;
	m->fails[patch] = 0;
	return 0;
}

static int write_enabled(struct play *p, int patch, bool value)
{
	struct sim_model *m = p->m;

	if (place_of(m, patch) < 0)
		return -ENOENT;
	if (!!(m->patches[patch] & ENABLED) == value)
		return -EINVAL;
	if (is_moving(m, patch)) {
		m->patches[patch] ^= ENABLED;
		m->patched = !m->patched;
		return 0;
	}
	if (value)
		return -EINVAL;
	if (m->moving)
		return -EBUSY;
	begin(m, patch, true);
	object_pre_unpatch(p, patch, SIM_NR_TARGETS);
	m->patches[patch] &= ~ENABLED;
	try_complete(p);
	return 0;
}

static int force(struct sim_model *m, int patch)
{
	int i;

	if (place_of(m, patch) < 0)
		return -ENOENT;
	if (!is_moving(m, patch))
		return -EINVAL;
	m->task_patched = m->patched;
	m->left = true;
	if (!m->patched)
		m->patches[patch] |= IS_FORCED;
	for (i = 0; m->patched && replaces(m, patch) && i < m->nr_present; i++)
		if (m->order[i] != patch)
			m->patches[m->order[i]] |= IS_FORCED;
	return 0;
}

static int enter(struct sim_model *m, int func)
{
	if (m->inside)
		return -EBUSY;
	if (func == SIM_MOD1_SHOW && m->target[SIM_MOD1] != 2)
		return -ENOENT;
	m->inside = func + 1;
	m->version = runs(m, func, !m->moving || m->task_patched);
	return 0;
}

/* On the way out of the kernel the task is switched. */
static int task_leaves(struct sim_model *m)
{
	if (!m->inside)
		return -ENOENT;
	m->inside = 0;
	m->version = 0;
	m->task_patched = m->moving && m->patched;
	return 0;
}

/* Modules that patches change */

/* klp_cleanup_module_patches_limited() */
static void going(struct play *p, int target, int limit)
{
	struct sim_model *m = p->m;
	int i, patch;

	for (i = 0; i < limit; i++) {
		patch = m->order[i];
		if (!is_moving(m, patch))
			object_pre_unpatch(p, patch, target);
		object_post_unpatch(p, patch, target, GOES_WITH_MODULE);
	}
}

static int coming(struct play *p, int target, int par)
{
	struct sim_model *m = p->m;
	int i, patch, ret;

	if (m->target[target])
		return -EEXIST;
	if (chance(p))
		return -ENOMEM;
	p->fail_core = par == SIM_PAR_CORE;
	m->target[target] = 1;
	for (i = 0; i < m->nr_present; i++) {
		patch = m->order[i];
		ret = object_pre_patch(p, patch, target);
		if (!ret && target == SIM_MOD1) {
			ret = patch_funcs(p, patch, BIT(SIM_MOD1_SHOW));
			if (ret)
				object_post_unpatch(p, patch, target, GOES_WITH_MODULE);
		}
		if (ret) {
			going(p, target, i);
			m->target[target] = 0;
			return ret;
		}
		if (!is_moving(m, patch))
			object_post_patch(p, patch, target);
	}
	return 0;
}

/* The module is freed, whatever references there are. */
static void lose(struct sim_model *m, int target)
{
	struct record *r;

	m->target[target] = 0;
	m->given_up[target] = 0;
	for_each_record(m, r)
		if (kinds[r->kind].target == target)
			r->flags &= ~(DATA | MADE | PINS);
}

static int end_init(struct play *p, int target, bool fail)
{
	struct sim_model *m = p->m;

	if (m->target[target] != 1)
		return -ENOENT;
	if (!fail) {
		m->target[target] = 2;
		return 0;
	}
	going(p, target, m->nr_present);
	lose(m, target);
	return -ENODEV;
}

static int rmmod(struct play *p, int target)
{
	struct sim_model *m = p->m;

	if (!m->target[target])
		return -ENOENT;
	/* Its exit would wait for who is in a function of it. */
	if (m->target[target] == 1 || (target == SIM_MOD1 && m->inside == 1 + SIM_MOD1_SHOW))
		return -EBUSY;
	if (target_refs(m, target))
		return -EAGAIN;
	going(p, target, m->nr_present);
	lose(m, target);
	return 0;
}

static int tick(struct play *p)
{
	if (!p->m->moving)
		return -ENOENT;
	try_complete(p);
	return 0;
}

static int do_event(struct play *p, const struct sim_event *e)
{
	switch (e->op) {
	case SIM_LOAD:
		return load(p, e->arg, e->par);
	case SIM_UNLOAD:
		return unload(p->m, e->arg);
	case SIM_ENABLE:
	case SIM_DISABLE:
		return write_enabled(p, e->arg, e->op == SIM_ENABLE);
	case SIM_FORCE:
		return force(p->m, e->arg);
	case SIM_TICK:
		return tick(p);
	case SIM_ENTER:
		return enter(p->m, e->arg);
	case SIM_LEAVE:
		return task_leaves(p->m);
	case SIM_COMING:
		return coming(p, e->arg, e->par);
	case SIM_INIT:
		return end_init(p, e->arg, e->par);
	case SIM_RMMOD:
		return rmmod(p, e->arg);
	case SIM_READ:
		return (p->m->patches[e->arg] & LOADED) && is_sdk(e->arg) ? 0 : -ENOENT;
	case SIM_CALL:
		return e->arg != SIM_MOD1_SHOW || p->m->target[SIM_MOD1] == 2 ? 0 : -ENOENT;
	}
	return 0;
}

/* What can be seen */

static bool is_shown(const struct sim_model *m)
{
	int i;

	for (i = 0; i < SIM_NR_PATCHES; i++)
		if ((m->patches[i] & LOADED) && is_sdk(i))
			return true;
	return false;
}

static void see_records(const struct sim_model *m, struct sim_seen *seen)
{
	const struct record *r;
	struct sim_record *to;
	int i, k;

	for (i = 0; i < m->nr_records && i < SIM_MAX_RECORDS; i++) {
		r = &m->records[i];
		to = &seen->records[i];
		memset(to, 0, sizeof(*to));
		memcpy(to->name, kinds[r->kind].name, sizeof(kinds[r->kind].name));
		to->target = kinds[r->kind].target;
		to->version = r->version;
		to->forced = !!(r->flags & FORCED);
		for (k = 0; k < r->nr; k++)
			to->phase[r->holders[k].patch] = r->holders[k].phase & ~UNDOES;
	}
	seen->nr_records = i;
}

static void see(const struct sim_model *m, struct sim_seen *seen)
{
	int i;

	for (i = 0; i < SIM_NR_PATCHES; i++) {
		if (!m->patches[i])
			continue;
		seen->loaded[i] = 1;
		seen->enabled[i] = !!(m->patches[i] & ENABLED);
		seen->refs[i] = refs(m, i);
	}
	for (i = 0; i < m->nr_present; i++)
		seen->present[m->order[i]] = 1;
	if (m->moving)
		seen->transition[m->moving - 1] = 1;
	for (i = 0; i < SIM_NR_TARGETS; i++) {
		seen->target[i] = m->target[i];
		seen->target_refs[i] = target_refs(m, i);
	}
	for (i = 0; i < SIM_NR_FUNCS; i++)
		seen->runs[i] = runs(m, i, !m->moving || m->patched) - 1;
	if (m->target[SIM_MOD1] != 2)
		seen->runs[SIM_MOD1_SHOW] = -2;
	seen->level = m->level_15 ? 15 : 7;
	seen->nr_records = -1;
	if (is_shown(m))
		see_records(m, seen);
}

unsigned long model_size(void)
{
	return sizeof(struct sim_model);
}

void model_boot(struct sim_model *m)
{
	memset(m, 0, sizeof(*m));
}

/* Whether there was as much left to fail as @fail says */
static bool play(struct sim_model *m, const struct sim_event *event,
		 const struct sim_seen *got, struct sim_seen *want, unsigned int fail)
{
	struct play p = { .m = m, .got = got, .seen = want, .fail = fail };

	want->nr_calls = 0;
	want->warned = 0;
	memset(&want->value, 0, offsetof(struct sim_seen, records) -
	       offsetof(struct sim_seen, value));
	want->injected = got->injected;
	want->ret = do_event(&p, event);
	see(m, want);
	return !p.fail;
}

static bool is_seen(const struct sim_record *r, const struct sim_seen *seen)
{
	int i;

	for (i = 0; i < seen->nr_records; i++)
		if (!memcmp(r, &seen->records[i], sizeof(*r)))
			return true;
	return false;
}

static bool is_same(const struct sim_seen *want, const struct sim_seen *got)
{
	int i;

	if (want->ret != got->ret || want->nr_calls != got->nr_calls ||
	    memcmp(want->calls, got->calls, want->nr_calls * sizeof(want->calls[0])) ||
	    memcmp(want->loaded, got->loaded, offsetof(struct sim_seen, records) -
		   offsetof(struct sim_seen, loaded)))
		return false;
	for (i = 0; i < want->nr_records; i++)
		if (!is_seen(&want->records[i], got))
			return false;
	return true;
}

/*
 * Which of the event's allocations has failed is learnt from what was seen: it is the
 * first of those that may fail after which this is to be seen. If there is none, the event
 * must have failed at once.
 */
static void expect(struct sim_model *m, const struct sim_event *event,
		   const struct sim_seen *got, struct sim_seen *want)
{
	struct sim_model before;
	unsigned int fail;

	if (!got->injected || event->par >= SIM_PAR_CORE) {
		play(m, event, got, want, 0);
		return;
	}
	before = *m;
	play(m, event, got, want, 0);
	for (fail = 1; !is_same(want, got); fail++) {
		*m = before;
		if (play(m, event, got, want, fail))
			continue;
		*m = before;
		play(m, event, got, want, 1);
		return;
	}
}

void model_event(struct sim_model *m, const struct sim_event *event,
		 const struct sim_seen *got, struct sim_seen *want)
{
	expect(m, event, got, want);
	/* A record that went in the same moment showed no mark of the force. */
	m->values.unknown |= m->count_lost || m->plain_lost || m->quiet_lost;
	values_event(&m->values, event, got, want);
}

/* A stale record stays until the next patch of the SDK. */
int model_may_leave(const struct sim_model *m)
{
	const struct record *r;

	for_each_record(m, r)
		if (is_stale(m, r))
			return true;
	return m->left;
}

/* tp_raw follows all pointers that it takes over if there is the first. */
static bool is_raw_harmful(const struct sim_model *m, int par)
{
	if (par && par < SIM_PAR_CORE)
		return true;	/* leaves pointers unset */
	if (par == SIM_PAR_RAW_STACKED || m->moving || prev_of(m, SIM_raw, ALPHA) < 0)
		return false;
	return prev_of(m, SIM_raw, BETA) < 0 || prev_of(m, SIM_raw, GAMMA) < 0;
}

/* A disable is reversed; tp_raw would look for a predecessor again that is gone. */
static bool is_reversal_harmful(const struct sim_model *m, int patch)
{
	int i;

	if (patch == SIM_raw && (m->raw & RAW_INHERITS))
		return true;
	for (i = 0; i < SIM_NR_FUNCS; i++)
		if (is_lost_on_stack(m, patch, i))
			return true;
	return false;
}

int model_harmful(const struct sim_model *m, const struct sim_event *e)
{
	if (e->op == SIM_LOAD)
		return e->arg == SIM_raw && !(m->patches[SIM_raw] & LOADED) &&
		       is_raw_harmful(m, e->par);
	if (e->op == SIM_ENABLE)
		return is_moving(m, e->arg) && m->disabling && !m->patched &&
		       is_reversal_harmful(m, e->arg);
	return false;
}

static bool is_load_sensible(const struct sim_model *m, int patch, int par)
{
	if (m->patches[patch] & LOADED)
		return false;
	if (par == SIM_PAR_RAW_STACKED)
		return patch == SIM_raw;
	return par < SIM_PAR_STATE || ((pool[patch].flags & CAN_FAIL) &&
				       par < SIM_PAR_STATE + pool[patch].nr);
}

int model_sensible(const struct sim_model *m, const struct sim_event *e)
{
	if (model_harmful(m, e))
		return false;
	switch (e->op) {
	case SIM_LOAD:
		return is_load_sensible(m, e->arg, e->par);
	case SIM_UNLOAD:
		return (m->patches[e->arg] & LOADED) && !refs(m, e->arg);
	case SIM_ENABLE:
		return is_moving(m, e->arg) && !(m->patches[e->arg] & ENABLED);
	case SIM_DISABLE:
		return (m->patches[e->arg] & ENABLED) &&
		       (!m->moving || is_moving(m, e->arg));
	case SIM_FORCE:
		return is_moving(m, e->arg);
	case SIM_TICK:
		return m->moving && !is_blocked(m);
	case SIM_ENTER:
		return !m->inside && (e->arg != SIM_MOD1_SHOW || m->target[SIM_MOD1] == 2);
	case SIM_LEAVE:
		return m->inside;
	case SIM_COMING:
		return !m->target[e->arg] && e->par <= SIM_PAR_CORE;
	case SIM_INIT:
		return m->target[e->arg] == 1 && e->par <= 1;
	case SIM_SHADOW:
		return (m->patches[e->arg] & LOADED) && values_sensible(&m->values, e);
	case SIM_READ:
		return (m->patches[e->arg] & LOADED) && is_sdk(e->arg);
	case SIM_CALL:
		return e->arg != SIM_MOD1_SHOW || m->target[SIM_MOD1] == 2;
	case SIM_RMMOD:
		return m->target[e->arg] == 2 && !target_refs(m, e->arg) &&
		       (e->arg != SIM_MOD1 || m->inside != 1 + SIM_MOD1_SHOW);
	}
	return e->op < SIM_NR_OPS;
}
