// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow variables of types that klp_shadow_*() alone does not serve: the indexed
 * ones, and plain ones with conversions. First the calls of patched functions, then
 * what is done to all values of a type. Which patch may do what is in owned.c.
 *
 * A table outlives the modules. Its rhashtable hashes and compares with the
 * kernel's own functions, its nodes are freed by kfree_rcu(), and its locks have a
 * class of their own: nothing in it leads into a module.
 *
 * Who changes what a parent has in a table holds the parent's lock: a conversion puts
 * the new value in the place of the old one, and with an index its front, front.h,
 * is changed in the same step. Those who look for a value need no lock: a parent that
 * has one has the old one or the new one at any time, the new one from then on.
 */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/jhash.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "engine.h"
#include "front.h"

/* How many values one stretch of a walk under RCU converts, or looks at. */
#define KLP_SDK_SHADOW_BATCH	64
#define KLP_SDK_SHADOW_LOOK	1024

/* How many values, or pages of an index, are freed in a row. */
#define KLP_SDK_SHADOW_ROW	32

/* How often an insertion waits for the index's worker to make it larger. */
#define KLP_SDK_SHADOW_TRIES	100

#define KLP_SDK_SHADOW_PARAMS						\
	.key_len		= sizeof(void *),			\
	.key_offset		= offsetof(struct klp_sdk_shadow_node, parent), \
	.head_offset		= offsetof(struct klp_sdk_shadow_node, head), \
	.automatic_shrinking	= true

/* What an index keeps: nothing here leads into the module. */
static const struct rhashtable_params klp_sdk_shadow_kept_params = {
	KLP_SDK_SHADOW_PARAMS,
};

/*
 * What our own calls go by, for the compiler to put in their place. It must hash
 * and compare as the kernel does without: by jhash2() and memcmp() of the key.
 */
static __always_inline u32 klp_sdk_shadow_hash(const void *key, u32 len, u32 seed)
{
	const u32 *words = key;

	static_assert(sizeof(void *) == 2 * sizeof(u32));
	/* The same as jhash2() of two words. */
	return jhash_2words(words[0], words[1], seed);
}

static __always_inline int
klp_sdk_shadow_compare(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct klp_sdk_shadow_node *node = obj;

	return node->parent != *(void *const *)arg->key;
}

static const struct rhashtable_params klp_sdk_shadow_params = {
	KLP_SDK_SHADOW_PARAMS,
	.hashfn			= klp_sdk_shadow_hash,
	.obj_cmpfn		= klp_sdk_shadow_compare,
};

static unsigned long klp_sdk_shadow_key(const struct klp_sdk_shadow_type *type,
					u32 version)
{
	return __klp_sdk_shadow_key(type->props->id, version);
}

const struct klp_sdk_shadow_convert *
klp_sdk_shadow_conversion(const struct klp_sdk_shadow_type *type, u32 version)
{
	const struct klp_sdk_shadow_convert *how;
	int i;

	for (i = 0; i < KLP_SDK_SHADOW_MAX_FROM; i++) {
		how = type->props->convert[i].how;
		if (how && how->version == version)
			return how;
	}

	return NULL;
}

/* The node of @parent, of whatever layout, or NULL. Under RCU. */
static struct klp_sdk_shadow_node *
klp_sdk_shadow_lookup(struct klp_sdk_shadow_table *table, void *parent)
{
	struct klp_sdk_shadow_node *node;

	if (klp_sdk_front_find(table->front, parent, &node))
		return node;
	node = rhashtable_lookup(&table->ht, &parent, klp_sdk_shadow_params);
	/* What the front says in the next call is not older than this. */
	smp_rmb();
	return node;
}

/* While the index is made larger or smaller, or is in more than one piece. */
static noinline void *
klp_sdk_indexed_find(const struct klp_sdk_shadow_slots *slots, void *parent,
		     u32 version)
{
	struct klp_sdk_shadow_table *table;
	struct klp_sdk_shadow_node *node;
	void *data = NULL;

	rcu_read_lock();
	table = READ_ONCE(slots->table);
	node = table ? klp_sdk_shadow_lookup(table, parent) : NULL;
	if (node && node->version == version)
		data = node->data;
	rcu_read_unlock();

	return data;
}

