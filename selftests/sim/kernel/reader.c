// SPDX-License-Identifier: GPL-2.0
/*
 * What functions of the patches would find of their states now, beside what `shadow` and
 * `call` have them find: nothing that is freed, a state live for all of its holders or for
 * none, the object that the record has. A function in code that was forced out must go on
 * finding its data. These are rules of docs/contract.md for every moment, whatever the model
 * says of the event.
 */
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/string.h>

#include "../../../sdk/engine.h"
#include "../pool.h"
#include "kern.h"

/* SDK patches whose functions may run, before the event; where patches are, once known */
static u64 was_listed __sim_aside;
static struct klp_sdk_patch *patches[SIM_NR_PATCHES] __sim_aside;

/* Since the sequence began: records say other sizes, or others may have freed data */
static bool poked, raw_seen;

static u64 find_listed(void)
{
	struct klp_patch *patch;
	u64 listed = 0;
	int nr;

	list_for_each_entry(patch, &klp_patches, list) {
		if (!strncmp(patch->mod->name, "tp_raw", 6)) {
			raw_seen = true;
			continue;
		}
		nr = sim_module_at(patch->mod);
		if (nr >= SIM_NR_PATCHES)
			continue;
		listed |= BIT_ULL(nr);
		patches[nr] = container_of(patch, struct klp_sdk_patch, patch);
	}
	return listed;
}

void sim_readers_poked(void)
{
	poked = true;
}

void sim_readers_begin(void)
{
	BUILD_BUG_ON(SIM_NR_PATCHES > 64);
	was_listed = find_listed();
}

static void wrong(const struct klp_sdk_patch *patch, const struct klp_sdk_state *state,
		  const char *what)
{
	sim_wrong("%s: state %s: %s", patch->patch.mod->name, state->name, what);
}

static bool other_live(const struct klp_sdk_state *state)
{
	const struct klp_sdk_holder *holder;

	list_for_each_entry(holder, &state->record->holders, node)
		if (holder != state->holder && holder->phase == KLP_SDK_LIVE)
			return true;
	return false;
}

/* Types that the other side of the transition does not have in this layout */
static bool other_values(const struct klp_sdk_state *state)
{
	struct klp_sdk_shadow *const *pos;

	klp_sdk_for_each_shadow(state, pos)
		if ((*pos)->fresh || (*pos)->from)
			return true;
	return false;
}

/* Is the state live for this patch, which has it in @phase? */
static bool must_be_live(const struct klp_sdk_state *state, u32 phase)
{
	switch (phase) {
	case KLP_SDK_LIVE:
		return true;
	case KLP_SDK_LEAVING:
		return other_live(state);
	case KLP_SDK_PREPARED:
		return (state->how == KLP_SDK_HOW_INHERIT || state->how == KLP_SDK_HOW_GROW ||
			state->how == KLP_SDK_HOW_SHRINK || state->how == KLP_SDK_HOW_SHARE) &&
			(other_live(state) || state->raw) && !other_values(state);
	default:
		return false;
	}
}

static void check_values(const struct klp_sdk_patch *patch, const struct klp_sdk_state *state,
			 u32 phase, bool forced)
{
	struct klp_sdk_shadow_slots *slots;
	struct klp_sdk_shadow *const *pos;

	klp_sdk_for_each_shadow(state, pos) {
		slots = (*pos)->type->slots;
		if (phase == KLP_SDK_IDLE) {
			if ((slots->table || slots->live) && !forced)
				wrong(patch, state, "values are found before or after its time");
			continue;
		}
		if (slots->table != (*pos)->record->table)
			wrong(patch, state, "values are looked for where none are");
		if (phase == KLP_SDK_LIVE && !slots->live)
			wrong(patch, state, "values are not found");
	}
}

static void check_record(const struct klp_sdk_record *record)
{
	size_t size;
	void *start;

	if (poked || sim_object_at(record->data, &start, &size) < 0 || start != record->data)
		return;
	if (record->data_size > size || record->alloc_size > size)
		sim_wrong("state %s has %zu bytes, its record says %llu with room for %llu",
			  record->name, size, record->data_size, record->alloc_size);
}

