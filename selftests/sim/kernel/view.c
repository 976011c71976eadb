// SPDX-License-Identifier: GPL-2.0
/*
 * What is asked of patches beside their transitions: calls for shadow variables, and the
 * list of states, which is compared with what the records say by docs/record.md. And
 * records that look as if another release of the SDK had made them.
 */
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/rhashtable.h>
#include <linux/string.h>

#include "../../../sdk/record.h"
#include "../pool.h"
#include "kern.h"

static char page[PAGE_SIZE] __sim_aside;

void sim_saw_dtor(const char *type, size_t len)
{
	int i;

	for (i = 0; i < SIM_NR_TYPES; i++)
		if (!strncmp(type_names[i], type, len) && !type_names[i][len])
			sim_now.seen->dtors[i]++;
}

int sim_shadow(int nr, int par)
{
	int call = SIM_SHADOW_CALL(par), ret;
	char text[64];

	if (call == SIM_AGAIN) {
		snprintf(text, sizeof(text), "%d", SIM_SHADOW_PARENT(par));
		return sim_param_set(SIM_POOL, "again", text);
	}
	/* Only a patch that is enabled, or in transition, has functions that run. */
	if (!sim_patch_of(nr))
		return -ENOENT;
	if (call == SIM_PREV && SIM_SHADOW_TYPE(par) >= SIM_COUNT)
		return -EINVAL;		/* tps.h would take it for an index */
	value_call(par, text, sizeof(text));
	ret = sim_param_set(nr, "op", text);
	if (ret)
		return ret;
	ret = sim_param_get(nr, "seen", page);
	if (ret < 0)
		return ret;
	if (!value_seen(par, page, &sim_now.seen->value))
		sim_wrong("a value is wrong: %s", page);
	return 0;
}

/*
 * The list of states
 */

struct out {
	char text[PAGE_SIZE];
	int len;
};

static __printf(2, 3) void put(struct out *o, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = sim_vsnprintf(o->text + o->len, sizeof(o->text) - o->len, fmt, args);
	va_end(args);
	o->len = min_t(int, o->len + n, sizeof(o->text) - 1);
}

/* Stackable are states of which all holders say so, permanent those of which one does. */
static void put_flags(struct out *o, const struct klp_sdk_record *record)
{
	const struct klp_sdk_holder *holder;
	bool stackable = !list_empty(&record->holders), permanent = false;
	bool forced = record->flags & KLP_SDK_RECORD_FORCED;

	list_for_each_entry(holder, &record->holders, node) {
		stackable &= !!(holder->flags & KLP_SDK_HOLDER_STACKABLE);
		permanent |= !!(holder->flags & KLP_SDK_HOLDER_PERMANENT);
	}
	put(o, "%s%s%s%s", stackable ? "S" : "", permanent ? "P" : "", forced ? "F" : "",
	    stackable || permanent || forced ? "" : "-");
}

static void put_record(struct out *o, const struct klp_sdk_record *record)
{
	const struct klp_sdk_shadow_record *owned;
	const struct klp_sdk_holder *holder;

	put(o, "%lu %u %llu ", record->id, record->version, record->data_size);
	put_flags(o, record);
	put(o, " %s %s", record->object[0] ? record->object : "vmlinux", record->name);
	list_for_each_entry(holder, &record->holders, node)
		put(o, " %s:%s", holder->patch_name, phase_names[SIM_IDLE + holder->phase]);
	list_for_each_entry(owned, &record->shadows, node) {
		put(o, " +%s:%u", owned->name, owned->now.version);
		if (owned->flags & KLP_SDK_SHADOW_INDEXED)
			put(o, "=%d", owned->table ? atomic_read(&owned->table->ht.nelems) : 0);
	}
	put(o, "\n");
}

static const char *expected(void)
{
	const struct klp_sdk_root *root = klp_shadow_get(NULL, KLP_SDK_ROOT_ID);
	const struct klp_sdk_record *record;
	static struct out o __sim_aside;

	o.len = 0;
	put(&o, "id version size flags object name holders\n");
	if (root && root->abi != 1)
		put(&o, "(records of another release of klp-sdk)\n");
	else if (root)
		list_for_each_entry(record, &root->records, node)
			if (record->abi == 1)
				put_record(&o, record);
	return o.text;
}