/*
 * An RCU reader in two instructions: since 5.0 a grace period also waits for who
 * has preemption off. Where RCU's use is checked, it is the ordinary one.
 */
static __always_inline void klp_sdk_shadow_read_lock(void)
{
#ifdef CONFIG_PROVE_RCU
	rcu_read_lock();
#else
	preempt_disable();
#endif
}

static __always_inline void klp_sdk_shadow_read_unlock(void)
{
#ifdef CONFIG_PROVE_RCU
	rcu_read_unlock();
#else
	preempt_enable();
#endif
}

/*
 * What klp_sdk_shadow_get() of an indexed type is: a look at the front, and
 * rhashtable_lookup() of the usual case, in one function that calls no other.
 */
void *klp_sdk_shadow_find_indexed(const struct klp_sdk_shadow_slots *slots,
				  void *parent, u32 version)
{
	struct klp_sdk_shadow_table *table;
	struct rhash_lock_head __rcu *const *bucket;
	struct klp_sdk_shadow_node *node;
	struct bucket_table *tbl;
	struct rhash_head *pos;
	void *data = NULL;
	u32 hash;

	klp_sdk_shadow_read_lock();
	table = READ_ONCE(slots->table);
	if (!table)
		goto out;

	if (klp_sdk_front_asked(table) &&
	    klp_sdk_front_find(table->front, parent, &node)) {
		if (node)
			goto found;
		goto out;
	}

	tbl = rht_dereference_rcu(table->ht.tbl, &table->ht);
	if (unlikely(tbl->nest))
		goto other;
	hash = klp_sdk_shadow_hash(&parent, sizeof(parent), tbl->hash_rnd) &
	       (tbl->size - 1);
	bucket = &tbl->buckets[hash];
	rht_for_each_rcu_from(pos, rht_ptr_rcu(bucket), tbl, hash) {
		node = container_of(pos, struct klp_sdk_shadow_node, head);
		if (node->parent == parent) {
			/* What the front says in the next call is not older. */
			smp_rmb();
			goto found;
		}
	}
	/* Not if it was moved to another chain, or to a larger table, meanwhile. */
	smp_rmb();
	if (unlikely(pos != RHT_NULLS_MARKER(bucket) ||
		     rcu_access_pointer(tbl->future_tbl)))
		goto other;
	goto out;

found:
	if (likely(node->version == version))
		data = node->data;
out:
	klp_sdk_shadow_read_unlock();
	return data;

other:
	klp_sdk_shadow_read_unlock();
	return klp_sdk_indexed_find(slots, parent, version);
}

struct klp_sdk_plain_step {
	void __klp_sdk_prev *old;
	const struct klp_sdk_shadow_convert *how;
};

/* Called by the core for the new value, under its lock. */
static int klp_sdk_plain_ctor(void *parent, void *data, void *arg)
{
	const struct klp_sdk_plain_step *step = arg;

	step->how->convert(parent, data, step->old);
	return 0;
}

/*
 * The newest of the older layouts of which @parent has a value, or NULL. There is
 * one at most, but for what conversions leave behind after a force.
 */
static const struct klp_sdk_shadow_convert *
klp_sdk_plain_newest(const struct klp_sdk_shadow_type *type, void *parent)
{
	const struct klp_sdk_shadow_convert *how, *newest = NULL;
	int i;

	for (i = 0; i < KLP_SDK_SHADOW_MAX_FROM; i++) {
		how = type->props->convert[i].how;
		if (!how || (newest && newest->version > how->version))
			continue;
		if (klp_shadow_get(parent, klp_sdk_shadow_key(type, how->version)))
			newest = how;
	}

	return newest;
}

/*
 * Convert the value of @parent that has an older layout, unless somebody was faster.
 * NULL if it was freed meanwhile, an ERR_PTR if there is no memory.
 */
