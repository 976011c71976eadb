// SPDX-License-Identifier: GPL-2.0
/*
 * States of replaced patches that the new patch does not want: it is older, it
 * does not declare them, or it retires them.
 *
 * The module of a replaced patch stays in place until the new patch's
 * completion callbacks have run, so its own functions can undo its states:
 * pre_unpatch before the transition, post_unpatch when it is complete. If it is
 * reversed instead, post_patch makes the change again, and the replaced patch
 * works on as after a disable that was reversed.
 *
 * A state of a module comes and goes with it meanwhile, in the replaced patch's
 * own callbacks. Its record stays while that patch is enabled, so that each step
 * here asks the holders' phases what there is to do.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "engine.h"

int klp_sdk_leaver_add(struct klp_sdk_patch *patch,
		       struct klp_sdk_record *record,
		       const struct klp_sdk_state *retiring)
{
	struct klp_sdk_leaver *leaver;

	leaver = kzalloc(sizeof(*leaver), GFP_KERNEL);
	if (!leaver)
		return -ENOMEM;

	leaver->record = record;
	leaver->retiring = retiring;
	list_add_tail(&leaver->node, &patch->leavers);
	return 0;
}

/*
 * Put the leavers in the order in which their states were introduced, whatever
 * the order of this patch: one may use another.
 */
static void klp_sdk_leavers_sort(struct klp_sdk_patch *patch)
{
	struct klp_sdk_root *root = klp_sdk_root();
	struct klp_sdk_leaver *leaver, *next;
	struct klp_sdk_record *record;

	if (!root)
		return;
	list_for_each_entry(record, &root->records, node)
		list_for_each_entry_safe(leaver, next, &patch->leavers, node)
			if (leaver->record == record) {
				list_move_tail(&leaver->node, &patch->leavers);
				break;
			}
}

/*
 * No patch of the SDK has state @id. One without it may: then the core would have
 * refused this patch, but for what the list for the core says.
 */
static int klp_sdk_leaver_raw(const struct klp_sdk_patch *patch,
			      const struct klp_sdk_record *record,
			      unsigned long id)
{
	struct klp_state __klp_sdk_prev *prev = klp_sdk_compat_prev_state(id);

	if (!prev)
		return 0;
	pr_err("klp-sdk: %s: state '%s' (id %lu) is held by %s; declare it at version %u or later, or disable that patch first\n",
	       patch->patch.mod->name, record ? record->name : "?", id,
	       klp_sdk_raw_name, klp_sdk_compat_prev_version(prev));
	return -EINVAL;
}

/* A state that replaced patches have and @patch does not declare. May it go? */
static int klp_sdk_leaver_check(const struct klp_sdk_patch *patch,
				const struct klp_sdk_record *record)
{
	const struct klp_sdk_holder *permanent = klp_sdk_record_permanent(record);

	if (permanent) {
		pr_err("klp-sdk: %s: state '%s' (id %lu) of %s is permanent; declare it at version %u or later\n",
		       patch->patch.mod->name, record->name, record->id,
		       permanent->patch_name, record->version);
		return -EINVAL;
	}
	if (!klp_sdk_find_object(patch, record->object)) {
		pr_err("klp-sdk: %s: state '%s' (id %lu) of '%s' came meanwhile; load the patch again\n",
		       patch->patch.mod->name, record->name, record->id,
		       record->object);
		return -EAGAIN;
	}

	return 0;
}

/* State @id, which @patch lists for the core and does not declare. */
static int klp_sdk_leaver_find(struct klp_sdk_patch *patch, unsigned long id)
{
	struct klp_sdk_record *record = klp_sdk_record_find(id);
	struct klp_state __klp_sdk_prev *prev;
	int ret;

	if (IS_ERR(record)) {
		pr_err("klp-sdk: %s: the state with id %lu is of a release of klp-sdk that %d.%d does not know; build with a newer one\n",
		       patch->patch.mod->name, id, KLP_SDK_MAJOR,
		       KLP_SDK_MINOR);
		return PTR_ERR(record);
	}
	/* An orphan of a forced disable waits for a patch that knows it. */
	if (!record || list_empty(&record->holders))
		return klp_sdk_leaver_raw(patch, record, id);

	prev = klp_sdk_compat_prev_state(id);
	if (!prev) {
		/* Replaced by a patch without the SDK, that went. */
		klp_sdk_record_forget(record);
		return 0;
	}
	if (!klp_sdk_record_holder(patch, record, prev))
		return klp_sdk_leaver_raw(patch, record, id);

	ret = klp_sdk_leaver_check(patch, record);
	if (ret)
		return ret;
	ret = klp_sdk_leaver_add(patch, record, NULL);
	if (ret)
		pr_err("klp-sdk: %s: state '%s' (id %lu): pre_patch failed with %d; nothing was changed\n",
		       patch->patch.mod->name, record->name, record->id, ret);
	return ret;
}

/*
 * Find the states that @patch does not declare: those that the list for the core has
 * behind its own, which had the core let the patch in. May fail, changes nothing but
 * for records that nobody holds: a patch without the SDK took their place.
 */
