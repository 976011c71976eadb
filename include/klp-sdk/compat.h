/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that depends on the version of the kernel, and nothing else.
 *
 * No other file of the SDK tests LINUX_VERSION_CODE, and none but this one
 * touches a field of the livepatch core that livepatch.h marks "internal".
 */
#ifndef _KLP_SDK_COMPAT_H
#define _KLP_SDK_COMPAT_H

#include <linux/bitmap.h>
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/livepatch.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

#include <klp-sdk/sparse.h>

/*
 * Hard bounds. kernel/livepatch was read from 5.10 to 7.2; a later kernel may
 * drop klp_state.version and .data or move the callbacks, and a patch that
 * merely compiles there could corrupt the system.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "klp-sdk: this kernel is older than 5.10, the oldest that is supported"
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#error "klp-sdk: this kernel is newer than 7.2; get a release of the SDK that knows it"
#endif
#if !IS_ENABLED(CONFIG_LIVEPATCH)
#error "klp-sdk: the kernel of KDIR has no CONFIG_LIVEPATCH; set KDIR to one that has"
#endif

/*
 * The patch that an object belongs to. The core gives callbacks the object
 * only and keeps no pointer to the patch, but klp_init_object() makes the
 * object's kobject a child of the patch's (5.10 to 7.2).
 */
static inline struct klp_patch *klp_sdk_compat_patch(struct klp_object *obj)
{
	return container_of(obj->kobj.parent, struct klp_patch, kobj);
}

/*
 * Is what @obj patches there: vmlinux always, a module between the core's
 * callbacks for its coming and its going? Under klp_mutex.
 */
static inline bool klp_sdk_compat_loaded(const struct klp_object *obj)
{
	return !obj->name || obj->mod;
}

/*
 * Keep the module of @obj, which is loaded, from being unloaded. False if it is
 * on its way out; true for vmlinux.
 */
static inline bool klp_sdk_compat_pin(struct klp_object *obj)
{
	return !obj->name || try_module_get(obj->mod);
}

static inline void klp_sdk_compat_unpin(struct klp_object *obj)
{
	if (obj->name)
		module_put(obj->mod);
}

/*
 * A number that no other load of a module has, before or after: that of its folder
 * in sysfs. 0 if it has none yet; it gets one after the core's callbacks for its
 * coming, before its init. For vmlinux it is 0.
 */
static inline u64 klp_sdk_compat_load_nr(const struct klp_object *obj)
{
	const struct kernfs_node *sd;

	if (!obj->name || !obj->mod)
		return 0;
	sd = READ_ONCE(obj->mod->mkobj.kobj.sd);
	return sd ? sd->id : 0;
}

/*
 * Are the fields of @func that are the core's as in a new entry? They differ between
 * kernels; those of the author do not.
 */
static inline bool klp_sdk_compat_func_clean(const struct klp_func *func)
{
	struct klp_func clean;

	memset(&clean, 0, sizeof(clean));
	clean.old_name = func->old_name;
	clean.new_func = func->new_func;
	clean.old_sympos = func->old_sympos;
	return !memcmp(func, &clean, sizeof(clean));
}

/* The same of a patch of which only the module is known. */
static inline bool klp_sdk_compat_patch_clean(const struct klp_patch *patch)
{
	struct klp_patch clean;

	memset(&clean, 0, sizeof(clean));
	clean.mod = patch->mod;
	return !memcmp(patch, &clean, sizeof(clean));
}

/*
 * Can @fn be called as long as @mod is loaded? False for data of @mod, and for its
 * functions that are __init. Addresses outside of @mod are not judged.
 */
static inline bool klp_sdk_compat_is_code(struct module *mod, const void *fn)
{
	unsigned long addr = (unsigned long)fn;

	if (!within_module(addr, mod))
		return true;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	return within_module_mem_type(addr, mod, MOD_TEXT);
#else
	return addr - (unsigned long)mod->core_layout.base <
	       mod->core_layout.text_size;
#endif
}

/*
 * Was @patch removed by force, now? klp_force_transition() sets ->forced for a
 * patch that is being disabled or replaced, on 5.10 for all patches. Only for
 * a patch that the core lists.
 */
static inline bool klp_sdk_compat_forced(const struct klp_patch *patch)
{
	return patch->forced;
}

/*
 * Does the core list @other before @self, which is being enabled? The core has
 * put @self at the end of its list (klp_init_patch()), so that the next entry is
 * the list's head, which is not exported. Under klp_mutex, from pre_patch of
 * vmlinux. @other may be gone: it is only compared.
 */
static inline bool klp_sdk_compat_listed(const struct klp_patch *self,
					 const struct klp_patch *other)
{
	const struct list_head *pos;

	for (pos = self->list.prev; pos != self->list.next; pos = pos->prev)
		if (pos == &other->list)
			return true;

	return false;
}

/*
 * The size of the kmalloc() object at @data, which has @want bytes at least; 0 if it
 * is none: static data, pages, an object of a cache, or data inside something else's
 * allocation (a shadow variable), which cannot be taken over and freed. kmalloc()
 * aligns sizes that are a power of two naturally; an address inside an object of 96 or
 * 192 bytes cannot be told, nor a cache whose objects have one of kmalloc()'s sizes.
 *
 * The alignment is asked first: ksize() of an address inside an object writes beside
 * it if slub_debug=U records the sizes that were asked for (6.2 and later). On such a
 * boot an address inside an object that is aligned to @want must not be given.
 */