static void *klp_sdk_plain_convert(const struct klp_sdk_shadow_type *type,
				   void *parent)
{
	struct klp_sdk_shadow_table *table = READ_ONCE(type->slots->table);
	unsigned long key = klp_sdk_shadow_key(type, type->props->version);
	spinlock_t *lock = klp_sdk_front_lock(table, parent);
	struct klp_sdk_plain_step step = { };
	unsigned long flags, old_key;
	void *data;

	spin_lock_irqsave(lock, flags);
	data = klp_shadow_get(parent, key);
	if (!data)
		step.how = klp_sdk_plain_newest(type, parent);
	if (step.how) {
		old_key = klp_sdk_shadow_key(type, step.how->version);
		step.old = klp_sdk_as_prev(klp_shadow_get(parent, old_key));
		data = klp_shadow_alloc(parent, key, klp_sdk_shadow_size(type),
					GFP_ATOMIC | __GFP_NOWARN,
					klp_sdk_plain_ctor, &step);
		if (!data)
			data = ERR_PTR(-ENOMEM);
		/* What it points to has passed to the new one. */
		else if (!READ_ONCE(table->keep))
			klp_shadow_free(parent, old_key, NULL);
	}
	spin_unlock_irqrestore(lock, flags);

	if (IS_ERR(data))
		pr_warn_ratelimited("klp-sdk: shadow type '%s': no memory to convert a value from version %u; it stays as it is\n",
				    type->name, step.how->version);
	return data;
}

static void *klp_sdk_plain_find(const struct klp_sdk_shadow_type *type,
				void *parent)
{
	unsigned long key = klp_sdk_shadow_key(type, type->props->version);
	void *data;

	data = klp_shadow_get(parent, key);
	/* Pairs with the release in klp_sdk_shadows_publish(). */
	if (data || !smp_load_acquire(&type->slots->live))
		return data;
	if (klp_sdk_plain_newest(type, parent))
		return klp_sdk_plain_convert(type, parent);

	/*
	 * Another task may have converted it between the two looks. Who sees that the
	 * old value is gone sees the new one, which the lock of the core's table
	 * that was taken twice put in place before.
	 */
	smp_rmb();
	return klp_shadow_get(parent, key);
}

/* An ERR_PTR if there is a value, but no memory to convert it. */
static void *klp_sdk_shadow_look(const struct klp_sdk_shadow_type *type,
				 void *parent)
{
	if (type->props->indexed)
		return klp_sdk_shadow_find_indexed(type->slots, parent,
						   type->props->version);
	return klp_sdk_plain_find(type, parent);
}

void *klp_sdk_shadow_find(const struct klp_sdk_shadow_type *type, void *parent)
{
	void *data = klp_sdk_shadow_look(type, parent);

	return IS_ERR(data) ? NULL : data;
}

void __klp_sdk_prev *
klp_sdk_shadow_find_old(const struct klp_sdk_shadow_type *type, void *parent,
			u32 version)
{
	void *data;

	if (type->props->indexed)
		data = klp_sdk_shadow_find_indexed(type->slots, parent, version);
	else
		data = klp_shadow_get(parent, klp_sdk_shadow_key(type, version));
	/* The next look is for the new value, see klp_sdk_plain_find(). */
	smp_rmb();
	return klp_sdk_as_prev(data);
}

/*
 * The index is not for hard interrupts: its locks do not keep them out on 6.1. Nor
 * for who has them off: those locks end there with local_bh_enable(), which may run
 * softirqs and so turns interrupts on.
 */
static void klp_sdk_indexed_context(const struct klp_sdk_shadow_type *type)
{
	WARN_ONCE(IS_ENABLED(CONFIG_PROVE_LOCKING) &&
		  (hardirq_count() || irqs_disabled()),
		  "klp-sdk: shadow type '%s' is indexed and is changed in a hard interrupt or with interrupts off; use the plain backend\n",
		  type->name);
}

/* Returns NULL, the value that was faster, or an ERR_PTR. */
static void *klp_sdk_indexed_insert(const struct klp_sdk_shadow_type *type,
				    struct klp_sdk_shadow_node *node, gfp_t gfp)
{
	struct klp_sdk_shadow_table *table = READ_ONCE(type->slots->table);
	int tries = gfpflags_allow_blocking(gfp) ? KLP_SDK_SHADOW_TRIES : 1;
	spinlock_t *lock = klp_sdk_front_lock(table, node->parent);
	struct klp_sdk_shadow_node *owner, *other;
	void *data;