int klp_sdk_leavers_find(struct klp_sdk_patch *patch)
{
	const struct klp_state *kstate;
	int ret;

	if (!patch->replace)
		return 0;

	for (kstate = patch->patch.states + patch->nr_states; kstate->id; kstate++) {
		if (klp_sdk_find_state(patch, kstate->id))
			continue;
		ret = klp_sdk_leaver_find(patch, kstate->id);
		if (ret)
			return ret;
	}
	klp_sdk_leavers_sort(patch);
	return 0;
}

/* Whose functions are the state's: all holders have the same version of them. */
static struct klp_sdk_holder *klp_sdk_leaver_holder(struct klp_sdk_leaver *leaver)
{
	return list_first_entry(&leaver->record->holders,
				struct klp_sdk_holder, node);
}

/* Take the holders in phase @from to @to. Were there any? */
static bool klp_sdk_leaver_move(struct klp_sdk_leaver *leaver, u32 from, u32 to)
{
	struct klp_sdk_holder *holder;
	bool moved = false;

	list_for_each_entry(holder, &leaver->record->holders, node) {
		if (holder->phase != from)
			continue;
		holder->phase = to;
		moved = true;
	}

	return moved;
}

static void klp_sdk_leaver_publish(struct klp_sdk_leaver *leaver, void *live)
{
	struct klp_sdk_holder *holder;

	list_for_each_entry(holder, &leaver->record->holders, node)
		if (holder->phase != KLP_SDK_IDLE)
			klp_sdk_slot_publish(&holder->slots->live, live);
}

static void klp_sdk_leaver_begin(struct klp_sdk_leaver *leaver)
{
	struct klp_sdk_holder *holder;

	list_for_each_entry(holder, &leaver->record->holders, node)
		holder->undo = leaver->retiring ? leaver->retiring->fns : NULL;
	klp_sdk_shadows_retire(leaver, true);
	if (!klp_sdk_leaver_move(leaver, KLP_SDK_LIVE, KLP_SDK_LEAVING))
		return;
	klp_sdk_leaver_publish(leaver, NULL);
	holder = klp_sdk_leaver_holder(leaver);
	klp_sdk_holder_undo(holder)->pre_unpatch(leaver->record->data);
}

/*
 * Before the transition, or when the module @obj comes while it is under way;
 * cannot fail. In reverse order of introduction. Comes before the new patch's own
 * pre_patch functions, which see the system as the states that go leave it.
 */
void klp_sdk_leavers_begin(struct klp_sdk_patch *patch,
			   const struct klp_object *obj)
{
	struct klp_sdk_leaver *leaver;

	list_for_each_entry_reverse(leaver, &patch->leavers, node)
		if (!obj->name || !strcmp(leaver->record->object, obj->name))
			klp_sdk_leaver_begin(leaver);
}

/*
 * The transition was reversed, or has failed before it began: the replaced patch
 * works on.
 */
void klp_sdk_leavers_back(struct klp_sdk_patch *patch)
{
	struct klp_sdk_leaver *leaver, *next;
	struct klp_sdk_holder *holder;

	list_for_each_entry_safe(leaver, next, &patch->leavers, node) {
		list_for_each_entry(holder, &leaver->record->holders, node)
			holder->undo = NULL;
		klp_sdk_shadows_retire(leaver, false);
		if (klp_sdk_leaver_move(leaver, KLP_SDK_LEAVING, KLP_SDK_LIVE)) {
			holder = klp_sdk_leaver_holder(leaver);
			holder->fns->post_patch(leaver->record->data);
			klp_sdk_leaver_publish(leaver, leaver->record->data);
		}
		list_del(&leaver->node);
		kfree(leaver);
	}
}

/* The transition is complete: nothing runs the replaced patch's functions. */
void klp_sdk_leavers_end(struct klp_sdk_patch *patch)
{
	struct klp_sdk_leaver *leaver, *next;
	struct klp_sdk_holder *holder;
	bool forced;

	list_for_each_entry_safe_reverse(leaver, next, &patch->leavers, node) {
		struct klp_sdk_record *record = leaver->record;

		klp_sdk_check_forced(record);
		holder = klp_sdk_leaver_holder(leaver);
		/* A task in forced-out code may use what post_unpatch undoes. */
		forced = klp_sdk_forced(record);
		klp_sdk_shadows_empty(record, holder);
		if (record->data && !forced)
			klp_sdk_holder_undo(holder)->post_unpatch(record->data);
		list_for_each_entry(holder, &record->holders, node) {
			holder->kstate->data = NULL;
			if (!forced)
				klp_sdk_slot_publish(&holder->slots->data, NULL);
			else if (record->data)
				klp_sdk_keep_patch(record, holder);
		}
		if (forced && record->data)
			klp_sdk_keep_object(record, klp_sdk_find_object(patch, record->object));
		klp_sdk_record_free(record);
		list_del(&leaver->node);
		kfree(leaver);
	}
}

