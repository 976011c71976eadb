// SPDX-License-Identifier: GPL-2.0
/*
 * Test module: knows what the code of modules has taken and not given back:
 * kmalloc() memory, objects of caches, pages (those of vmalloc() as well),
 * per-CPU memory, notifiers, timers.
 *
 * The site of an allocation is resolved while it happens. Later its address may
 * belong to another module: init code is freed at once, unloaded code is replaced.
 *
 * Memory belongs to the innermost module on the stack, so what the livepatch core takes
 * for a patch belongs to the patch. The memory that caches of the kernel take on the way (slabs,
 * page tables, per-CPU chunks) belongs to no module.
 *
 * /proc/klp_sdk_watch: writing a number says that a step of this number begins;
 * reading gives the number of objects for which there was no room, and then a line
 * for each site of which something is left: "STEP KIND OBJECTS BYTES MODULE WHERE
 * BY". BY is the function that was called there. "-" is for the unknown.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hash.h>
#include <linux/hrtimer.h>
#include <linux/kmemleak.h>
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/stacktrace.h>
#include <linux/timer.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#define OBJECTS		65536
#define SITES		1024
#define BUCKET_BITS	12
#define DEPTH		48

enum kind { MEMORY, PAGES, PERCPU, NOTIFIER, TIMER };

static const char *const kind_names[] = {
	"memory", "pages", "percpu", "notifier", "timer",
};

struct site {
	enum kind kind;
	int step;
	char mod[64], where[96], by[64];
	unsigned long objects, bytes;
};

struct object {
	struct hlist_node node;
	const void *ptr;
	size_t bytes;
	struct site *site;
};

static struct site *sites;
static struct object *objects;
static int nr_sites, nr_objects, step;
static unsigned long lost;
static struct hlist_head buckets[1 << BUCKET_BITS];
static HLIST_HEAD(unused);
static DEFINE_RAW_SPINLOCK(watch_lock);

static bool in_modules(unsigned long address)
{
	return address >= MODULES_VADDR && address < MODULES_END;
}

/* Objects: call these with the lock held */

static struct hlist_head *bucket(const void *ptr)
{
	return &buckets[hash_ptr(ptr, BUCKET_BITS)];
}

static void del_object(enum kind kind, const void *ptr)
{
	struct object *o;
	struct hlist_node *next;

	hlist_for_each_entry_safe(o, next, bucket(ptr), node) {
		if (o->ptr != ptr || o->site->kind != kind)
			continue;
		o->site->objects--;
		o->site->bytes -= o->bytes;
		hlist_del(&o->node);
		hlist_add_head(&o->node, &unused);
		return;
	}
}

static struct site *find_site(const struct site *like)
{
	struct site *s;

	for (s = sites; s < sites + nr_sites; s++)
		if (s->kind == like->kind && s->step == like->step &&
		    !strcmp(s->where, like->where) && !strcmp(s->by, like->by) &&
		    !strcmp(s->mod, like->mod))
			return s;
	if (nr_sites == SITES)
		return NULL;
	nr_sites++;
	*s = *like;
	return s;
}

static void add_object(const struct site *like, const void *ptr, size_t bytes)
{
	struct object *o;
	struct site *s;

	del_object(like->kind, ptr);
	s = find_site(like);
	if (!s || (hlist_empty(&unused) && nr_objects == OBJECTS)) {
		lost++;
		return;
	}
	if (hlist_empty(&unused)) {
		o = &objects[nr_objects++];
	} else {
		o = hlist_entry(unused.first, struct object, node);
		hlist_del(&o->node);
	}
	o->ptr = ptr;
	o->bytes = bytes;
	o->site = s;
	s->objects++;
	s->bytes += bytes;
	hlist_add_head(&o->node, bucket(ptr));
}

/* Sites */

/* "NAME+0xOFFSET/0xSIZE [MODULE]"; false if it is no module's that is watched. */
static bool name_site(struct site *site, unsigned long address)
{
	char symbol[KSYM_SYMBOL_LEN], *tag;

	snprintf(symbol, sizeof(symbol), "%pS", (void *)address);
	tag = strstr(symbol, " [");
	if (!tag || str_has_prefix(tag, " [virtio") || str_has_prefix(tag, " [klp_sdk_"))
		return false;
	*tag = '\0';
	strscpy(site->mod, tag + 2, sizeof(site->mod));
	site->mod[strcspn(site->mod, " ]")] = '\0';
	symbol[strcspn(symbol, "/")] = '\0';
	strscpy(site->where, symbol, sizeof(site->where));
	return true;
}

