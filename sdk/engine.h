/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the engine's files share: the steps of a state, and the log.
 *
 * The path of a state: patch.c is called by the module's init and by the core;
 * for each callback it calls, state by state, the step in state.c that fits the
 * state's phase; record.c keeps what outlives the module.
 */
#ifndef _KLP_SDK_ENGINE_H
#define _KLP_SDK_ENGINE_H

#include <linux/minmax.h>
#include <linux/printk.h>
#include <asm/barrier.h>

#include <klp-sdk/klp-sdk.h>

#include "record.h"

static inline unsigned long klp_sdk_state_id(const struct klp_sdk_state *state)
{
	return (__force unsigned long)state->props->id;
}

static inline enum klp_sdk_phase
klp_sdk_state_phase(const struct klp_sdk_state *state)
{
	return state->holder ? state->holder->phase : KLP_SDK_IDLE;
}

/* Bytes to allocate for the data. */
static inline size_t klp_sdk_alloc_size(const struct klp_sdk_state *state)
{
	return max(state->size, state->props->reserve);
}

/* The flags of a record that the declaration gives. */
static inline u32 klp_sdk_declared_flags(const struct klp_sdk_state *state)
{
	return (state->props->stackable ? KLP_SDK_RECORD_STACKABLE : 0) |
	       (state->props->permanent ? KLP_SDK_RECORD_PERMANENT : 0);
}

/* One line per refusal: patch, state, what is wrong and what to do. */
#define klp_sdk_state_err(_patch, _state, fmt, ...)			\
	pr_err("klp-sdk: %s: state '%s' (id %lu): " fmt "\n",		\
	       (_patch)->patch.mod->name, (_state)->name,		\
	       klp_sdk_state_id(_state), ##__VA_ARGS__)

#define klp_sdk_state_dbg(_patch, _state, fmt, ...)			\
	pr_debug("klp-sdk: %s: state '%s' (id %lu): " fmt "\n",		\
		 (_patch)->patch.mod->name, (_state)->name,		\
		 klp_sdk_state_id(_state), ##__VA_ARGS__)

#define klp_sdk_for_each_state(_patch, _pos)				\
	for ((_pos) = (_patch)->states; (_pos) && *(_pos); (_pos)++)

/* The state that @patch declares under @id, or NULL. */
static inline struct klp_sdk_state *
klp_sdk_find_state(const struct klp_sdk_patch *patch, unsigned long id)
{
	struct klp_sdk_state *const *pos;

	klp_sdk_for_each_state(patch, pos)
		if (klp_sdk_state_id(*pos) == id)
			return *pos;

	return NULL;
}

/* The one way in which readers get to see an object or lose it. */
static inline void klp_sdk_slot_publish(void **slot, void *data)
{
	/* Pairs with the address dependency in klp_sdk_live(). */
	smp_store_release(slot, data);
}

/**
 * struct klp_sdk_leaver - A state of replaced patches that goes away
 * @node:	entry in klp_sdk_patch.leavers
 * @record:	the state's record
 * @undo:	whose pre_unpatch and post_unpatch undo it: the holder's, or
 *		those of the patch that retires it
 * @redo:	whose post_patch makes the change again if the transition is
 *		reversed: the holder's, which goes on working
 */
struct klp_sdk_leaver {
	struct list_head node;
	struct klp_sdk_record *record;
	const struct klp_sdk_state_fns *undo;
	const struct klp_sdk_state_fns *redo;
};

int klp_sdk_leavers_find(struct klp_sdk_patch *patch);
void klp_sdk_leavers_begin(struct klp_sdk_patch *patch);
void klp_sdk_leavers_back(struct klp_sdk_patch *patch);
void klp_sdk_leavers_end(struct klp_sdk_patch *patch);
void klp_sdk_leavers_forget(struct klp_sdk_patch *patch);
int klp_sdk_leaver_add(struct klp_sdk_patch *patch,
		       struct klp_sdk_record *record,
		       const struct klp_sdk_state_fns *undo,
		       const struct klp_sdk_state_fns *redo);

struct klp_sdk_holder *klp_sdk_record_holder(struct klp_sdk_record *record,
					     const struct klp_state *kstate);
void klp_sdk_record_check_forced(struct klp_sdk_record *record);

int klp_sdk_state_prepare(struct klp_sdk_patch *patch,
			  struct klp_sdk_state *state);
void klp_sdk_state_unprepare(struct klp_sdk_patch *patch,
			     struct klp_sdk_state *state);
void klp_sdk_state_complete(struct klp_sdk_patch *patch,
			    struct klp_sdk_state *state);
void klp_sdk_state_leave(struct klp_sdk_patch *patch,
			 struct klp_sdk_state *state);
void klp_sdk_state_stay(struct klp_sdk_patch *patch,
			struct klp_sdk_state *state);
void klp_sdk_state_release(struct klp_sdk_patch *patch,
			   struct klp_sdk_state *state);
void klp_sdk_state_free_spare(struct klp_sdk_state *state);

#endif /* _KLP_SDK_ENGINE_H */