	do {
		spin_lock_bh(lock);
		owner = klp_sdk_front_hush(table->front, node->parent);
		other = rhashtable_lookup_get_insert_fast(&table->ht, &node->head,
							  klp_sdk_shadow_params);
		if (other) {
			klp_sdk_front_tell(table->front, node->parent, owner, 0);
		} else {
			klp_sdk_front_tell(table->front, node->parent,
					   owner ?: node, 1);
			klp_sdk_front_count(table, KLP_SDK_FRONT_VALUES);
		}
		if (IS_ERR_OR_NULL(other))
			data = other;
		/* Of a task in code that was forced out. */
		else if (other->version != node->version)
			data = ERR_PTR(-EEXIST);
		else
			data = other->data;
		spin_unlock_bh(lock);
		if (!IS_ERR(data) || PTR_ERR(data) == -EEXIST || !--tries)
			return data;
		/* Many insertions in a row have outrun the index's worker. */
		schedule_timeout_uninterruptible(1);
	} while (1);
}

/* Returns the new value, that which was there (@there is set), or NULL. */
static void *klp_sdk_indexed_new(const struct klp_sdk_shadow_type *type,
				 void *parent, gfp_t gfp, void *arg, bool *there)
{
	struct klp_sdk_shadow_node *node;
	void *data;
	int ret;

	klp_sdk_indexed_context(type);
	node = klp_sdk_compat_kzalloc(sizeof(*node) + klp_sdk_shadow_size(type),
				      gfp);
	if (!node)
		return NULL;

	node->parent = parent;
	node->version = type->props->version;
	ret = type->ctor(parent, node->data, arg);
	if (ret) {
		pr_err_ratelimited("klp-sdk: shadow type '%s': its ctor failed with %d; nothing was attached\n",
				   type->name, ret);
		kfree(node);
		return NULL;
	}

	data = klp_sdk_indexed_insert(type, node, gfp);
	if (!data)
		return node->data;

	type->dtor(parent, node->data);
	kfree(node);
	*there = !IS_ERR(data);
	return *there ? data : NULL;
}

void *klp_sdk_shadow_new(const struct klp_sdk_shadow_type *type, void *parent,
			 gfp_t gfp, void *arg, bool or_get)
{
	const struct klp_sdk_shadow_props *props = type->props;
	void *caller = __builtin_return_address(0);
	bool there = false;
	void *data;

	__klp_sdk_shadow_check_gfp(gfp);
	/* Pairs with the release in klp_sdk_shadows_publish(). */
	if (!smp_load_acquire(&type->slots->live)) {
		pr_err_ratelimited("klp-sdk: %pS: shadow type '%s' cannot be allocated before its state is live; test klp_sdk_live() first\n",
				   caller, type->name);
		return NULL;
	}

	/* The index finds what is there when it inserts, which is the exception. */
	data = props->indexed && !or_get ? NULL : klp_sdk_shadow_look(type, parent);
	if (IS_ERR(data))
		return NULL;
	if (data)
		there = true;
	else if (props->indexed)
		data = klp_sdk_indexed_new(type, parent, gfp, arg, &there);
	else
		/* The core looks again under its lock. */
		return (or_get ? klp_shadow_get_or_alloc : klp_shadow_alloc)
			(parent, klp_sdk_shadow_key(type, props->version),
			 klp_sdk_shadow_size(type), gfp, type->ctor, arg);

	if (there && !or_get) {
		WARN(1, "klp-sdk: %pS: the parent has a shadow of type '%s' already\n",
		     caller, type->name);
		return NULL;
	}
	return data;
}

static void klp_sdk_plain_remove(const struct klp_sdk_shadow_type *type,
				 struct klp_sdk_shadow_table *table, void *parent)
{
	unsigned long key = klp_sdk_shadow_key(type, type->props->version);
	spinlock_t *lock = klp_sdk_front_lock(table, parent);
	const struct klp_sdk_shadow_convert *how;
	unsigned long flags;
	bool left;

	spin_lock_irqsave(lock, flags);
	/* What it was made from is left after a force only, and has nothing more. */
	left = klp_shadow_get(parent, key);
	klp_shadow_free(parent, key, type->dtor);
	while ((how = klp_sdk_plain_newest(type, parent))) {
		klp_shadow_free(parent, klp_sdk_shadow_key(type, how->version),
				left ? NULL : how->dtor);
		left = true;
	}
	spin_unlock_irqrestore(lock, flags);
}