static bool any_prefix(const char *name, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (str_has_prefix(name, *prefixes))
			return true;
	return false;
}

/* Does what this function of the kernel takes belong to the kernel? */
static bool is_kernels(enum kind kind, const char *name)
{
	/* Its caches, which grow and shrink as it likes */
	static const char *const caches[] = {
		"pcpu_create_chunk", "pcpu_populate", "pcpu_get_pages", "__get_insn_slot",
		"stack_depot", "depot_", "__stack_depot", NULL
	};
	static const char *const of_pages[] = {
		"___slab_alloc", "new_slab", "allocate_slab", "__kmalloc_large",
		"___kmalloc_large", "kmalloc_large", "__pte_alloc", "__pmd_alloc",
		"__pud_alloc", "__p4d_alloc", "pcpu_alloc", "pte_alloc_one",
		"__get_locked_pte", "split_large_page", "__split_large_page",
		"__change_page_attr", "set_memory_", "text_poke", NULL
	};

	return any_prefix(name, caches) || (kind == PAGES && any_prefix(name, of_pages));
}

/* The core's functions stand together. To look up a symbol takes its time. */
static bool in_livepatch_core(unsigned long address)
{
	char name[KSYM_SYMBOL_LEN];

	if (address - (unsigned long)klp_enable_patch + SZ_64K > 2 * SZ_64K)
		return false;
	snprintf(name, sizeof(name), "%ps", (void *)address);
	return str_has_prefix(name, "klp_") || str_has_prefix(name, "__klp_");
}

/* Names the outermost function of the kernel that was called, the core left out. */
static bool name_called(struct site *site, const unsigned long *stack, unsigned int n)
{
	char name[KSYM_SYMBOL_LEN];
	bool core = false;

	strscpy(site->by, "-", sizeof(site->by));
	for (; n; n--, stack++) {
		if (in_modules(*stack))
			continue;
		snprintf(name, sizeof(name), "%ps", (void *)*stack);
		if (is_kernels(site->kind, name))
			return false;
		core |= in_livepatch_core(*stack) && !strstr(name, "klp_shadow");
		if (!core)
			strscpy(site->by, name, sizeof(site->by));
	}
	return true;
}

/*
 * Finds out from the stack whose memory it is, if any module's. A callback that ends
 * in a call is not on the stack: then the core, which has called it, is the only sign.
 */
static bool find_owner(struct site *site)
{
	unsigned long stack[DEPTH];
	unsigned int n, i, core = 0;

	n = stack_trace_save(stack, ARRAY_SIZE(stack), 1);
	for (i = 0; i < n; i++) {
		if (in_modules(stack[i]) && name_site(site, stack[i]))
			return name_called(site, stack, i);
		if (in_livepatch_core(stack[i]))
			core = i + 1;
	}
	strscpy(site->mod, "-", sizeof(site->mod));
	strscpy(site->where, "-", sizeof(site->where));
	return core && name_called(site, stack, core);
}

static void taken(enum kind kind, const void *ptr, size_t bytes)
{
	struct site site = { .kind = kind };
	unsigned long flags;

	if (!ptr || !find_owner(&site))
		return;
	raw_spin_lock_irqsave(&watch_lock, flags);
	site.step = step;
	add_object(&site, ptr, bytes);
	raw_spin_unlock_irqrestore(&watch_lock, flags);
}

static void given_back(enum kind kind, const void *ptr)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&watch_lock, flags);
	del_object(kind, ptr);
	raw_spin_unlock_irqrestore(&watch_lock, flags);
}

/* A thing that leads into a module belongs to it. */
static void leads_to(enum kind kind, const void *ptr, const void *function)
{
	struct site site = { .kind = kind, .by = "-" };
	unsigned long flags;

	if (!in_modules((unsigned long)function) ||
	    !name_site(&site, (unsigned long)function))
		return;
	site.where[strcspn(site.where, "+")] = '\0';
	raw_spin_lock_irqsave(&watch_lock, flags);
	site.step = step;
	add_object(&site, ptr, 0);
	raw_spin_unlock_irqrestore(&watch_lock, flags);
}

