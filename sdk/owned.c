// SPDX-License-Identifier: GPL-2.0
/*
 * The shadow types that a state owns follow it through its life, step by step: they
 * are planned, joined, settled and quit with hold.c, prepared, completed and let
 * go with state.c.
 *
 * A type's record, with the table, outlives the modules; a patch's part in it is an
 * entry of its holder, with the dtors. The table is there while the state has data.
 * All that is said here of a type holds for both backends, but that a plain type
 * may have values of older layouts at any time, and that nobody can tell how many.
 */
#include <linux/err.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "engine.h"

static unsigned long klp_sdk_shadow_id(const struct klp_sdk_shadow *shadow)
{
	return (__force unsigned long)shadow->type->props->id;
}

#define klp_sdk_shadow_err(_patch, _state, _shadow, fmt, ...)		\
	klp_sdk_state_err(_patch, _state, "shadow type '%s' (id %#lx): " fmt, \
			  (_shadow)->type->name, klp_sdk_shadow_id(_shadow), \
			  ##__VA_ARGS__)

static struct klp_sdk_shadow *
klp_sdk_find_shadow(const struct klp_sdk_state *state, unsigned long id)
{
	struct klp_sdk_shadow *const *pos;

	klp_sdk_for_each_shadow(state, pos)
		if (klp_sdk_shadow_id(*pos) == id)
			return *pos;

	return NULL;
}

static struct klp_sdk_shadow_record *
klp_sdk_find_owned(const struct list_head *shadows, unsigned long id)
{
	struct klp_sdk_shadow_record *owned;

	list_for_each_entry(owned, shadows, node)
		if (owned->id == id)
			return owned;

	return NULL;
}

static struct klp_sdk_shadow_holder *
klp_sdk_find_part(const struct klp_sdk_holder *holder, unsigned long id)
{
	struct klp_sdk_shadow_holder *part;

	list_for_each_entry(part, &holder->shadows, node)
		if (part->id == id)
			return part;

	return NULL;
}

/* How @part releases a value of this layout; NULL without @part. */
void (*klp_sdk_shadow_dtor(const struct klp_sdk_shadow_holder *part,
			   u32 version))(void *parent, void *data)
{
	u32 i;

	if (!part)
		return NULL;
	if (part->undo && part->dtors[0].version == version)
		return part->undo;
	for (i = 0; i < part->nr_dtors; i++)
		if (part->dtors[i].version == version)
			return part->dtors[i].dtor;

	return NULL;
}

/* What the compiler could not check of the older layouts of one type. */
static int klp_sdk_shadow_check_from(struct klp_sdk_patch *patch,
				     struct klp_sdk_state *state,
				     const struct klp_sdk_shadow *shadow)
{
	const struct klp_sdk_shadow_props *props = shadow->type->props;
	const struct klp_sdk_shadow_convert *how;
	int i;

	for (i = 0; i < KLP_SDK_SHADOW_MAX_FROM; i++) {
		how = props->convert[i].how;
		if (!how)
			continue;
		if (how->version >= props->version) {
			klp_sdk_shadow_err(patch, state, shadow,
					   "conversion from version %u is not from an older one than %u; correct .convert",
					   how->version, props->version);
			return -EINVAL;
		}
		/* Completion must not fail for want of a large piece of memory. */
		if (props->indexed && klp_sdk_shadow_size(shadow->type) > PAGE_SIZE) {
			klp_sdk_shadow_err(patch, state, shadow,
					   "values of more than %lu bytes cannot be converted in an index; keep less in them, and a pointer",
					   PAGE_SIZE);
			return -EINVAL;
		}
		if (!props->convert[0].how ||
		    klp_sdk_shadow_conversion(shadow->type, how->version) != how) {
			klp_sdk_shadow_err(patch, state, shadow,
					   "the first entry of .convert is empty, or two are from version %u; list each once",
					   how->version);
			return -EINVAL;
		}
	}

	return 0;
}

/* Is the type at @at of the state at @pos, or its id, one that comes before it? */
static int klp_sdk_shadow_check_twice(struct klp_sdk_patch *patch,
				      struct klp_sdk_state *const *pos,
				      struct klp_sdk_shadow *const *at)
{
	struct klp_sdk_shadow *const *other;
	struct klp_sdk_state *const *before;

	for (before = patch->states; before <= pos; before++) {
		klp_sdk_for_each_shadow(*before, other) {
			if (other == at)
				break;
			if (klp_sdk_shadow_id(*other) != klp_sdk_shadow_id(*at))
				continue;
			if (*other == *at)
				klp_sdk_shadow_err(patch, *pos, *at,
						   "state '%s' lists it, too; list it once",
						   (*before)->name);
			else
				klp_sdk_shadow_err(patch, *pos, *at,
						   "shadow type '%s' of this patch has the same id; give each its own",
						   (*other)->type->name);
			return -EINVAL;
		}
	}

	return 0;
}

/* The types of the state at @pos, against those of the states before it. */
int klp_sdk_shadows_check(struct klp_sdk_patch *patch,
			  struct klp_sdk_state *const *pos)
{
	struct klp_sdk_shadow *const *shadow;
	struct klp_sdk_state *state = *pos;
	int ret;

	klp_sdk_for_each_shadow(state, shadow) {
		const struct klp_sdk_shadow_type *type = (*shadow)->type;

		if (!klp_sdk_shadow_id(*shadow) || !type->props->version ||
		    klp_sdk_shadow_id(*shadow) >> KLP_SDK_SHADOW_BITS) {
			klp_sdk_shadow_err(patch, state, *shadow,
					   "id and version must not be 0, the id has 48 bits; correct KLP_SDK_SHADOW()");
			return -EINVAL;
		}
		if (strlen(type->name) >= KLP_SDK_NAME_LEN) {
			klp_sdk_shadow_err(patch, state, *shadow,
					   "the name is too long; use at most %d letters",
					   KLP_SDK_NAME_LEN - 1);
			return -EINVAL;
		}
		ret = klp_sdk_shadow_check_twice(patch, pos, shadow);
		if (ret)
			return ret;
		ret = klp_sdk_shadow_check_from(patch, state, *shadow);
		if (ret)
			return ret;
	}

	return 0;
}

/* The layouts of which there may be values: 0 to @owned->nr_older, the newest last. */
static u32 klp_sdk_shadow_version(const struct klp_sdk_shadow_record *owned, u32 i)
{
	return i < owned->nr_older ? owned->older[i].version : owned->now.version;
}

/* May there be values of this layout? */
static bool klp_sdk_shadow_has_layout(const struct klp_sdk_shadow_record *owned,
				      u32 version)
{
	u32 i;

	for (i = 0; i <= owned->nr_older; i++)
		if (klp_sdk_shadow_version(owned, i) == version)
			return true;

	return false;
}

/* The id must not be that of another state's type. */
static int klp_sdk_shadow_check_id(struct klp_sdk_patch *patch,
				   struct klp_sdk_state *state,
				   const struct klp_sdk_shadow *shadow)
{
	const struct klp_sdk_root *root = klp_sdk_root();
	const struct klp_sdk_shadow_record *owned;
	const struct klp_sdk_record *record;
	unsigned long id = klp_sdk_shadow_id(shadow);

	if (!root)
		return 0;
	list_for_each_entry(record, &root->records, node) {
		owned = klp_sdk_find_owned(&record->shadows, id);
		if (!owned || record->id == klp_sdk_state_id(state))
			continue;
		klp_sdk_shadow_err(patch, state, shadow,
				   "the id belongs to shadow type '%s' of state '%s'; choose another id",
				   owned->name, record->name);
		return -EINVAL;
	}

	return 0;
}

/* Have values of layout @version stayed behind under the id of @shadow? */
static bool klp_sdk_shadow_lost(const struct klp_sdk_shadow *shadow, u32 version)
{
	const struct klp_sdk_root *root = klp_sdk_root();
	const struct klp_sdk_shadow_record *lost;

	if (!root)
		return false;
	list_for_each_entry(lost, &root->lost, node)
		if (lost->id == klp_sdk_shadow_id(shadow) &&
		    klp_sdk_shadow_has_layout(lost, version))
			return true;

	return false;
}

/*
 * The patch would find values that stayed behind, of the layout @version or of one that
 * it converts. Those of @owned, which may be NULL, are not lost.
 */
static int klp_sdk_shadow_check_lost(struct klp_sdk_patch *patch,
				     struct klp_sdk_state *state,
				     const struct klp_sdk_shadow *shadow,
				     const struct klp_sdk_shadow_record *owned,
				     u32 version)
{
	if (!klp_sdk_shadow_lost(shadow, version) ||
	    (owned && klp_sdk_shadow_has_layout(owned, version)))
		return 0;

	klp_sdk_shadow_err(patch, state, shadow,
			   "values of version %u were left behind by a forced transition, and their parents may be gone; choose another id, or reboot",
			   version);
	return -EBUSY;
}

static int klp_sdk_shadow_plan_lost(struct klp_sdk_patch *patch,
				    struct klp_sdk_state *state,
				    const struct klp_sdk_shadow *shadow,
				    const struct klp_sdk_record *record)
{
	const struct klp_sdk_shadow_props *props = shadow->type->props;
	const struct klp_sdk_shadow_record *owned;
	const struct klp_sdk_shadow_convert *how;
	int i, ret;

	owned = record ? klp_sdk_find_owned(&record->shadows,
					    klp_sdk_shadow_id(shadow)) : NULL;
	ret = klp_sdk_shadow_check_lost(patch, state, shadow, owned, props->version);
	for (i = 0; !ret && i < KLP_SDK_SHADOW_MAX_FROM; i++) {
		how = props->convert[i].how;
		if (how)
			ret = klp_sdk_shadow_check_lost(patch, state, shadow, owned,
							how->version);
	}

	return ret;
}

/* The layouts of which there may be values: the newest, or one before it. */
static int klp_sdk_shadow_plan_layout(struct klp_sdk_patch *patch,
				      struct klp_sdk_state *state,
				      struct klp_sdk_shadow *shadow,
				      const struct klp_sdk_shadow_layout *layout)
{
	const struct klp_sdk_shadow_convert *how;

	if (layout->version > shadow->type->props->version) {
		klp_sdk_shadow_err(patch, state, shadow,
				   "there may be values of version %u, and version %u here is older; load a patch with version %u or later, or disable the one that has them first",
				   layout->version,
				   shadow->type->props->version,
				   layout->version);
		return -EINVAL;
	}
	how = klp_sdk_shadow_conversion(shadow->type, layout->version);
	if (!how) {
		klp_sdk_shadow_err(patch, state, shadow,
				   "no conversion from version %u, of which there may be values, to version %u; add a KLP_SDK_SHADOW_CONVERT() from it",
				   layout->version,
				   shadow->type->props->version);
		return -EINVAL;
	}
	if (how->old_size != layout->data_size) {
		klp_sdk_shadow_err(patch, state, shadow,
				   "version %u has %llu bytes, but the conversion takes %zu; correct the older type",
				   layout->version, layout->data_size,
				   how->old_size);
		return -EINVAL;
	}

	shadow->from = how;
	return 0;
}

/* Values of the same layout, and of the same size unless they have grown. */
static int klp_sdk_shadow_plan_size(struct klp_sdk_patch *patch,
				    struct klp_sdk_state *state,
				    const struct klp_sdk_shadow *shadow,
				    const struct klp_sdk_shadow_record *owned)
{
	const struct klp_sdk_shadow_type *type = shadow->type;
	int i;

	if (owned->now.data_size == type->size)
		return 0;

	for (i = 0; i < KLP_SDK_SHADOW_MAX_FROM; i++) {
		if (type->props->grow[i].size != owned->now.data_size ||
		    state->plan == KLP_SDK_HOW_SHARE)
			continue;
		if (type->size <= owned->alloc_size)
			return 0;
		klp_sdk_shadow_err(patch, state, shadow,
				   "cannot grow to %zu bytes, the values have room for %llu; raise .version and use KLP_SDK_SHADOW_CONVERT()",
				   type->size, owned->alloc_size);
		return -EINVAL;
	}

	if (owned->now.data_size > type->size) {
		klp_sdk_shadow_err(patch, state, shadow,
				   "version %u has grown to %llu bytes and has %zu here; go on from the patch that has them, or raise .version",
				   owned->now.version, owned->now.data_size,
				   type->size);
		return -EINVAL;
	}
	klp_sdk_shadow_err(patch, state, shadow,
			   "version %u has %llu bytes in the system and %zu here; raise .version, or declare KLP_SDK_SHADOW_GREW()",
			   owned->now.version, owned->now.data_size, type->size);
	return -EINVAL;
}

static int klp_sdk_shadow_plan(struct klp_sdk_patch *patch,
			       struct klp_sdk_state *state,
			       struct klp_sdk_shadow *shadow,
			       const struct klp_sdk_shadow_record *owned)
{
	const struct klp_sdk_shadow_type *type = shadow->type;
	bool same = state->plan == KLP_SDK_HOW_INHERIT ||
		    state->plan == KLP_SDK_HOW_SHARE;
	u32 i, version = type->props->version;
	int ret;

	if (strcmp(owned->name, type->name)) {
		klp_sdk_shadow_err(patch, state, shadow,
				   "the id belongs to shadow type '%s'; choose another id",
				   owned->name);
		return -EINVAL;
	}
	if (klp_sdk_shadow_indexed(owned) != type->props->indexed) {
		klp_sdk_shadow_err(patch, state, shadow,
				   "its values are %s; set .indexed as the patch before",
				   klp_sdk_shadow_indexed(owned) ? "indexed" :
								   "not indexed");
		return -EINVAL;
	}

	/* A plain type's stragglers, whatever becomes of the newest layout. */
	for (i = 0; i < owned->nr_older; i++) {
		ret = klp_sdk_shadow_plan_layout(patch, state, shadow,
						 &owned->older[i]);
		if (ret)
			return ret;
	}
	shadow->from = NULL;
	if (owned->now.version == version)
		return klp_sdk_shadow_plan_size(patch, state, shadow, owned);

	/* Going forward would otherwise look like a plain hand-over. */
	if (owned->now.version < version && same) {
		klp_sdk_shadow_err(patch, state, shadow,
				   "version %u is in the system and %u here, at the same version of the state; raise the state's .version",
				   owned->now.version, version);
		return -EINVAL;
	}
	if (owned->nr_older == ARRAY_SIZE(owned->older)) {
		klp_sdk_shadow_err(patch, state, shadow,
				   "there may be values of too many older layouts; have one patch retire the state");
		return -EINVAL;
	}
	return klp_sdk_shadow_plan_layout(patch, state, shadow, &owned->now);
}

/*
 * May this patch have the state's shadow types as it declares them? @record is what
 * it is going to hold, NULL for one of its own. Changes nothing of the system.
 */
int klp_sdk_shadows_plan(struct klp_sdk_patch *patch,
			 struct klp_sdk_state *state,
			 struct klp_sdk_record *record)
{
	struct klp_sdk_shadow_record *owned;
	struct klp_sdk_shadow *const *pos;
	int ret;

	klp_sdk_for_each_shadow(state, pos) {
		(*pos)->from = NULL;
		ret = klp_sdk_shadow_check_id(patch, state, *pos);
		if (ret)
			return ret;
		owned = record ? klp_sdk_find_owned(&record->shadows,
						    klp_sdk_shadow_id(*pos)) : NULL;
		if (owned)
			ret = klp_sdk_shadow_plan(patch, state, *pos, owned);
		if (ret)
			return ret;
		if (owned || state->plan != KLP_SDK_HOW_SHARE)
			continue;
		klp_sdk_shadow_err(patch, state, *pos,
				   "not known to those who share the state; list the same types");
		return -EINVAL;
	}

	klp_sdk_for_each_shadow(state, pos) {
		ret = klp_sdk_shadow_plan_lost(patch, state, *pos, record);
		if (ret)
			return ret;
	}
	if (state->plan != KLP_SDK_HOW_SHARE)
		return 0;
	list_for_each_entry(owned, &record->shadows, node) {
		if (klp_sdk_find_shadow(state, owned->id))
			continue;
		klp_sdk_state_err(patch, state,
				  "shadow type '%s' (id %#lx) is missing here; list the types of those who share the state",
				  owned->name, owned->id);
		return -EINVAL;
	}
	return 0;
}

/*
 * Does this patch know the values as they are? It takes a newer patch's place, which
 * has a way back for the state's data, but none for values.
 */
bool klp_sdk_shadows_same(const struct klp_sdk_state *state,
			  const struct klp_sdk_record *record)
{
	const struct klp_sdk_shadow_record *owned;
	const struct klp_sdk_shadow_type *type;
	struct klp_sdk_shadow *const *pos;

	klp_sdk_for_each_shadow(state, pos) {
		type = (*pos)->type;
		owned = klp_sdk_find_owned(&record->shadows,
					   klp_sdk_shadow_id(*pos));
		if (owned && (owned->nr_older || strcmp(owned->name, type->name) ||
			      klp_sdk_shadow_indexed(owned) != type->props->indexed ||
			      owned->now.version != type->props->version ||
			      owned->now.data_size != type->size))
			return false;
	}

	return true;
}

/* The entries of @holder. False if there is no memory; what was made stays. */
bool klp_sdk_shadow_holders_make(struct klp_sdk_holder *holder,
				 const struct klp_sdk_state *state)
{
	const struct klp_sdk_shadow_convert *how;
	struct klp_sdk_shadow_holder *part;
	struct klp_sdk_shadow_dtor *dtor;
	struct klp_sdk_shadow *const *pos;
	int i;

	klp_sdk_for_each_shadow(state, pos) {
		part = klp_sdk_compat_kzalloc(sizeof(*part), GFP_KERNEL);
		if (!part)
			return false;

		part->abi = KLP_SDK_ABI;
		part->size = sizeof(*part);
		part->id = klp_sdk_shadow_id(*pos);
		part->slots = (*pos)->type->slots;
		part->slots_size = sizeof(*part->slots);
		dtor = part->dtors;
		dtor->version = (*pos)->type->props->version;
		dtor++->dtor = (*pos)->type->props->dtor ? (*pos)->type->dtor :
							   NULL;
		for (i = 0; i < KLP_SDK_SHADOW_MAX_FROM; i++) {
			how = (*pos)->type->props->convert[i].how;
			if (!how)
				continue;
			dtor->version = how->version;
			dtor++->dtor = how->dtor;
		}
		part->nr_dtors = dtor - part->dtors;
		list_add_tail_rcu(&part->node, &holder->shadows);
	}

	return true;
}

void klp_sdk_shadow_holders_free(struct klp_sdk_holder *holder)
{
	struct klp_sdk_shadow_holder *part, *next;

	list_for_each_entry_safe(part, next, &holder->shadows, node) {
		list_del_rcu(&part->node);
		kfree_rcu(part, rcu);
	}
}

static void klp_sdk_shadow_set_layout(struct klp_sdk_shadow_record *owned,
				      const struct klp_sdk_shadow_type *type)
{
	owned->now.version = type->props->version;
	owned->now.data_size = type->size;
	owned->alloc_size = klp_sdk_shadow_size(type);
}

/* Records for the types that are new to the system. False without memory. */
bool klp_sdk_shadows_join(struct klp_sdk_state *state)
{
	struct klp_sdk_shadow_record *owned;
	struct klp_sdk_shadow *const *pos;

	klp_sdk_for_each_shadow(state, pos) {
		owned = klp_sdk_find_owned(&state->record->shadows,
					   klp_sdk_shadow_id(*pos));
		(*pos)->fresh = !owned;
		if (owned) {
			(*pos)->record = owned;
			continue;
		}

		owned = klp_sdk_compat_kzalloc(sizeof(*owned), GFP_KERNEL);
		if (!owned)
			return false;
		owned->abi = KLP_SDK_ABI;
		owned->size = sizeof(*owned);
		owned->id = klp_sdk_shadow_id(*pos);
		owned->flags = (*pos)->type->props->indexed ?
			       KLP_SDK_SHADOW_INDEXED : 0;
		strscpy(owned->name, (*pos)->type->name, sizeof(owned->name));
		klp_sdk_shadow_set_layout(owned, (*pos)->type);
		list_add_tail_rcu(&owned->node, &state->record->shadows);
		(*pos)->record = owned;
	}

	return true;
}

static void klp_sdk_shadow_clear(struct klp_sdk_shadow_slots *slots)
{
	WRITE_ONCE(slots->live, 0);
	WRITE_ONCE(slots->table, NULL);
}

/* Under how many ids of the kernel for values of @owned may there be those of @other? */
static u32 klp_sdk_shadow_shared(const struct klp_sdk_shadow_record *owned,
				 const struct klp_sdk_shadow_record *other)
{
	u32 i, nr = 0;

	for (i = 0; i <= owned->nr_older; i++)
		nr += klp_sdk_shadow_has_layout(other, klp_sdk_shadow_version(owned, i));

	return nr;
}

/*
 * The other record whose plain values are found under an id of the kernel that those of
 * @owned have, or NULL: a state that goes and the one that comes may both have the type.
 * To the newer one they may be values of an older layout, not converted yet.
 */
static struct klp_sdk_record *
klp_sdk_shadow_heir(const struct klp_sdk_record *record,
		    const struct klp_sdk_shadow_record *owned)
{
	struct klp_sdk_root *root = klp_sdk_root();
	const struct klp_sdk_shadow_record *other;
	struct klp_sdk_record *heir;

	list_for_each_entry(heir, &root->records, node) {
		other = klp_sdk_find_owned(&heir->shadows, owned->id);
		if (other && heir != record && other->table &&
		    klp_sdk_shadow_shared(owned, other))
			return heir;
	}

	return NULL;
}

/* Free the plain values of @owned of which no layout is one of @heir's. */
static void klp_sdk_shadow_free_rest(struct klp_sdk_shadow_record *owned,
				     const struct klp_sdk_record *heir)
{
	const struct klp_sdk_shadow_record *other;
	u32 i, version;

	other = klp_sdk_find_owned(&heir->shadows, owned->id);
	for (i = 0; i <= owned->nr_older; i++) {
		version = klp_sdk_shadow_version(owned, i);
		if (!klp_sdk_shadow_has_layout(other, version))
			klp_shadow_free_all(__klp_sdk_shadow_key(owned->id, version),
					    NULL);
	}
}

/* Free the plain values of older layouts. */
static void klp_sdk_shadow_free_older(struct klp_sdk_shadow_record *owned,
				      const struct klp_sdk_shadow_holder *part)
{
	u32 i, version;

	for (i = 0; i < owned->nr_older; i++) {
		version = owned->older[i].version;
		klp_shadow_free_all(__klp_sdk_shadow_key(owned->id, version),
				    klp_sdk_shadow_dtor(part, version));
	}
	owned->nr_older = 0;
}

/*
 * Free all values of @owned, by the dtors of @part, and the table. After a force
 * they stay: in the kernel's table under their id, or in the index, which is left
 * alone.
 */
static void klp_sdk_shadow_empty(struct klp_sdk_record *record,
				 struct klp_sdk_shadow_record *owned,
				 struct klp_sdk_shadow_holder *part)
{
	struct klp_sdk_shadow_table *table = owned->table;
	struct klp_sdk_shadow_holder *other;
	struct klp_sdk_holder *holder;
	u32 version;

	if (!table)
		return;
	if (klp_sdk_forced(record)) {
		if (klp_sdk_shadow_indexed(owned))
			WRITE_ONCE(owned->table, NULL);
		return;
	}

	list_for_each_entry(holder, &record->holders, node) {
		other = klp_sdk_find_part(holder, owned->id);
		if (other)
			klp_sdk_shadow_clear(other->slots);
	}
	WRITE_ONCE(owned->table, NULL);
	if (!klp_sdk_shadow_indexed(owned)) {
		klp_sdk_shadow_free_older(owned, part);
		version = owned->now.version;
		klp_shadow_free_all(__klp_sdk_shadow_key(owned->id, version),
				    klp_sdk_shadow_dtor(part, version));
	}
	klp_sdk_shadow_table_free(table, part);
}

/* The values of all types that the patch of @holder knows. */
void klp_sdk_shadows_empty(struct klp_sdk_record *record,
			   struct klp_sdk_holder *holder)
{
	struct klp_sdk_shadow_record *owned;
	struct klp_sdk_shadow_holder *part;

	list_for_each_entry(part, &holder->shadows, node) {
		owned = klp_sdk_find_owned(&record->shadows, part->id);
		if (owned)
			klp_sdk_shadow_empty(record, owned, part);
	}
}

/* The module that the state is bound to went, and was never undone. */
void klp_sdk_shadows_lost(struct klp_sdk_record *record)
{
	struct klp_sdk_shadow_record *owned;

	list_for_each_entry(owned, &record->shadows, node)
		klp_sdk_shadow_empty(record, owned, NULL);
}

/* Has @heir all layouts of @owned? */
static bool klp_sdk_shadow_inherits(const struct klp_sdk_record *heir,
				    const struct klp_sdk_shadow_record *owned)
{
	const struct klp_sdk_shadow_record *other;

	other = klp_sdk_find_owned(&heir->shadows, owned->id);
	return klp_sdk_shadow_shared(owned, other) == owned->nr_older + 1;
}

/*
 * Forget @owned. Values that are there have nobody left who knows how to release
 * them: their memory is freed, what they have is lost. After a force they stay,
 * and no patch may have them under their id but an heir.
 */
static void klp_sdk_shadow_forget(struct klp_sdk_record *record,
				  struct klp_sdk_shadow_record *owned)
{
	bool plain = owned->table && !klp_sdk_shadow_indexed(owned);
	bool stay = plain && klp_sdk_forced(record);
	struct klp_sdk_record *heir = plain ? klp_sdk_shadow_heir(record, owned) :
					      NULL;

	list_del_rcu(&owned->node);
	/* Its values are not freed, so what else finds them must not. */
	if (stay && heir)
		klp_sdk_inherit_forced(heir, record);
	if (stay && !(heir && klp_sdk_shadow_inherits(heir, owned))) {
		/* For those who read the list that it was in. */
		synchronize_rcu();
		list_add_tail_rcu(&owned->node, &klp_sdk_root()->lost);
		return;
	}
	if (stay) {
		/* The heir has the values. */
	} else if (heir) {
		klp_sdk_shadow_free_rest(owned, heir);
		klp_sdk_shadow_table_free(owned->table, NULL);
	} else {
		klp_sdk_shadow_empty(record, owned, NULL);
	}
	kfree_rcu(owned, rcu);
}

/* With @record, which is about to go and has no holders any more. */
void klp_sdk_shadows_forget(struct klp_sdk_record *record)
{
	struct klp_sdk_shadow_record *owned, *next;

	list_for_each_entry_safe(owned, next, &record->shadows, node)
		klp_sdk_shadow_forget(record, owned);
}

/* The patch failed, was reversed or disabled, and has let go of all values. */
void klp_sdk_shadows_quit(struct klp_sdk_state *state)
{
	struct klp_sdk_shadow *const *pos;

	klp_sdk_for_each_shadow(state, pos) {
		if ((*pos)->fresh && (*pos)->record)
			klp_sdk_shadow_forget(state->record, (*pos)->record);
		(*pos)->record = NULL;
		(*pos)->fresh = false;
	}
}

/* A type that the patch does not have: its values go, by those who knew it. */
static void klp_sdk_shadow_drop(struct klp_sdk_record *record,
				struct klp_sdk_shadow_record *owned)
{
	struct klp_sdk_shadow_holder *part = NULL;
	struct klp_sdk_holder *holder;

	list_for_each_entry(holder, &record->holders, node) {
		part = klp_sdk_find_part(holder, owned->id);
		if (part)
			break;
	}
	klp_sdk_shadow_empty(record, owned, part);
	klp_sdk_shadow_forget(record, owned);
}

/*
 * The transition is complete, and the replaced patches' modules are still in
 * place.
 */
void klp_sdk_shadows_settle(struct klp_sdk_patch *patch,
			    struct klp_sdk_state *state)
{
	struct klp_sdk_shadow_record *owned, *next;
	struct klp_sdk_shadow *shadow;

	list_for_each_entry_safe(owned, next, &state->record->shadows, node) {
		shadow = klp_sdk_find_shadow(state, owned->id);
		if (!shadow) {
			if (patch->replace)
				klp_sdk_shadow_drop(state->record, owned);
			continue;
		}
		/* No values: what comes has this patch's layout. */
		if (!owned->table)
			klp_sdk_shadow_set_layout(owned, shadow->type);
		owned->now.data_size = shadow->type->size;
		shadow->fresh = false;
		shadow->from = NULL;
	}
}

/* Values have an older layout, which completion will convert. */
static bool klp_sdk_shadow_converts(const struct klp_sdk_shadow *shadow)
{
	return shadow->record->now.version != shadow->type->props->version;
}

/*
 * All memory that the types will need; before the state's data is introduced.
 * False if there is none, with nothing left behind.
 */
bool klp_sdk_shadows_prepare(struct klp_sdk_state *state)
{
	bool introduce = !state->record->data && !state->raw;
	struct klp_sdk_shadow_record *owned;
	struct klp_sdk_shadow *const *pos;
	u64 size;

	klp_sdk_for_each_shadow(state, pos) {
		owned = (*pos)->record;
		if (introduce)
			klp_sdk_shadow_set_layout(owned, (*pos)->type);
		/* What this patch allocates has no more room. */
		size = klp_sdk_shadow_size((*pos)->type);
		if (!klp_sdk_shadow_converts(*pos))
			owned->alloc_size = min(owned->alloc_size, size);
		if (!owned->table)
			/* For the list of states, which is read under RCU. */
			smp_store_release(&owned->table,
					  klp_sdk_shadow_table_make(owned));
		if (!owned->table)
			goto no_memory;
		if (klp_sdk_shadow_indexed(owned) && klp_sdk_shadow_converts(*pos) &&
		    klp_sdk_shadow_reserve(*pos, owned->table))
			goto no_memory;
	}
	return true;

no_memory:
	klp_sdk_shadows_let_go(state, introduce);
	return false;
}

/*
 * Has the other side of the transition not the same values? Then the patch must
 * not allocate any until completion, for nobody there would free them with
 * their parents: its readers must not see the state as live.
 */
bool klp_sdk_shadows_pending(const struct klp_sdk_state *state)
{
	struct klp_sdk_shadow *const *pos;

	klp_sdk_for_each_shadow(state, pos)
		if ((*pos)->fresh || klp_sdk_shadow_converts(*pos))
			return true;

	return false;
}

/* The patch's functions may use the types, if they are @live on both sides. */
void klp_sdk_shadows_publish(struct klp_sdk_state *state, bool live)
{
	struct klp_sdk_shadow_slots *slots;
	struct klp_sdk_shadow *const *pos;

	klp_sdk_for_each_shadow(state, pos) {
		slots = (*pos)->type->slots;
		/* Whoever finds the table finds it complete. */
		smp_store_release(&slots->table, (*pos)->record->table);
		/* Whoever sees it as live finds the table. */
		smp_store_release(&slots->live, live);
	}
}

/* The transition is complete: convert, or begin to. */
void klp_sdk_shadows_complete(struct klp_sdk_state *state)
{
	struct klp_sdk_shadow_record *owned;
	struct klp_sdk_shadow *const *pos;

	klp_sdk_for_each_shadow(state, pos) {
		owned = (*pos)->record;
		owned->table->keep = klp_sdk_forced(state->record);
		if (!klp_sdk_shadow_converts(*pos))
			continue;
		if (klp_sdk_shadow_indexed(owned))
			klp_sdk_shadow_convert_all(*pos, owned->table);
		else
			owned->older[owned->nr_older++] = owned->now;
		klp_sdk_shadow_set_layout(owned, (*pos)->type);
	}
	klp_sdk_shadows_publish(state, true);
}

/*
 * A type that this patch has brought never became live. Plain values under its id
 * are those of a patch that goes on: one without the SDK, or one that is newer.
 */
static void klp_sdk_shadow_undo(struct klp_sdk_state *state,
				struct klp_sdk_shadow *shadow)
{
	struct klp_sdk_shadow_record *owned = shadow->record;
	struct klp_sdk_record *record = state->record;
	struct klp_sdk_shadow_table *table = owned->table;
	bool plain = table && !klp_sdk_shadow_indexed(owned);
	struct klp_sdk_record *heir = plain ? klp_sdk_shadow_heir(record, owned) :
					      NULL;

	if (table && klp_sdk_forced(record)) {
		/* A task may have found the table, and values that are the heir's. */
		WRITE_ONCE(owned->table, NULL);
		if (heir)
			klp_sdk_inherit_forced(heir, record);
	} else if (plain && (state->raw || heir)) {
		WRITE_ONCE(owned->table, NULL);
		klp_sdk_shadow_table_free(table, NULL);
	} else {
		klp_sdk_shadow_empty(record, owned,
				     klp_sdk_find_part(state->holder, owned->id));
	}
}

/*
 * This patch's functions do not run any more. With @undo all values go, otherwise
 * those of types that only this patch has.
 */
void klp_sdk_shadows_let_go(struct klp_sdk_state *state, bool undo)
{
	struct klp_sdk_record *record = state->record;
	struct klp_sdk_shadow *const *pos;

	klp_sdk_for_each_shadow(state, pos) {
		/* A task in forced-out code counts on what it has found. */
		if (!klp_sdk_forced(record))
			klp_sdk_shadow_clear((*pos)->type->slots);
		klp_sdk_shadow_unreserve(*pos);
		if ((*pos)->fresh)
			klp_sdk_shadow_undo(state, *pos);
		else if (undo)
			klp_sdk_shadow_empty(record, (*pos)->record,
					     klp_sdk_find_part(state->holder,
							       (*pos)->record->id));
	}
}

/* The dtors of a patch that retires the state take the place of the holders'. */
void klp_sdk_shadows_retire(const struct klp_sdk_leaver *leaver, bool retire)
{
	struct klp_sdk_shadow_holder *part;
	struct klp_sdk_shadow *shadow;
	struct klp_sdk_holder *holder;

	list_for_each_entry(holder, &leaver->record->holders, node)
		list_for_each_entry(part, &holder->shadows, node) {
			shadow = retire && leaver->retiring ?
				 klp_sdk_find_shadow(leaver->retiring, part->id) :
				 NULL;
			part->undo = shadow && shadow->type->props->version ==
						part->dtors[0].version ?
				     shadow->type->dtor : NULL;
		}
}
