/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the engine's files share: the steps of a state, and the log.
 *
 * The path of a state: patch.c is called by the module's init and by the core. It
 * has declare.c check what the author wrote, has the patch join and quit the state,
 * hold.c, and calls for each callback, state by state, the step in state.c that fits
 * the state's phase. leaver.c has the states that the patch takes away; record.c keeps
 * what outlives the module, and dispose.c says what of it a force leaves behind.
 */
#ifndef _KLP_SDK_ENGINE_H
#define _KLP_SDK_ENGINE_H

#include <linux/minmax.h>
#include <linux/printk.h>
#include <asm/barrier.h>

#include <klp-sdk/klp-sdk.h>

#include "record.h"

/* How a patch gets a state's data. */
enum klp_sdk_how {
	KLP_SDK_HOW_NONE,	/* retires the state; this patch never has it */
	KLP_SDK_HOW_INTRODUCE,	/* the state is new to the system */
	KLP_SDK_HOW_SHARE,	/* another patch has it and stays: stackable */
	KLP_SDK_HOW_INHERIT,	/* same version: hand over the object */
	KLP_SDK_HOW_GROW,	/* older version, the object grows in place */
	KLP_SDK_HOW_CONVERT,	/* older version, into a new object */
	KLP_SDK_HOW_COPY,	/* same version, no object of its own: a new one */
	KLP_SDK_HOW_SHRINK,	/* newer version, the object stays */
	KLP_SDK_HOW_CONVERT_BACK, /* newer version, into a new object */
};

/* What the log calls a patch of which nothing but the core's state is known. */
#define klp_sdk_raw_name	"a livepatch without klp-sdk"

/* And one that was forced out. */
#define klp_sdk_orphan_name	"a patch that was forced out"

/* The object that a record names. */
static inline const char *klp_sdk_object_name(const char *object)
{
	return *object ? object : "vmlinux";
}

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

/* The flags of a holder. */
static inline u32 klp_sdk_declared_flags(const struct klp_sdk_state *state)
{
	return (state->props->stackable ? KLP_SDK_HOLDER_STACKABLE : 0) |
	       (state->props->permanent ? KLP_SDK_HOLDER_PERMANENT : 0);
}

static inline bool
klp_sdk_shadow_indexed(const struct klp_sdk_shadow_record *owned)
{
	return owned->flags & KLP_SDK_SHADOW_INDEXED;
}