/* The kernel's tracepoints */

static void on_kmalloc(void *data, unsigned long call_site, const void *ptr, size_t req,
		       size_t bytes, gfp_t gfp, int node)
{
	/* The bytes that were asked for: the rest is the checkers'. */
	taken(MEMORY, ptr, req);
}

/* Others call this for caches of their own. */
static void on_cache_alloc(void *data, unsigned long call_site, const void *ptr,
			   struct kmem_cache *s, gfp_t gfp, int node)
{
	if (in_modules(call_site))
		taken(MEMORY, ptr, kmem_cache_size(s));
}

static void on_kfree(void *data, unsigned long call_site, const void *ptr)
{
	given_back(MEMORY, ptr);
}

static void on_cache_free(void *data, unsigned long call_site, const void *ptr,
			  const struct kmem_cache *s)
{
	given_back(MEMORY, ptr);
}

/*
 * The parts of a split allocation are freed one by one, and a head may be freed
 * before its tail: each page is an object.
 */
static void on_page_alloc(void *data, struct page *page, unsigned int order, gfp_t gfp,
			  int migratetype)
{
	struct site site = { .kind = PAGES };
	unsigned long flags;

	if (!page || !find_owner(&site))
		return;
	raw_spin_lock_irqsave(&watch_lock, flags);
	site.step = step;
	for (unsigned int i = 0; i < 1U << order; i++)
		add_object(&site, page + i, PAGE_SIZE);
	raw_spin_unlock_irqrestore(&watch_lock, flags);
}

static void on_page_free(void *data, struct page *page, unsigned int order)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&watch_lock, flags);
	for (unsigned int i = 0; i < 1U << order; i++)
		del_object(PAGES, page + i);
	raw_spin_unlock_irqrestore(&watch_lock, flags);
}

static void on_percpu_alloc(void *data, unsigned long call_site, bool reserved, bool atomic,
			    size_t size, size_t align, void *base, int off,
			    void __percpu *ptr, size_t bytes, gfp_t gfp)
{
	taken(PERCPU, (__force void *)ptr, bytes);
}

static void on_percpu_free(void *data, void *base, int off, void __percpu *ptr)
{
	given_back(PERCPU, (__force void *)ptr);
}

/* The timer of a delayed work item counts by the work's function. */
static void on_timer_start(void *data, struct timer_list *timer)
{
	const void *function = timer->function;

	if (function == delayed_work_timer_fn)
		function = container_of(timer, struct delayed_work, timer)->work.func;
	leads_to(TIMER, timer, function);
}

static void on_timer_cancel(void *data, struct timer_list *timer)
{
	given_back(TIMER, timer);
}

static void on_hrtimer_start(void *data, struct hrtimer *timer)
{
	leads_to(TIMER, timer, timer->function);
}

static void on_hrtimer_cancel(void *data, struct hrtimer *timer)
{
	given_back(TIMER, timer);
}

static struct probe {
	const char *name;
	void *fn;
	struct tracepoint *tp;
} probes[] = {
	{ "kmalloc", on_kmalloc },
	{ "kfree", on_kfree },
	{ "kmem_cache_alloc", on_cache_alloc },
	{ "kmem_cache_free", on_cache_free },
	{ "mm_page_alloc", on_page_alloc },
	{ "mm_page_free", on_page_free },
	{ "percpu_alloc_percpu", on_percpu_alloc },
	{ "percpu_free_percpu", on_percpu_free },
	{ "timer_start", on_timer_start },
	{ "timer_cancel", on_timer_cancel },
	{ "hrtimer_start", on_hrtimer_start },
	{ "hrtimer_cancel", on_hrtimer_cancel },
};

static void find_tracepoint(struct tracepoint *tp, void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (!strcmp(tp->name, probes[i].name))
			probes[i].tp = tp;
}

/* Things without a tracepoint */

/* kfree_rcu() frees several at once. */
static int on_free_bulk(struct kprobe *kp, struct pt_regs *regs)
{
	size_t n = regs_get_kernel_argument(regs, 1);
	void **ptr = (void **)regs_get_kernel_argument(regs, 2);

	while (n--)
		given_back(MEMORY, ptr[n]);
	return 0;
}