static struct klp_sdk_shadow_node *
klp_sdk_indexed_detach(struct klp_sdk_shadow_table *table, void *parent)
{
	spinlock_t *lock = klp_sdk_front_lock(table, parent);
	struct klp_sdk_shadow_node *node, *owner;

	spin_lock_bh(lock);
	rcu_read_lock();
	node = klp_sdk_shadow_lookup(table, parent);
	if (!node)
		goto out;
	owner = klp_sdk_front_hush(table->front, parent);
	/* Cannot fail: who else detaches or replaces it has the lock. */
	if (WARN_ON(rhashtable_remove_fast(&table->ht, &node->head,
					   klp_sdk_shadow_params))) {
		klp_sdk_front_tell(table->front, parent, owner, 0);
		node = NULL;
		goto out;
	}
	klp_sdk_front_tell(table->front, parent, owner == node ? NULL : owner, -1);
	klp_sdk_front_count(table, KLP_SDK_FRONT_VALUES);
out:
	rcu_read_unlock();
	spin_unlock_bh(lock);

	return node;
}

static void klp_sdk_indexed_remove(const struct klp_sdk_shadow_type *type,
				   struct klp_sdk_shadow_table *table,
				   void *parent)
{
	const struct klp_sdk_shadow_convert *how;
	struct klp_sdk_shadow_node *node;

	klp_sdk_indexed_context(type);
	node = klp_sdk_indexed_detach(table, parent);
	if (!node)
		return;

	how = klp_sdk_shadow_conversion(type, node->version);
	(how ? how->dtor : type->dtor)(parent, node->data);
	kfree_rcu(node, rcu);
}

void klp_sdk_shadow_remove(const struct klp_sdk_shadow_type *type, void *parent)
{
	struct klp_sdk_shadow_table *table = READ_ONCE(type->slots->table);

	if (!table)
		return;
	if (type->props->indexed)
		klp_sdk_indexed_remove(type, table, parent);
	else
		klp_sdk_plain_remove(type, table, parent);
}

void klp_sdk_shadow_walk(const struct klp_sdk_shadow_type *type,
			 void (*fn)(void *parent, void *data, void *arg),
			 void *arg)
{
	struct klp_sdk_shadow_table *table = READ_ONCE(type->slots->table);
	struct klp_sdk_shadow_node *node;
	struct rhashtable_iter iter;
	int nr;

	might_sleep();
	if (!table)
		return;

	rhashtable_walk_enter(&table->ht, &iter);
	do {
		rhashtable_walk_start(&iter);
		for (nr = 0; nr < KLP_SDK_SHADOW_LOOK; nr++) {
			node = rhashtable_walk_next(&iter);
			if (!node)
				break;
			/* An error: it was resized, and the walk begins anew. */
			if (!IS_ERR(node) &&
			    node->version == type->props->version)
				fn(node->parent, node->data, arg);
		}
		rhashtable_walk_stop(&iter);
		cond_resched();
	} while (node);
	rhashtable_walk_exit(&iter);
}

/* A table for @owned. NULL if there is no memory. */
struct klp_sdk_shadow_table *
klp_sdk_shadow_table_make(const struct klp_sdk_shadow_record *owned)
	__klp_sdk_in_callback
{
	struct klp_sdk_shadow_table *table;
	int i;

	table = klp_sdk_compat_kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return NULL;
	if (klp_sdk_shadow_indexed(owned)) {
		table->front = klp_sdk_compat_kvzalloc(sizeof(*table->front));
		if (!table->front)
			goto failed;
	}
	if (klp_sdk_compat_rhashtable_init(&table->ht,
					   &klp_sdk_shadow_kept_params))
		goto failed;

	table->abi = KLP_SDK_ABI;
	table->size = sizeof(*table);
	klp_sdk_lock_class_init(&table->class, owned->name);
	for (i = 0; i < KLP_SDK_FRONT_LOCKS; i++)
		klp_sdk_spin_lock_init(&table->locks[i].lock, &table->class);
	return table;

failed:
	kvfree(table->front);
	kfree(table);
	return NULL;
}

