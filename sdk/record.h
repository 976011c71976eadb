/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The record: what the system remembers of a live state.
 *
 * This is a binary interface. Patches that were built years apart, with
 * different releases of the SDK, read and write each other's records. Fields
 * are appended only; a change of anything else raises KLP_SDK_ABI, and an
 * engine refuses what it does not know.
 *
 *   root (shadow variable <NULL, KLP_SDK_ROOT_ID>)
 *    `- records, one per state that a patch holds
 *        |- holders, one per patch that has the state
 *        |   `- the dtors of its shadow types
 *        `- shadow types
 *
 * A state that is bound to a module has its record and holders while a patch
 * that declares it is enabled, and data while the module is loaded as well.
 *
 * Root, records and holders are memory of their own, never of a module. All
 * of it is written under the core's klp_mutex (every callback runs under it)
 * and may be read under rcu_read_lock(), but for what data points to, which is
 * freed at once.
 */
#ifndef _KLP_SDK_RECORD_H
#define _KLP_SDK_RECORD_H

#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <klp-sdk/klp-sdk.h>

#define KLP_SDK_ABI		1

/* "klp-sdk", then the number of the key */
#define KLP_SDK_ROOT_ID		0x6b6c702d73646b01UL

/* Room for a name of a module or a state, with its NUL. */
#define KLP_SDK_NAME_LEN	64

/*
 * Flags of a record. FORCED is sticky: a task may be in the code of a patch that
 * was forced out, so nothing that it may use is ever freed. ORPHAN: no patch has
 * the state since then, and the next one that declares it adopts the data.
 * dispose.c has all that both mean.
 */
#define KLP_SDK_RECORD_FORCED		BIT(0)
#define KLP_SDK_RECORD_ORPHAN		BIT(1)
#define KLP_SDK_RECORD_FLAGS		GENMASK(1, 0)

/*
 * Flags of a holder: what its patch declares. KEPT: the patch's module has a reference
 * for what was not undone after a force.
 */
#define KLP_SDK_HOLDER_STACKABLE	BIT(0)
#define KLP_SDK_HOLDER_PERMANENT	BIT(1)
#define KLP_SDK_HOLDER_KEPT		BIT(2)
#define KLP_SDK_HOLDER_FLAGS		GENMASK(2, 0)

/* Flags of a shadow type's record. */
#define KLP_SDK_SHADOW_INDEXED		BIT(0)
#define KLP_SDK_SHADOW_FLAGS		GENMASK(0, 0)

/**
 * enum klp_sdk_phase - How far a patch is with a state
 * @KLP_SDK_IDLE:	does not have it, or the module is not loaded
 * @KLP_SDK_PREPARED:	pre_patch is done, the transition may be under way
 * @KLP_SDK_LIVE:	the transition is complete
 * @KLP_SDK_LEAVING:	pre_unpatch is done, the transition may be under way
 *
 * The core does not tell a callback why it runs, and klp_get_prev_state() gives
 * the same answer in a disable and in a reversed enable. The phase tells.
 */
enum klp_sdk_phase {
	KLP_SDK_IDLE,
	KLP_SDK_PREPARED,
	KLP_SDK_LIVE,
	KLP_SDK_LEAVING,
};

/**
 * struct klp_sdk_root - The one place from which all records are found
 * @abi:	KLP_SDK_ABI of the engine that made it
 * @size:	size of this struct in that engine
 * @records:	list of struct klp_sdk_record
 * @lost:	list of struct klp_sdk_shadow_record: shadow variables that stay behind
 *		a forced transition, in the kernel's table; no patch must find them
 */
struct klp_sdk_root {
	u32 abi;
	u32 size;
	struct list_head records;
	struct list_head lost;
} __no_randomize_layout;

/**
 * struct klp_sdk_record - A state that patches hold
 * @abi:	KLP_SDK_ABI of the engine that made it
 * @size:	size of this struct in that engine
 * @node:	entry in klp_sdk_root.records
 * @holders:	list of struct klp_sdk_holder
 * @id:		the state's id
 * @version:	the state's version, that of @data
 * @flags:	KLP_SDK_RECORD_*; an engine refuses flags it does not know
 * @data_size:	size of the author's type at @version
 * @alloc_size:	bytes allocated for @data, at least @data_size
 * @data:	the author's object, plain kmalloc() memory; NULL while @object is
 *		not loaded
 * @name:	the state's name
 * @object:	the module that the state is bound to, empty for vmlinux
 * @hints:	flags that an engine may ignore and must keep; none so far
 * @rcu:	for kfree_rcu(), which needs no callback in a module
 * @shadows:	list of struct klp_sdk_shadow_record
 * @pinned:	which load of @object an orphan has a reference to; 0 if it has none
 */
struct klp_sdk_record {
	u32 abi;
	u32 size;
	struct list_head node;
	struct list_head holders;
	unsigned long id;
	u32 version;
	u32 flags;
	u64 data_size;
	u64 alloc_size;
	void *data;
	char name[KLP_SDK_NAME_LEN];
	char object[KLP_SDK_NAME_LEN];
	u32 hints;
	struct rcu_head rcu;
	struct list_head shadows;
	u64 pinned;
} __no_randomize_layout;

/**
 * struct klp_sdk_back_entry - A way back to an older version, that a patch declares
 * @version:	the older version
 * @reserved:	0
 * @data_size:	size of the author's type at @version
 * @convert:	fills an object of the older layout; NULL if the object stays
 * @release:	releases what of the newer object has no place in the older one; not
 *		after a force; NULL if nothing has to be
 */
struct klp_sdk_back_entry {
	u32 version;
	u32 reserved;
	u64 data_size;
	void (*convert)(void *data, const void __klp_sdk_prev *newer);
	void (*release)(void *data);
} __no_randomize_layout;

/**
 * struct klp_sdk_holder - A patch that has a state
 * @abi:	KLP_SDK_ABI of the engine that made it
 * @size:	size of this struct in that engine
 * @node:	entry in klp_sdk_record.holders
 * @phase:	enum klp_sdk_phase
 * @version:	the state's version as this patch declares it
 * @patch:	the patch
 * @kstate:	the patch's entry for the core, whose data mirrors the record's
 * @slots:	what the patch's functions read
 * @fns:	the state's functions in the patch
 * @patch_name:	name of the patch's module
 * @slots_size:	size of what @slots points to
 * @fns_size:	size of what @fns points to
 * @flags:	KLP_SDK_HOLDER_*; an engine refuses flags that it does not know
 * @hints:	flags that an engine may ignore and must keep; none so far
 * @rcu:	for kfree_rcu()
 * @undo:	functions of the patch that retires the state, which undo it in
 *		place of those of @fns; NULL if it is not being retired
 * @shadows:	list of struct klp_sdk_shadow_holder
 * @nr_back:	how many of @back there are
 * @reserved:	0
 * @back:	the ways back to older versions
 *
 * @patch, @kstate, @slots, @fns and the functions of @back lead into the patch's
 * module and may be followed only while the core lists the patch; @undo into that
 * of the patch in transition.
 */
struct klp_sdk_holder {
	u32 abi;
	u32 size;
	struct list_head node;
	u32 phase;
	u32 version;
	const struct klp_patch *patch;
	struct klp_state *kstate;
	struct klp_sdk_slots *slots;
	const struct klp_sdk_state_fns *fns;
	char patch_name[KLP_SDK_NAME_LEN];
	u32 slots_size;
	u32 fns_size;
	u32 flags;
	u32 hints;
	struct rcu_head rcu;
	const struct klp_sdk_state_fns *undo;
	struct list_head shadows;
	u32 nr_back;
	u32 reserved;
	struct klp_sdk_back_entry back[KLP_SDK_MAX_BACK];
} __no_randomize_layout;

/* One layout of a shadow type. */
struct klp_sdk_shadow_layout {
	u32 version;
	u32 reserved;
	u64 data_size;
} __no_randomize_layout;

/**
 * struct klp_sdk_shadow_record - A shadow type that a state owns
 * @abi:	KLP_SDK_ABI of the engine that made it
 * @size:	size of this struct in that engine
 * @node:	entry in klp_sdk_record.shadows or klp_sdk_root.lost
 * @id:		the type's id
 * @flags:	KLP_SDK_SHADOW_*; an engine refuses flags it does not know
 * @hints:	flags that an engine may ignore and must keep; none so far
 * @alloc_size:	bytes that each value has at least
 * @table:	the index, and the lock for conversions; NULL while the state has
 *		no data
 * @name:	the type's name
 * @nr_older:	how many of @older there are
 * @now:	the layout of new values
 * @older:	layouts of which values may be left; of an indexed type none
 * @rcu:	for kfree_rcu()
 */
struct klp_sdk_shadow_record {
	u32 abi;
	u32 size;
	struct list_head node;
	unsigned long id;
	u32 flags;
	u32 hints;
	u64 alloc_size;
	struct klp_sdk_shadow_table *table;
	char name[KLP_SDK_NAME_LEN];
	u32 nr_older;
	u32 reserved;
	struct klp_sdk_shadow_layout now;
	struct klp_sdk_shadow_layout older[KLP_SDK_SHADOW_MAX_FROM];
	struct rcu_head rcu;
} __no_randomize_layout;

/* How a patch releases the values of one layout. */
struct klp_sdk_shadow_dtor {
	u32 version;
	u32 reserved;
	void (*dtor)(void *parent, void *data);
} __no_randomize_layout;

/**
 * struct klp_sdk_shadow_holder - A patch's part in a shadow type
 * @abi:	KLP_SDK_ABI of the engine that made it
 * @size:	size of this struct in that engine
 * @node:	entry in klp_sdk_holder.shadows
 * @id:		the type's id
 * @slots:	what the patch's functions read
 * @undo:	in place of the first of @dtors: that of a patch which retires the
 *		state; NULL if it is not being retired
 * @slots_size:	size of what @slots points to
 * @nr_dtors:	how many of @dtors there are
 * @dtors:	one for each layout that the patch knows, the newest first
 * @rcu:	for kfree_rcu()
 *
 * What leads into the patch's module may be followed only while the core lists
 * the patch, as with struct klp_sdk_holder.
 */
struct klp_sdk_shadow_holder {
	u32 abi;
	u32 size;
	struct list_head node;
	unsigned long id;
	struct klp_sdk_shadow_slots *slots;
	void (*undo)(void *parent, void *data);
	u32 slots_size;
	u32 nr_dtors;
	struct klp_sdk_shadow_dtor dtors[1 + KLP_SDK_SHADOW_MAX_FROM];
	struct rcu_head rcu;
} __no_randomize_layout;

/* 2 to this power words are as many as the core's own table has chains. */
#define KLP_SDK_FRONT_BITS	12
#define KLP_SDK_FRONT_WORDS	BIT(KLP_SDK_FRONT_BITS)
#define KLP_SDK_FRONT_LOCKS	16

/* Added to a word: there are values that only the index knows. */
#define KLP_SDK_FRONT_MORE	1UL

/**
 * struct klp_sdk_shadow_front - What is looked at before the index, see front.h
 * @words:	by hash_ptr() of the parent: a node, or NULL, and %KLP_SDK_FRONT_MORE
 * @nr:		how many values a word's parents have
 *
 * The same in all patches on a kernel, as hash_ptr() is.
 */
struct klp_sdk_shadow_front {
	unsigned long words[KLP_SDK_FRONT_WORDS];
	u32 nr[KLP_SDK_FRONT_WORDS];
} __no_randomize_layout;

struct klp_sdk_shadow_lock {
	/* nests inside nothing of the SDK's, and not in each other */
	spinlock_t lock;
} ____cacheline_aligned_in_smp;

/**
 * struct klp_sdk_shadow_table - What the calls for a shadow type work on
 * @abi:	KLP_SDK_ABI of the engine that made it
 * @size:	size of this struct in that engine
 * @front:	of the index; the plain backend has none
 * @crowded:	there are so many values that the front knows few of them; a hint
 * @keep:	the state went through a force: conversions free nothing
 * @ht:		the index, of struct klp_sdk_shadow_node by parent; unused by the
 *		plain backend
 * @class:	of @locks
 * @locks:	each for some parents, by the words of the front that these have:
 *		make a change one step for those who change the same parent's value
 *
 * The same in all patches on a kernel, as struct rhashtable is; fields are
 * appended only.
 */
struct klp_sdk_shadow_table {
	u32 abi;
	u32 size;
	struct klp_sdk_shadow_front *front;
	bool crowded;
	bool keep;
	struct rhashtable ht;	/* its end is written with each value that comes */
	struct klp_sdk_lock_class class;
	struct klp_sdk_shadow_lock locks[KLP_SDK_FRONT_LOCKS];
};

/**
 * struct klp_sdk_shadow_node - A shadow variable of an indexed type
 * @head:	of the index, or of a list
 * @parent:	the key
 * @rcu:	for kfree_rcu()
 * @version:	of the layout
 * @data:	the value
 */
struct klp_sdk_shadow_node {
	struct rhash_head head;
	void *parent;
	struct rcu_head rcu;
	u32 version;
	u32 reserved;
	u8 data[] __aligned(16);
} __no_randomize_layout;

/*
 * What an engine must find at least. Frozen: fields that later releases append
 * do not count, or those releases would refuse the records of this one.
 */
#define KLP_SDK_ROOT_MIN	offsetofend(struct klp_sdk_root, lost)
#define KLP_SDK_RECORD_MIN	offsetofend(struct klp_sdk_record, pinned)
#define KLP_SDK_HOLDER_MIN	offsetofend(struct klp_sdk_holder, back)
#define KLP_SDK_SLOTS_MIN	offsetofend(struct klp_sdk_slots, data)
#define KLP_SDK_FNS_MIN		offsetofend(struct klp_sdk_state_fns, adopt)
#define KLP_SDK_SHADOW_RECORD_MIN offsetofend(struct klp_sdk_shadow_record, rcu)
#define KLP_SDK_SHADOW_HOLDER_MIN offsetofend(struct klp_sdk_shadow_holder, rcu)
#define KLP_SDK_SHADOW_SLOTS_MIN offsetofend(struct klp_sdk_shadow_slots, live)

struct klp_sdk_root *klp_sdk_root(void);
bool klp_sdk_root_known(const struct klp_sdk_root *root);
struct klp_sdk_record *klp_sdk_record_find(unsigned long id);
struct klp_sdk_record *klp_sdk_record_make(const struct klp_sdk_state *state);
void klp_sdk_record_forget(struct klp_sdk_record *record);
void klp_sdk_record_free(struct klp_sdk_record *record);

bool klp_sdk_record_live(const struct klp_sdk_record *record,
			 const struct klp_sdk_holder *but);
bool klp_sdk_record_used(const struct klp_sdk_record *record,
			 const struct klp_sdk_holder *but);
const struct klp_sdk_holder *
klp_sdk_record_permanent(const struct klp_sdk_record *record);
u32 klp_sdk_record_declared(const struct klp_sdk_record *record);
const struct klp_sdk_state_fns *
klp_sdk_holder_undo(const struct klp_sdk_holder *holder);
struct klp_sdk_holder *klp_sdk_holder_alloc(struct klp_sdk_patch *patch,
					    struct klp_sdk_state *state);
void klp_sdk_holder_free(struct klp_sdk_holder *holder);

int klp_sdk_record_count(void);
int klp_sdk_record_modules(struct klp_sdk_module_name *modules, int room);
void klp_sdk_record_merge(struct klp_sdk_patch *patch, int room);
void klp_sdk_record_explain(const struct klp_sdk_patch *patch);

#endif /* _KLP_SDK_RECORD_H */