/* A state of a patch that the core lists */
static void check_state(const struct klp_sdk_patch *patch, const struct klp_sdk_state *state)
{
	const struct klp_sdk_record *record = state->record;
	u32 phase = state->holder ? state->holder->phase : KLP_SDK_IDLE;
	bool forced = record ? record->flags & KLP_SDK_RECORD_FORCED : patch->patch.forced;
	void *live = NULL, *data = NULL, *prev = NULL;

	if (phase != KLP_SDK_IDLE) {
		data = record->data;
		if (must_be_live(state, phase))
			live = data;
		if (phase == KLP_SDK_PREPARED && state->how == KLP_SDK_HOW_CONVERT)
			prev = data;
		if (phase == KLP_SDK_PREPARED && (state->how == KLP_SDK_HOW_CONVERT ||
						  state->how == KLP_SDK_HOW_CONVERT_BACK))
			data = NULL;
		if (!state->raw && !sim_readable(record->data))
			wrong(patch, state, "its data is freed");
		check_record(record);
		if (state->holder->kstate->data != data)
			wrong(patch, state, "the core's state has other data");
	}
	if (state->slots->live != live)
		wrong(patch, state, live ? "is not live" : "is live before or after its time");
	if (state->slots->data != data &&
	    !(forced && (raw_seen || sim_readable(state->slots->data))))
		wrong(patch, state, data ? "has other data" : "has data before or after its time");
	if (state->from && state->from->prev && (void __force *)*state->from->prev != prev)
		wrong(patch, state, "the older object is another");
	check_values(patch, state, phase, forced);
}

static void check_listed(const struct klp_sdk_patch *patch)
{
	struct klp_sdk_state *const *pos;

	klp_sdk_for_each_state(patch, pos)
		check_state(patch, *pos);
}

/*
 * A task in its code goes on with what the state had. One that is bound to a module had
 * nothing if that was not there.
 */
static void check_forced_out(const struct klp_sdk_patch *patch,
			     const struct klp_sdk_state *state)
{
	bool had = patch->settled && !state->props->retire && !state->props->object;
	const void *data = state->slots->data;
	struct klp_sdk_shadow *const *pos;

	if (data ? !sim_readable(data) : had)
		wrong(patch, state, "a task in forced-out code has lost its data");
	klp_sdk_for_each_shadow(state, pos) {
		data = (*pos)->type->slots->table;
		if (data ? !sim_readable(data) : had)
			wrong(patch, state, "a task in forced-out code has lost its values");
	}
}

/* Its functions run no more, but those from which a forced transition took a task. */
static void check_gone(const struct klp_sdk_patch *patch, bool now)
{
	struct klp_sdk_state *const *pos;
	const struct klp_state *kstate;

	for (kstate = patch->patch.states; now && kstate && kstate->id; kstate++)
		if (kstate->data && !sim_readable(kstate->data))
			sim_wrong("%s: the core's state %lu has data that is freed",
				  patch->patch.mod->name, kstate->id);
	klp_sdk_for_each_state(patch, pos) {
		const struct klp_sdk_state *state = *pos;
		const struct klp_sdk_slots *slots = state->slots;

		if (now && !(patch->patch.forced && raw_seen) &&
		    ((slots->live && !sim_readable(slots->live)) ||
		     (slots->data && !sim_readable(slots->data))))
			wrong(patch, state, "the patch that goes has data that is freed");
		if (patch->patch.forced && !raw_seen)
			check_forced_out(patch, state);
	}
}

void sim_readers_end(void)
{
	u64 listed = find_listed();
	int nr;

	for (nr = 0; nr < SIM_NR_PATCHES; nr++) {
		if (listed & BIT_ULL(nr))
			check_listed(patches[nr]);
		else if (sim_is_loaded[nr] && patches[nr])
			check_gone(patches[nr], was_listed & BIT_ULL(nr));
	}
}