/*
 * What the page allocator gets back it puts into its free lists many pages at a time,
 * with interrupts off, and the more it was given in a row the more: up to some 2,000.
 * Whenever it gives one it halves that number. So who frees much gives it
 * KLP_SDK_SHADOW_ROW things at most, and takes a page in between.
 */
static void klp_sdk_shadow_calm(int times)
{
	struct page *page;

	while (times--) {
		page = alloc_page(GFP_NOWAIT | __GFP_NOWARN);
		if (page)
			__free_page(page);
	}
}

/*
 * Keep the pages of @tbl from being freed in a row by its vfree(): put them on
 * @pages, with a reference.
 */
static void klp_sdk_shadow_hold_pages(struct bucket_table *tbl,
				      struct list_head *pages)
{
	char *at = (char *)tbl, *end = (char *)&tbl->buckets[tbl->size];
	struct page *page;

	if (!is_vmalloc_addr(tbl))
		return;
	for (; at < end; at += PAGE_SIZE) {
		page = vmalloc_to_page(at);
		if (page && !PageCompound(page) && get_page_unless_zero(page))
			list_add(&page->lru, pages);
	}
}

static void klp_sdk_shadow_put_pages(struct list_head *pages)
{
	struct page *page, *next;
	int nr = 0;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		put_page(page);
		if (++nr % KLP_SDK_SHADOW_ROW == 0) {
			klp_sdk_shadow_calm(1);
			cond_resched();
		}
	}
}

struct klp_sdk_shadow_end {
	struct klp_sdk_shadow_holder *part;
	unsigned int nr;
};

static void klp_sdk_shadow_free_node(void *ptr, void *arg)
{
	struct klp_sdk_shadow_node *node = ptr;
	struct klp_sdk_shadow_end *end = arg;
	void (*dtor)(void *parent, void *data);

	dtor = klp_sdk_shadow_dtor(end->part, node->version);
	if (dtor)
		dtor(node->parent, node->data);
	kfree(node);
	if (++end->nr % KLP_SDK_SHADOW_ROW == 0)
		klp_sdk_shadow_calm(1);
}

/*
 * Free @table with all values in it, whose dtors are those of @part, which may be
 * NULL. No slot leads to it any more.
 */
void klp_sdk_shadow_table_free(struct klp_sdk_shadow_table *table,
			       struct klp_sdk_shadow_holder *part)
	__klp_sdk_in_callback
{
	struct klp_sdk_shadow_end end = { .part = part };
	struct bucket_table *tbl;
	LIST_HEAD(pages);

	/* Who has found the table, or a value, under RCU. */
	synchronize_rcu();
	/* Nobody inserts, so the index's worker does not start again. */
	cancel_work_sync(&table->ht.run_work);
	tbl = rcu_dereference_protected(table->ht.tbl, true);
	for (; tbl; tbl = rcu_dereference_protected(tbl->future_tbl, true))
		klp_sdk_shadow_hold_pages(tbl, &pages);
	/* From whatever was freed before; 2 to the 12th is more than it ever is. */
	klp_sdk_shadow_calm(12);
	/* Interrupts are on, and others get their turn after each bucket. */
	rhashtable_free_and_destroy(&table->ht, klp_sdk_shadow_free_node, &end);
	klp_sdk_shadow_put_pages(&pages);
	klp_sdk_lock_class_destroy(&table->class);
	kvfree(table->front);
	kfree(table);
}

static struct klp_sdk_shadow_node *
klp_sdk_shadow_node_alloc(const struct klp_sdk_shadow *shadow, gfp_t gfp)
{
	struct klp_sdk_shadow_node *node;

	node = klp_sdk_compat_kzalloc(sizeof(*node) +
				      klp_sdk_shadow_size(shadow->type), gfp);
	if (node)
		node->version = shadow->type->props->version;
	return node;
}

static void klp_sdk_shadow_push(struct klp_sdk_shadow *shadow,
				struct klp_sdk_shadow_node *node)
{
	node->parent = shadow->spare;
	shadow->spare = node;
}