int sim_read(int nr)
{
	int ret = sim_is_loaded[nr] ? sim_param_get(nr, "klp_sdk_states", page) : -ENOENT;

	if (ret < 0)
		return ret;
	if (strcmp(page, expected()) || ret != strlen(page))
		sim_wrong("the list of states is\n%sbut the records say\n%s", page, expected());
	return 0;
}

/*
 * Records of another release
 */

enum part { ROOT, RECORD, HOLDER, TYPE, TABLE, PART };

#define IN(_part, _struct, _field)					\
	{ #_part "." #_field, _part, offsetof(struct _struct, _field),	\
	  sizeof_field(struct _struct, _field) }

static const struct poke {
	const char *name;
	enum part part;
	u32 at, size;
} pokes[] = {
	IN(ROOT, klp_sdk_root, abi), IN(ROOT, klp_sdk_root, size),
	IN(RECORD, klp_sdk_record, abi), IN(RECORD, klp_sdk_record, size),
	IN(RECORD, klp_sdk_record, flags), IN(RECORD, klp_sdk_record, hints),
	IN(RECORD, klp_sdk_record, data_size), IN(RECORD, klp_sdk_record, alloc_size),
	IN(HOLDER, klp_sdk_holder, abi), IN(HOLDER, klp_sdk_holder, size),
	IN(HOLDER, klp_sdk_holder, flags), IN(HOLDER, klp_sdk_holder, hints),
	IN(HOLDER, klp_sdk_holder, fns_size), IN(HOLDER, klp_sdk_holder, slots_size),
	IN(HOLDER, klp_sdk_holder, nr_back),
	IN(TYPE, klp_sdk_shadow_record, abi), IN(TYPE, klp_sdk_shadow_record, size),
	IN(TYPE, klp_sdk_shadow_record, flags), IN(TYPE, klp_sdk_shadow_record, nr_older),
	IN(TABLE, klp_sdk_shadow_table, abi), IN(TABLE, klp_sdk_shadow_table, size),
	IN(PART, klp_sdk_shadow_holder, abi), IN(PART, klp_sdk_shadow_holder, size),
	IN(PART, klp_sdk_shadow_holder, slots_size), IN(PART, klp_sdk_shadow_holder, nr_dtors),
};

/* Adds, so that what was added can be taken away */
static void poke(const struct poke *p, enum part part, void *object, long long val)
{
	char *at = (char *)object + p->at;

	if (p->part != part || !object)
		return;
	if (p->size == 8)
		*(u64 *)at += val;
	else if (p->size == 4)
		*(u32 *)at += val;
	else
		sim_wrong("%s has another size", p->name);
}

static void poke_all(const struct poke *p, struct klp_sdk_root *root, long long val)
{
	struct klp_sdk_shadow_record *owned;
	struct klp_sdk_shadow_holder *part;
	struct klp_sdk_record *record;
	struct klp_sdk_holder *holder;

	poke(p, ROOT, root, val);
	list_for_each_entry(record, &root->records, node) {
		poke(p, RECORD, record, val);
		list_for_each_entry(holder, &record->holders, node) {
			poke(p, HOLDER, holder, val);
			list_for_each_entry(part, &holder->shadows, node)
				poke(p, PART, part, val);
		}
		list_for_each_entry(owned, &record->shadows, node) {
			poke(p, TYPE, owned, val);
			poke(p, TABLE, owned->table, val);
		}
	}
}

int kern_poke(const char *name, long long val)
{
	struct klp_sdk_root *root = klp_shadow_get(NULL, KLP_SDK_ROOT_ID);
	const struct poke *p;

	for (p = pokes; p < pokes + ARRAY_SIZE(pokes); p++) {
		if (strcasecmp(p->name, name))
			continue;
		if (!root)
			return -ENOENT;
		poke_all(p, root, val);
		sim_readers_poked();
		return 0;
	}
	return -ENOENT;
}
