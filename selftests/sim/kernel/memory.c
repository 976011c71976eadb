// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: kmalloc(), pages and what is asked about them. Objects of one size lie beside
 * each other in a part of an arena, the lowest free one is taken, so that the same events
 * give the same addresses. A free object is poisoned, and looked at when it is taken again.
 * What is lost: memory is never short by itself, vmalloc() gives kmalloc() memory of
 * the largest sizes, there are neither pages nor caches, and GFP flags are looked at for __GFP_NOFAIL only.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

#include "kern.h"

#define MAX_OBJECTS	2048
#define POISON		0x6b

#define CLASSES(X)							\
	X(8, 256) X(16, 2048) X(32, 1024) X(64, 2048) X(96, 1024)	\
	X(128, 2048) X(192, 256) X(256, 256) X(512, 256) X(1024, 64)	\
	X(2048, 64) X(4096, 64) X(8192, 64) X(32768, 64) X(65536, 64)

struct class {
	u32 size, nr;
	char *start;
	u32 high;			/* of those that were ever taken, plus one */
	u32 used;
	u64 taken[MAX_OBJECTS / 64];
	u32 asked[MAX_OBJECTS];		/* bytes that were asked for */
};

static struct class classes[] __sim_aside = {
#define X(_size, _nr) { .size = (_size), .nr = (_nr) },
	CLASSES(X)
#undef X
};

#define X(_size, _nr) + PAGE_ALIGN((_size) * (_nr))
static char arena[0 CLASSES(X)] __aligned(65536) __sim_aside;
#undef X
#define NR_PAGES	(sizeof(arena) / PAGE_SIZE)
static struct page pages[NR_PAGES] __sim_aside;
static u8 class_of[NR_PAGES] __sim_aside;

/* Where the kernel's headers look for the pages of an address */
unsigned long page_offset_base, vmemmap_base, phys_base;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
kmem_buckets kmalloc_caches[NR_KMALLOC_TYPES];
#else
struct kmem_cache *kmalloc_caches[NR_KMALLOC_TYPES][KMALLOC_SHIFT_HIGH + 1];
#endif

static void set_slab(struct page *page)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	page->page_type = -1;		/* of no type yet */
	__folio_set_slab((struct folio *)page);
#else
	__SetPageSlab(page);
#endif
}

void sim_memory_boot(void)
{
	char *pos = arena;
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		struct class *c = &classes[i];

		c->start = pos;
		pos += PAGE_ALIGN(c->size * c->nr);
		for (k = (c->start - arena) / PAGE_SIZE; k < (pos - arena) / PAGE_SIZE; k++) {
			class_of[k] = i;
			set_slab(&pages[k]);
			init_page_count(&pages[k]);
		}
	}
	page_offset_base = (unsigned long)arena;
	vmemmap_base = (unsigned long)pages;
	host_poison(arena, sizeof(arena));
}

bool sim_arena_has(const void *addr)
{
	return (const char *)addr >= arena && (const char *)addr < arena + sizeof(arena);
}

static struct class *class_at(const void *addr)
{
	return &classes[class_of[((const char *)addr - arena) / PAGE_SIZE]];
}

static bool is_taken(const struct class *c, u32 nr)
{
	return nr < c->high && c->taken[nr / 64] >> nr % 64 & 1;
}

int sim_object_at(const void *addr, void **start, size_t *size)
{
	struct class *c;
	u32 nr;

	if (!sim_arena_has(addr))
		return -1;
	c = class_at(addr);
	nr = ((const char *)addr - c->start) / c->size;
	if (!is_taken(c, nr))
		return -1;
	*start = c->start + nr * c->size;
	*size = c->asked[nr];
	return (c - classes) * MAX_OBJECTS + nr;
}

int sim_objects(void)
{
	return ARRAY_SIZE(classes) * MAX_OBJECTS;
}

int sim_allocated(void)
{
	int sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(classes); i++)
		sum += classes[i].used;
	return sum;
}