static struct klp_sdk_shadow_node *
klp_sdk_shadow_pop(struct klp_sdk_shadow *shadow)
{
	struct klp_sdk_shadow_node *node = shadow->spare;

	shadow->spare = node->parent;
	return node;
}

/* Memory to convert the values that there are now. */
int klp_sdk_shadow_reserve(struct klp_sdk_shadow *shadow,
			   struct klp_sdk_shadow_table *table)
{
	int nr = atomic_read(&table->ht.nelems);
	struct klp_sdk_shadow_node *node;

	while (nr-- > 0) {
		node = klp_sdk_shadow_node_alloc(shadow, GFP_KERNEL);
		if (!node) {
			klp_sdk_shadow_unreserve(shadow);
			return -ENOMEM;
		}
		klp_sdk_shadow_push(shadow, node);
		if (nr % KLP_SDK_SHADOW_BATCH == 0)
			cond_resched();
	}

	return 0;
}

void klp_sdk_shadow_unreserve(struct klp_sdk_shadow *shadow)
{
	int nr = 0;

	while (shadow->spare) {
		kfree(klp_sdk_shadow_pop(shadow));
		if (++nr % KLP_SDK_SHADOW_BATCH == 0)
			cond_resched();
	}
}

/* So that a batch needs no memory. Values have come since the reservation. */
static void klp_sdk_shadow_refill(struct klp_sdk_shadow *shadow)
{
	struct klp_sdk_shadow_node *node = shadow->spare;
	int nr;

	for (nr = 0; node && nr < KLP_SDK_SHADOW_BATCH; nr++)
		node = node->parent;
	for (; nr < KLP_SDK_SHADOW_BATCH; nr++)
		klp_sdk_shadow_push(shadow,
				    klp_sdk_shadow_node_alloc(shadow, GFP_KERNEL |
							      __GFP_NOFAIL));
}

static void klp_sdk_indexed_convert(struct klp_sdk_shadow *shadow,
				    struct klp_sdk_shadow_table *table,
				    struct klp_sdk_shadow_node *old)
{
	spinlock_t *lock = klp_sdk_front_lock(table, old->parent);
	struct klp_sdk_shadow_node *owner, *node;
	bool done = false;

	spin_lock_bh(lock);
	/* Not if it was freed since the walk has come to it. */
	if (klp_sdk_shadow_lookup(table, old->parent) == old) {
		node = klp_sdk_shadow_pop(shadow);
		node->parent = old->parent;
		shadow->from->convert(old->parent, node->data,
				      klp_sdk_as_prev(old->data));
		owner = klp_sdk_front_hush(table->front, old->parent);
		/* Cannot fail: who else detaches nodes has the lock. */
		done = !WARN_ON(rhashtable_replace_fast(&table->ht, &old->head,
							&node->head,
							klp_sdk_shadow_params));
		klp_sdk_front_tell(table->front, old->parent,
				   done && owner == old ? node : owner, 0);
	}
	spin_unlock_bh(lock);

	if (done && !table->keep)
		kfree_rcu(old, rcu);
}

/*
 * Convert all values. New ones cannot come meanwhile, old ones can go: where
 * a stretch ends within a bucket, the next one reads all of it again.
 */
void klp_sdk_shadow_convert_all(struct klp_sdk_shadow *shadow,
				struct klp_sdk_shadow_table *table)
{
	struct klp_sdk_shadow_node *node;
	struct rhashtable_iter iter;
	int nr, seen;

	rhashtable_walk_enter(&table->ht, &iter);
	do {
		klp_sdk_shadow_refill(shadow);
		klp_sdk_compat_walk_bucket(&iter);
		rhashtable_walk_start(&iter);
		nr = 0;
		for (seen = 0; seen < KLP_SDK_SHADOW_LOOK; seen++) {
			if (nr == KLP_SDK_SHADOW_BATCH)
				break;
			node = rhashtable_walk_next(&iter);
			if (!node)
				break;
			if (IS_ERR(node) ||
			    node->version != shadow->from->version)
				continue;
			klp_sdk_indexed_convert(shadow, table, node);
			nr++;
		}
		rhashtable_walk_stop(&iter);
		cond_resched();
	} while (node);
	rhashtable_walk_exit(&iter);
	klp_sdk_shadow_unreserve(shadow);
}