static inline size_t klp_sdk_compat_kmalloc_size(const void *data, size_t want)
{
	size_t size = roundup_pow_of_two(max_t(size_t, want, KMALLOC_MIN_SIZE));
	bool odd = (want > 64 && want <= 96) || (want > 128 && want <= 192);

	if (!data || !virt_addr_valid(data) ||
	    !PageSlab(virt_to_head_page(data)) ||
	    (!odd && !IS_ALIGNED((unsigned long)data, size)))
		return 0;
	size = ksize(data);
	if (is_power_of_2(size) && size >= KMALLOC_MIN_SIZE)
		return IS_ALIGNED((unsigned long)data, size) ? size : 0;
	return size == 96 || size == 192 ? size : 0;
}

/* Are there @size bytes of any memory at @data? */
static inline bool klp_sdk_compat_readable(const void *data, size_t size)
{
	const u8 *pos = data, *end = pos + size;
	u8 byte;

	for (; pos < end; pos = PTR_ALIGN(pos + 1, PAGE_SIZE))
		if (copy_from_kernel_nofault(&byte, pos, sizeof(byte)))
			return false;
	return !copy_from_kernel_nofault(&byte, end - 1, sizeof(byte));
}

/*
 * Memory that outlives the module which asks for it: zeroed, for kfree().
 *
 * With CONFIG_MEM_ALLOC_PROFILING (6.10) each kmalloc() in the source is accounted to a
 * tag that lies beside it, in the module. The memory points to the tag, whose per-CPU
 * counters are written when it is freed, even if they are another module's by then; to
 * unload a module with memory left is a WARN. bitmap_zalloc() calls kmalloc() in
 * vmlinux, so that the tag stays (6.10 to 7.2). With kzalloc_noprof() there would be no
 * tag, of which CONFIG_MEM_ALLOC_PROFILING_DEBUG warns.
 */
static inline void *klp_sdk_compat_kzalloc(size_t size, gfp_t gfp)
{
#ifdef CONFIG_MEM_ALLOC_PROFILING
	if (size > UINT_MAX / BITS_PER_BYTE)
		return NULL;
	return bitmap_zalloc(size * BITS_PER_BYTE, gfp);
#else
	return kzalloc(size, gfp);
#endif
}

/*
 * The same for kvfree(). Nothing in vmlinux calls vzalloc() for modules: what does not
 * fit into pages that lie together has no tag.
 */
static inline void *klp_sdk_compat_kvzalloc(size_t size)
{
#ifdef CONFIG_MEM_ALLOC_PROFILING
	void *data = NULL;

	if (size <= KMALLOC_MAX_SIZE)
		data = klp_sdk_compat_kzalloc(size, GFP_KERNEL | __GFP_NOWARN |
						    __GFP_NORETRY);
	return data ?: vzalloc_noprof(size);
#else
	return kvzalloc(size, GFP_KERNEL);
#endif
}

/*
 * Make a table that outlives the module. Since 6.10 rhashtable_init() may have it
 * point to an allocation tag of the module's, by which its memory is accounted. It has
 * none then; CONFIG_MEM_ALLOC_PROFILING_DEBUG warns of that, once.
 */
static inline int
klp_sdk_compat_rhashtable_init(struct rhashtable *ht,
			       const struct rhashtable_params *params)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	return rhashtable_init_noprof(ht, params);
#else
	return rhashtable_init(ht, params);
#endif
}

/*
 * Have a walk that stopped within a bucket read that from its start: what it goes
 * by otherwise is how many entries it has seen there, which is wrong after one
 * was removed (5.10 to 7.2).
 */
static inline void klp_sdk_compat_walk_bucket(struct rhashtable_iter *iter)
{
	iter->p = NULL;
	iter->skip = 0;
}

/*
 * The state @id of the patches before the one that is being enabled, as the core
 * lists it; NULL if none has it. A predecessor's: what is read of it stands below.
 */
static inline struct klp_state __klp_sdk_prev *
klp_sdk_compat_prev_state(unsigned long id)
{
	return (struct klp_state __force __klp_sdk_prev *)klp_get_prev_state(id);
}

static inline unsigned int
klp_sdk_compat_prev_version(const struct klp_state __klp_sdk_prev *prev)
{
	return ((const struct klp_state __force *)prev)->version;
}

static inline void __klp_sdk_prev *
klp_sdk_compat_prev_data(const struct klp_state __klp_sdk_prev *prev)
{
	return (void __force __klp_sdk_prev *)
		((const struct klp_state __force *)prev)->data;
}

/* Its data is about to be freed. */
static inline void
klp_sdk_compat_prev_clear(struct klp_state __klp_sdk_prev *prev)
{
	((struct klp_state __force *)prev)->data = NULL;
}

/*
 * Has sparse look for the rcu_read_lock() of the caller; see __klp_sdk_callback for
 * the numbers. Not since 7.0, where rcu_read_lock() tells nobody but clang.
 */
#if defined(__CHECKER__) && !defined(context_unsafe)
void klp_sdk_compat_under_rcu(void) __attribute__((context(RCU, -1, 1)));
#else
#define klp_sdk_compat_under_rcu()	((void)0)
#endif

#endif /* _KLP_SDK_COMPAT_H */