static bool injected(gfp_t flags)
{
	if (flags & __GFP_NOFAIL || !sim_now.fail_alloc || --sim_now.fail_alloc)
		return false;
	sim_now.seen->injected = 1;
	return true;
}

static void check_poison(const struct class *c, u32 nr)
{
	const u64 *word = (const u64 *)(c->start + nr * c->size);
	u32 i;

	for (i = 0; i < c->size / 8; i++)
		if (word[i] != POISON * 0x0101010101010101)
			return sim_wrong("memory was written after it was freed");
}

static void *take(size_t size, gfp_t flags)
{
	struct class *c = classes;
	u32 nr = 0;
	char *obj;

	if (injected(flags))
		return NULL;
	while (c->size < size)
		if (++c == classes + ARRAY_SIZE(classes))
			return NULL;
	while (nr < c->nr && !~c->taken[nr / 64])
		nr += 64;
	nr += nr < c->nr ? __ffs64(~c->taken[nr / 64]) : 0;
	if (nr >= c->nr)
		host_die("the arena has no more objects of a size: enlarge it in memory.c");
	obj = c->start + nr * c->size;
	if (nr < c->high) {
		host_unpoison(obj, c->size);
		check_poison(c, nr);
		host_poison(obj, c->size);
	} else {
		c->high = nr + 1;
	}
	host_unpoison(obj, size);
	c->taken[nr / 64] |= 1UL << nr % 64;
	c->asked[nr] = size;
	c->used++;
	/* An author who forgets __GFP_ZERO is to notice */
	memset(obj, flags & __GFP_ZERO ? 0 : 0x5a, size);
	return obj;
}

void kfree(const void *data)
{
	size_t size;
	void *start;
	struct class *c;
	int nr;

	if (ZERO_OR_NULL_PTR(data))
		return;
	nr = sim_object_at(data, &start, &size);
	if (nr < 0 || start != data)
		return sim_wrong("kfree() of %px, which is %s", data,
				 nr >= 0 ? "inside an object" : "free or no object");
	c = class_at(data);
	nr %= MAX_OBJECTS;
	c->taken[nr / 64] &= ~(1UL << nr % 64);
	c->used--;
	host_unpoison(start, c->size);
	memset(start, POISON, c->size);
	host_poison(start, c->size);
}

void kvfree(const void *data)
{
	kfree(data);
}

void vfree(const void *data)
{
	kfree(data);
}

size_t ksize(const void *data)
{
	size_t size;
	void *start;

	if (ZERO_OR_NULL_PTR(data) || sim_object_at(data, &start, &size) < 0)
		return 0;
	return class_at(data)->size;
}

/* The functions behind the macros that tag allocations, and what they were before */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define NAME(_name, _untagged)	_untagged
#else
#define NAME(_name, _untagged)	_name
#define DECL_BUCKET_PARAMS(_size, _b)	size_t (_size)
#endif

void *NAME(__kmalloc, __kmalloc_noprof)(size_t size, gfp_t flags)
{
	return take(size, flags);
}

void *NAME(kmalloc_trace, __kmalloc_cache_noprof)(struct kmem_cache *s, gfp_t flags, size_t size)
{
	return take(size, flags);
}

void *NAME(kvmalloc_node, __kvmalloc_node_noprof)(DECL_BUCKET_PARAMS(size, b), gfp_t flags,
						  int node)
{
	return take(size, flags);
}

void *NAME(vzalloc, vzalloc_noprof)(unsigned long size)
{
	return take(max(size, PAGE_SIZE + 1), GFP_KERNEL | __GFP_ZERO);
}