static int on_notifier_register(struct kprobe *kp, struct pt_regs *regs)
{
	struct notifier_block *nb = (void *)regs_get_kernel_argument(regs, 1);

	leads_to(NOTIFIER, nb, nb->notifier_call);
	return 0;
}

static int on_notifier_unregister(struct kprobe *kp, struct pt_regs *regs)
{
	given_back(NOTIFIER, (void *)regs_get_kernel_argument(regs, 1));
	return 0;
}

#define NOTIFIERS(name)								\
	{ .symbol_name = #name "_notifier_chain_register",			\
	  .pre_handler = on_notifier_register },				\
	{ .symbol_name = #name "_notifier_chain_unregister",			\
	  .pre_handler = on_notifier_unregister }

static struct kprobe kprobes[] = {
	{ .symbol_name = "kmem_cache_free_bulk", .pre_handler = on_free_bulk },
	NOTIFIERS(atomic), NOTIFIERS(blocking), NOTIFIERS(raw), NOTIFIERS(srcu),
};

/* The file */

static int watch_show(struct seq_file *m, void *v)
{
	struct site *copy = vmalloc(array_size(SITES, sizeof(*copy)));
	unsigned long flags;
	int n;

	if (!copy)
		return -ENOMEM;
	raw_spin_lock_irqsave(&watch_lock, flags);
	n = nr_sites;
	memcpy(copy, sites, n * sizeof(*copy));
	raw_spin_unlock_irqrestore(&watch_lock, flags);
	seq_printf(m, "%lu\n", lost);
	for (struct site *s = copy; s < copy + n; s++)
		if (s->objects)
			seq_printf(m, "%d %s %lu %lu %s %s %s\n", s->step,
				   kind_names[s->kind], s->objects, s->bytes, s->mod,
				   s->where, s->by);
	vfree(copy);
	return 0;
}

static int watch_open(struct inode *inode, struct file *file)
{
	return single_open(file, watch_show, NULL);
}

static ssize_t watch_write(struct file *file, const char __user *ubuf, size_t len,
			   loff_t *pos)
{
	int err = kstrtoint_from_user(ubuf, len, 0, &step);

	return err ?: len;
}

static const struct proc_ops watch_ops = {
	.proc_open	= watch_open,
	.proc_read	= seq_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= single_release,
	.proc_write	= watch_write,
};

static void unwatch(void)
{
	remove_proc_entry("klp_sdk_watch", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(kprobes); i++)
		if (kprobes[i].addr)
			unregister_kprobe(&kprobes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (probes[i].tp)
			tracepoint_probe_unregister(probes[i].tp, probes[i].fn, NULL);
	tracepoint_synchronize_unregister();
	vfree(objects);
	vfree(sites);
}

static int watch_probes(void)
{
	int err;

	for_each_kernel_tracepoint(find_tracepoint, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		err = probes[i].tp ? tracepoint_probe_register(probes[i].tp, probes[i].fn,
							       NULL) : -ENOENT;
		if (!err)
			continue;
		pr_err("no tracepoint %s: %d\n", probes[i].name, err);
		probes[i].tp = NULL;
		return err;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kprobes); i++) {
		err = register_kprobe(&kprobes[i]);
		if (!err)
			continue;
		pr_err("no kprobe on %s: %d\n", kprobes[i].symbol_name, err);
		kprobes[i].addr = NULL;
		return err;
	}
	return 0;
}

static int __init klp_sdk_watch_init(void)
{
	int err = -ENOMEM;

	sites = vzalloc(array_size(SITES, sizeof(*sites)));
	objects = vzalloc(array_size(OBJECTS, sizeof(*objects)));
	if (sites && objects) {
		/* These addresses are no references to the objects. */
		kmemleak_no_scan(objects);
		err = watch_probes();
	}
	if (!err && !proc_create("klp_sdk_watch", 0600, NULL, &watch_ops))
		err = -ENOMEM;
	if (err)
		unwatch();
	return err;
}
module_init(klp_sdk_watch_init);

static void __exit klp_sdk_watch_exit(void)
{
	unwatch();
}
module_exit(klp_sdk_watch_exit);

MODULE_DESCRIPTION("klp-sdk: what modules have taken");
MODULE_LICENSE("GPL");