/* One line per refusal: patch, state, what is wrong and what to do. */
#define klp_sdk_state_err(_patch, _state, fmt, ...)			\
	pr_err("klp-sdk: %s: state '%s' (id %lu): " fmt "\n",		\
	       (_patch)->patch.mod->name, (_state)->name,		\
	       klp_sdk_state_id(_state), ##__VA_ARGS__)

/* Memory ran out, or the author's pre_patch refused. */
#define klp_sdk_state_failed(_patch, _state, _error)			\
	klp_sdk_state_err(_patch, _state,				\
			  "pre_patch failed with %d; nothing was changed", \
			  _error)

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

/* An object that a replaced patch has made, for those who take over from it. */
static inline void __klp_sdk_prev *klp_sdk_as_prev(void *data)
{
	return (void __force __klp_sdk_prev *)data;
}

/* As klp_sdk_slot_publish(), for what klp_sdk_prev() reads. */
static inline void klp_sdk_prev_publish(void __klp_sdk_prev **slot, void *data)
{
	/* Pairs with the address dependency in klp_sdk_dereference(). */
	smp_store_release(slot, klp_sdk_as_prev(data));
}

/* All that the engine does to a state it does in a callback, by phases. */
#ifdef __CHECKER__
# define __klp_sdk_in_callback	__attribute__((context(KLP_SDK_CALLBACK, 1, 1)))
#else
# define __klp_sdk_in_callback
#endif

/**
 * struct klp_sdk_leaver - A state of replaced patches that goes away
 * @node:	entry in klp_sdk_patch.leavers
 * @record:	the state's record, whose holders are all replaced patches
 * @retiring:	the declaration that retires it, whose functions undo it; NULL if
 *		the holders' own do
 */
struct klp_sdk_leaver {
	struct list_head node;
	struct klp_sdk_record *record;
	const struct klp_sdk_state *retiring;
};

/* Bytes to allocate for a value. */
static inline size_t klp_sdk_shadow_size(const struct klp_sdk_shadow_type *type)
{
	return max(type->size, type->props->reserve);
}

#define klp_sdk_for_each_shadow(_state, _pos)				\
	for ((_pos) = (_state)->props->shadows; (_pos) && *(_pos); (_pos)++)

int klp_sdk_check_patch(struct klp_sdk_patch *patch);

struct klp_object *klp_sdk_find_object(const struct klp_sdk_patch *patch,
				       const char *name);

int klp_sdk_leavers_find(struct klp_sdk_patch *patch);
void klp_sdk_leavers_begin(struct klp_sdk_patch *patch,
			   const struct klp_object *obj);
void klp_sdk_leavers_back(struct klp_sdk_patch *patch);
void klp_sdk_leavers_end(struct klp_sdk_patch *patch);
int klp_sdk_leaver_add(struct klp_sdk_patch *patch,
		       struct klp_sdk_record *record,
		       const struct klp_sdk_state *retiring);

struct klp_sdk_holder *klp_sdk_record_holder(const struct klp_sdk_patch *patch,
					     struct klp_sdk_record *record,
					     const struct klp_state __klp_sdk_prev *kstate);

bool klp_sdk_forced(const struct klp_sdk_record *record);
bool klp_sdk_orphan(const struct klp_sdk_record *record);
void klp_sdk_inherit_forced(struct klp_sdk_record *record,
			    const struct klp_sdk_record *from);
void klp_sdk_check_forced(struct klp_sdk_record *record);
void klp_sdk_check_forced_out(struct klp_sdk_record *record,
			      const struct klp_sdk_holder *holder);
void klp_sdk_free_data(const struct klp_sdk_record *record, void *data);
void klp_sdk_keep_patch(const struct klp_sdk_record *record,
			struct klp_sdk_holder *holder);
void klp_sdk_keep_object(const struct klp_sdk_record *record,
			 struct klp_object *obj);
void klp_sdk_lose_room(struct klp_sdk_record *record, u64 size);
bool klp_sdk_orphan_make(struct klp_sdk_record *record, struct klp_object *obj,
			 const struct klp_sdk_patch *patch);
void klp_sdk_orphan_lost(struct klp_sdk_record *record);
void klp_sdk_orphan_check(struct klp_sdk_record *record, struct klp_object *obj);
void klp_sdk_orphan_adopt(struct klp_sdk_record *record, struct klp_object *obj);
void klp_sdk_orphan_abandon(const struct klp_sdk_record *record);

void klp_sdk_stacked_err(const struct klp_sdk_patch *patch,
			 const struct klp_sdk_state *state,
			 const struct klp_sdk_record *record,
			 const struct klp_sdk_holder *holder);
int klp_sdk_check_room(struct klp_sdk_patch *patch,
		       struct klp_sdk_state *state, u64 room);

int klp_sdk_state_join(struct klp_sdk_patch *patch,
		       struct klp_sdk_state *state);
void klp_sdk_state_settle(struct klp_sdk_patch *patch,
			  struct klp_sdk_state *state);
void klp_sdk_state_quit(struct klp_sdk_state *state);

int klp_sdk_state_reserve(struct klp_sdk_patch *patch,
			  struct klp_sdk_state *state);
void klp_sdk_state_unreserve(struct klp_sdk_state *state);
int klp_sdk_state_prepare(struct klp_sdk_patch *patch,
			  struct klp_sdk_state *state);
void klp_sdk_state_unprepare(struct klp_sdk_patch *patch,
			     struct klp_sdk_state *state, bool gone);
void klp_sdk_state_complete(struct klp_sdk_patch *patch,
			    struct klp_sdk_state *state);
void klp_sdk_state_leave(struct klp_sdk_patch *patch,
			 struct klp_sdk_state *state);
void klp_sdk_state_stay(struct klp_sdk_patch *patch,
			struct klp_sdk_state *state);
void klp_sdk_state_release(struct klp_sdk_patch *patch,
			   struct klp_sdk_state *state, bool quits);
void klp_sdk_state_free_spare(struct klp_sdk_state *state);

int klp_sdk_shadows_check(struct klp_sdk_patch *patch,
			  struct klp_sdk_state *const *pos);
int klp_sdk_shadows_plan(struct klp_sdk_patch *patch,
			 struct klp_sdk_state *state,
			 struct klp_sdk_record *record);
bool klp_sdk_shadows_join(struct klp_sdk_state *state);
void klp_sdk_shadows_quit(struct klp_sdk_state *state);
void klp_sdk_shadows_settle(struct klp_sdk_patch *patch,
			    struct klp_sdk_state *state);
bool klp_sdk_shadows_prepare(struct klp_sdk_state *state);
bool klp_sdk_shadows_pending(const struct klp_sdk_state *state);
void klp_sdk_shadows_publish(struct klp_sdk_state *state, bool live);
void klp_sdk_shadows_complete(struct klp_sdk_state *state);
void klp_sdk_shadows_let_go(struct klp_sdk_state *state, bool undo);
void klp_sdk_shadows_retire(const struct klp_sdk_leaver *leaver, bool retire);
void klp_sdk_shadows_empty(struct klp_sdk_record *record,
			   struct klp_sdk_holder *holder);
bool klp_sdk_shadow_holders_make(struct klp_sdk_holder *holder,
				 const struct klp_sdk_state *state);
void klp_sdk_shadow_holders_free(struct klp_sdk_holder *holder);
void klp_sdk_shadows_forget(struct klp_sdk_record *record);
void klp_sdk_shadows_lost(struct klp_sdk_record *record);
bool klp_sdk_shadows_same(const struct klp_sdk_state *state,
			  const struct klp_sdk_record *record);

void (*klp_sdk_shadow_dtor(const struct klp_sdk_shadow_holder *part,
			   u32 version))(void *parent, void *data);
const struct klp_sdk_shadow_convert *
klp_sdk_shadow_conversion(const struct klp_sdk_shadow_type *type, u32 version);
struct klp_sdk_shadow_table *
klp_sdk_shadow_table_make(const struct klp_sdk_shadow_record *owned);
void klp_sdk_shadow_table_free(struct klp_sdk_shadow_table *table,
			       struct klp_sdk_shadow_holder *part);
int klp_sdk_shadow_reserve(struct klp_sdk_shadow *shadow,
			   struct klp_sdk_shadow_table *table);
void klp_sdk_shadow_unreserve(struct klp_sdk_shadow *shadow);
void klp_sdk_shadow_convert_all(struct klp_sdk_shadow *shadow,
				struct klp_sdk_shadow_table *table);

#endif /* _KLP_SDK_ENGINE_H */