char *kstrdup(const char *s, gfp_t gfp)
{
	size_t size = s ? strlen(s) + 1 : 0;
	char *copy = s ? take(size, gfp) : NULL;

	return copy ? memcpy(copy, s, size) : NULL;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
unsigned long *bitmap_zalloc(unsigned int nbits, gfp_t flags)
{
	return take(BITS_TO_LONGS(nbits) * sizeof(long), flags | __GFP_ZERO);
}
#endif

/* Pages are asked for in order to be given back at once. */
static struct page spare_page __sim_aside;

struct page *NAME(alloc_pages, alloc_pages_noprof)(gfp_t gfp, unsigned int order)
{
	return &spare_page;
}

void __free_pages(struct page *page, unsigned int order)
{
	if (page != &spare_page)
		sim_wrong("a page is freed that was never taken");
}

unsigned long NAME(get_zeroed_page, get_zeroed_page_noprof)(gfp_t gfp)
{
	return (unsigned long)take(PAGE_SIZE, gfp | __GFP_ZERO);
}

void free_pages(unsigned long addr, unsigned int order)
{
	kfree((void *)addr);
}

/* Large objects count as vmalloc() memory, whose pages have a reference each. */
bool is_vmalloc_addr(const void *addr)
{
	return sim_arena_has(addr) && class_at(addr)->size > PAGE_SIZE;
}

struct page *vmalloc_to_page(const void *addr)
{
	return is_vmalloc_addr(addr) ?
	       &pages[((const char *)addr - arena) / PAGE_SIZE] : NULL;
}

/* There are no caches to be had. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int size,
					    struct kmem_cache_args *args, slab_flags_t flags)
{
	return NULL;
}
#else
struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     slab_flags_t flags, void (*ctor)(void *))
{
	return NULL;
}
#endif

void *NAME(kmem_cache_alloc, kmem_cache_alloc_noprof)(struct kmem_cache *s, gfp_t flags)
{
	return NULL;
}

void kmem_cache_free(struct kmem_cache *s, void *obj)
{
}

void kmem_cache_destroy(struct kmem_cache *s)
{
}

void __folio_put(struct folio *folio)
{
	sim_wrong("a page is freed");
}

DEFINE_STATIC_KEY_FALSE(hugetlb_optimize_vmemmap_key);
DEFINE_STATIC_KEY_FALSE(devmap_managed_key);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
bool __put_devmap_managed_folio_refs(struct folio *folio, int refs)
#else
bool __put_devmap_managed_page_refs(struct page *page, int refs)
#endif
{
	return false;
}

bool __virt_addr_valid(unsigned long addr)
{
	return sim_arena_has((const void *)addr) && !is_vmalloc_addr((const void *)addr);
}

long copy_from_kernel_nofault(void *dst, const void *src, size_t size)
{
	const char *end = (const char *)src + size - 1;

	if (!sim_readable(src) || !sim_readable(end))
		return -EFAULT;
	memcpy(dst, src, size);
	return 0;
}

/* For AddressSanitizer: all but what was asked for */
static void poison_free(const struct class *c)
{
	u32 nr;

	host_poison(c->start, c->high * c->size);
	for (nr = 0; sim_sanitized && nr < c->high; nr++)
		if (is_taken(c, nr))
			host_unpoison(c->start + nr * c->size, c->asked[nr]);
}

/* Of each class its numbers, and what was ever taken */
size_t sim_memory_save(char *to)
{
	size_t size = offsetof(struct class, asked), i;
	char *pos = to;

	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		struct class *c = &classes[i];

		if (to) {
			memcpy(pos, c, size);
			memcpy(pos + size, c->asked, c->high * sizeof(u32));
			host_unpoison(c->start, c->high * c->size);
			memcpy(pos + size + c->high * sizeof(u32), c->start, c->high * c->size);
			poison_free(c);
		}
		pos += size + c->high * (sizeof(u32) + c->size);
	}
	return pos - to;
}

/* What was taken since counts as never taken */
void sim_memory_restore(const char **from)
{
	size_t size = offsetof(struct class, asked), i;
	const char *pos = *from;

	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		struct class *c = &classes[i];

		host_unpoison(c->start, c->high * c->size);
		host_poison(c->start, c->high * c->size);
		memcpy(c, pos, size);
		memcpy(c->asked, pos + size, c->high * sizeof(u32));
		host_unpoison(c->start, c->high * c->size);
		memcpy(c->start, pos + size + c->high * sizeof(u32), c->high * c->size);
		poison_free(c);
		pos += size + c->high * (sizeof(u32) + c->size);
	}
	*from = pos;
}
