// SPDX-License-Identifier: GPL-2.0
/*
 * All that a forced transition means: what is never freed, which modules stay, and
 * the states that are left behind as orphans.
 *
 * A force leaves tasks in the functions of a patch that is gone, and no later
 * transition tells whether they have left. So the mark of a record that went
 * through a force is sticky. Nothing of such a state is freed, its post_unpatch
 * does not run, and what it would have undone may lead into two modules: that of
 * the patch, and the one that the state is bound to. The references are:
 *
 * ==================  ========================  ==================================
 * on                  taken when                dropped when
 * ==================  ========================  ==================================
 * the patch's module  its post_unpatch, or the  never
 *                     release of its way back,
 *                     is due and does not run
 * the state's module  the same, the module      never
 *                     stays loaded, and there
 *                     is no orphan
 * the state's module  the last holder leaves    a patch adopts the orphan, by the
 *                     and makes an orphan       call that ends being one
 * ==================  ========================  ==================================
 *
 * The third one belongs to the record, which says in @pinned to which load of the
 * module it has a reference. The module can be unloaded in spite of it: if its init
 * fails. Then the reference is gone with the module, and so is the data; whoever
 * looks at the orphan next finds another load of the module, or none.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "engine.h"

bool klp_sdk_forced(const struct klp_sdk_record *record)
{
	return record->flags & KLP_SDK_RECORD_FORCED;
}

bool klp_sdk_orphan(const struct klp_sdk_record *record)
{
	return record->flags & KLP_SDK_RECORD_ORPHAN;
}

/* The data of both records is reachable from the same code. */
void klp_sdk_inherit_forced(struct klp_sdk_record *record,
			    const struct klp_sdk_record *from)
{
	record->flags |= from->flags & KLP_SDK_RECORD_FORCED;
}

/*
 * Has @holder, which leaves @record, been forced out? The core marks the patches that
 * are removed; a forced enable without replace leaves no mark on 6.1 and later. The
 * core must list the patch.
 */
void klp_sdk_check_forced_out(struct klp_sdk_record *record,
			      const struct klp_sdk_holder *holder)
{
	if (klp_sdk_forced(record) || !klp_sdk_compat_forced(holder->patch))
		return;
	record->flags |= KLP_SDK_RECORD_FORCED;
	pr_warn("klp-sdk: state '%s' (id %lu): %s was forced out; nothing of the state is freed any more, reboot to get the memory back\n",
		record->name, record->id, holder->patch_name);
}

/* The same of all holders of @record. */
void klp_sdk_check_forced(struct klp_sdk_record *record)
{
	struct klp_sdk_holder *holder;

	list_for_each_entry(holder, &record->holders, node)
		klp_sdk_check_forced_out(record, holder);
}

/* Free an object of @record, unless a task in forced-out code may use it. */
void klp_sdk_free_data(const struct klp_sdk_record *record, void *data)
{
	if (!klp_sdk_forced(record))
		kfree(data);
}

/*
 * The code of @holder's patch must stay: what was not undone may lead to it. Once for
 * all loads of the state's module.
 */
void klp_sdk_keep_patch(const struct klp_sdk_record *record,
			struct klp_sdk_holder *holder)
{
	struct module *mod = holder->patch->mod;

	if (holder->flags & KLP_SDK_HOLDER_KEPT)
		return;
	holder->flags |= KLP_SDK_HOLDER_KEPT;
	__module_get(mod);
	pr_warn("klp-sdk: %s: state '%s' (id %lu) was forced once and is not undone; the module stays until a reboot\n",
		mod->name, record->name, record->id);
}

/*
 * The module of @obj stays as well, if it is not about to go already: nobody would
 * be told when it is unloaded.
 */
void klp_sdk_keep_object(const struct klp_sdk_record *record,
			 struct klp_object *obj)
{
	if (!record->object[0] || !klp_sdk_compat_loaded(obj) ||
	    !klp_sdk_compat_pin(obj))
		return;
	pr_warn("klp-sdk: state '%s' (id %lu) was forced once and is not undone; %s stays until a reboot\n",
		record->name, record->id, record->object);
}

/*
 * The end of the object of @record, from @size on, belongs to functions that do not run
 * any more; but after a force a task may use it, so that no patch may grow into it.
 */
void klp_sdk_lose_room(struct klp_sdk_record *record, u64 size)
{
	if (klp_sdk_forced(record))
		record->alloc_size = size;
}

/*
 * The last holder, @patch, leaves: keep the data for the next patch. False if the
 * module of @obj is on its way out, or has begun to load so recently that a later
 * load cannot be told from this one; then the data is given up.
 */
bool klp_sdk_orphan_make(struct klp_sdk_record *record, struct klp_object *obj,
			 const struct klp_sdk_patch *patch)
{
	if (record->object[0]) {
		record->pinned = klp_sdk_compat_load_nr(obj);
		if (!record->pinned || !klp_sdk_compat_pin(obj)) {
			record->pinned = 0;
			return false;
		}
		pr_warn("klp-sdk: %s: state '%s' (id %lu) is left behind; %s cannot be unloaded until a patch takes the state over\n",
			patch->patch.mod->name, record->name, record->id,
			record->object);
	}
	record->flags |= KLP_SDK_RECORD_ORPHAN;
	return true;
}

/* The module went, and the data of the orphan with it. The record stays. */
void klp_sdk_orphan_lost(struct klp_sdk_record *record)
{
	record->flags &= ~KLP_SDK_RECORD_ORPHAN;
	record->pinned = 0;
	record->data = NULL;
	klp_sdk_shadows_lost(record);
}

/* Is the orphan's module still the one that it was left in? */
void klp_sdk_orphan_check(struct klp_sdk_record *record, struct klp_object *obj)
{
	if (!klp_sdk_orphan(record) || !record->object[0])
		return;
	if (!klp_sdk_compat_loaded(obj) ||
	    klp_sdk_compat_load_nr(obj) != record->pinned)
		klp_sdk_orphan_lost(record);
}

/* A patch has the state again; the module of @obj may go, which it will notice. */
void klp_sdk_orphan_adopt(struct klp_sdk_record *record, struct klp_object *obj)
{
	record->flags &= ~KLP_SDK_RECORD_ORPHAN;
	if (record->pinned)
		klp_sdk_compat_unpin(obj);
	record->pinned = 0;
}

/*
 * A patch without the SDK has had the state since @record was left behind, and
 * knows nothing of its data, which is left alone with its module.
 */
void klp_sdk_orphan_abandon(const struct klp_sdk_record *record)
{
	if (record->pinned)
		pr_warn("klp-sdk: state '%s' (id %lu) was forced once and is not undone; %s stays until a reboot\n",
			record->name, record->id, record->object);
}
