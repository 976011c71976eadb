// SPDX-License-Identifier: GPL-2.0
/*
 * Modules and their references, parameters, kobjects and the files of patches in sysfs.
 * A module that is not loaded cannot be read, written or run. What is lost: the
 * loader's work on the file (relocations are done once, by the linker), notifiers of others
 * than the core, and a reader of a file that holds on to its kobject.
 */
#include <linux/kernel.h>
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/moduleparam.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/version.h>

#include "kern.h"

#define X(_name)							\
	extern char sim_##_name##_text[], sim_##_name##_data[], sim_##_name##_end[]; \
	extern char sim_##_name##_init_text[], sim_##_name##_init_data[]; \
	extern const struct kernel_param sim_##_name##_params[];	\
	extern const struct kernel_param sim_##_name##_params_end[];	\
	extern struct module sim_##_name##_this;			\
	extern int sim_##_name##_init(void);				\
	extern void sim_##_name##_exit(void);
SIM_PATCHES(X)
SIM_OTHERS(X)
X(mod1)
X(mod2)
X(pool)
#undef X

#define MODULE(_name, _livepatch) {					\
	.name = "tp_" #_name,						\
	.text = sim_##_name##_text, .data = sim_##_name##_data,		\
	.end = sim_##_name##_end,					\
	.init_text = sim_##_name##_init_text,				\
	.init_data = sim_##_name##_init_data,				\
	.params = sim_##_name##_params,					\
	.params_end = sim_##_name##_params_end,				\
	.mod = &sim_##_name##_this,					\
	.init = sim_##_name##_init, .exit = sim_##_name##_exit,		\
	.livepatch = _livepatch,					\
}

const struct sim_module sim_modules[SIM_NR_MODULES] = {
#define X(_name)	[SIM_##_name] = MODULE(_name, true),
	SIM_PATCHES(X)
#undef X
	[SIM_NR_PATCHES + SIM_MOD1] = MODULE(mod1, false),
	[SIM_NR_PATCHES + SIM_MOD2] = MODULE(mod2, false),
	[SIM_POOL] = MODULE(pool, false),
#define X(_name)	[SIM_##_name] = MODULE(_name, true),
	SIM_OTHERS(X)
#undef X
};

static void *pristine[SIM_NR_MODULES] __sim_aside;
static u8 *module_of_page __sim_aside;
unsigned char sim_is_loaded[SIM_NR_MODULES];
/* What the protection of the pages is, which is not the same while a state is restored */
static unsigned char protected[SIM_NR_MODULES] __sim_aside;
static u64 load_nr __sim_aside;
struct kobject *kernel_kobj;
const struct sysfs_ops kobj_sysfs_ops;
static LIST_HEAD(kobjects);

extern char sim_modules_start[], sim_modules_end[];

void sim_module_boot(void)
{
	static u8 table[16384] __sim_aside;
	int i;
	char *page;

	BUILD_BUG_ON(SIM_NR_MODULES > 250);
	module_of_page = table;
	if ((sim_modules_end - sim_modules_start) / PAGE_SIZE > sizeof(table))
		host_die("the table of the modules' pages is too small");
	for (i = 0; i < SIM_NR_MODULES; i++) {
		const struct sim_module *m = &sim_modules[i];

		for (page = m->text; page < m->end; page += PAGE_SIZE)
			table[(page - sim_modules_start) / PAGE_SIZE] = i;
		pristine[i] = host_keep(m->data, m->end - m->data);
		host_protect(m->text, m->end - m->text, 0);
		protected[i] = 1;
	}
}

const void *sim_pristine(int nr)
{
	return pristine[nr];
}

int sim_module_at(const void *addr)
{
	const char *pos = addr;

	if (pos < sim_modules_start || pos >= sim_modules_end)
		return -1;
	return module_of_page[(pos - sim_modules_start) / PAGE_SIZE];
}

bool sim_is_live(int nr)
{
	return sim_is_loaded[nr] && sim_modules[nr].mod->state == MODULE_STATE_LIVE;
}

void sim_modules_protect(void)
{
	int i;

	for (i = 0; i < SIM_NR_MODULES; i++) {
		if (protected[i] == !sim_is_loaded[i])
			continue;
		host_protect(sim_modules[i].text, sim_modules[i].end - sim_modules[i].text,
			     sim_is_loaded[i]);
		protected[i] = !sim_is_loaded[i];
	}
}

bool sim_readable(const void *addr)
{
	extern char sim_kern_start[], sim_kern_end[];
	int nr = sim_module_at(addr);
	const char *pos = addr;
	size_t size;
	void *start;

	if (nr >= 0)
		return sim_is_loaded[nr];
	return sim_object_at(addr, &start, &size) >= 0 ||
	       (pos >= sim_kern_start && pos < sim_kern_end);
}

/* References */
bool try_module_get(struct module *mod)
{
	if (!mod)
		return true;
	if (mod->state == MODULE_STATE_GOING || !atomic_read(&mod->refcnt))
		return false;
	atomic_inc(&mod->refcnt);
	return true;
}

void __module_get(struct module *mod)
{
	if (mod && !atomic_read(&mod->refcnt))
		sim_wrong("a reference is taken to a module that goes");
	if (mod)
		atomic_inc(&mod->refcnt);
}

void module_put(struct module *mod)
{
	if (mod && atomic_dec_return(&mod->refcnt) < 0)
		sim_wrong("module %s: its references fall below zero", mod->name);
}

struct module *find_module(const char *name)
{
	int i;

	for (i = 0; i < SIM_NR_MODULES; i++)
		if (sim_is_loaded[i] && !strcmp(sim_modules[i].name, name))
			return sim_modules[i].mod;
	return NULL;
}

int apply_relocate_add(Elf64_Shdr *sechdrs, const char *strtab, unsigned int symindex,
		       unsigned int relsec, struct module *mod)
{
	sim_wrong("relocations of a livepatch are not simulated");
	return -ENOEXEC;
}

static struct kernfs_node *make_folder(void)
{
	struct kernfs_node *sd = kzalloc(sizeof(*sd), GFP_KERNEL | __GFP_NOFAIL);

	sd->id = SIM_LOAD_NR + ++load_nr;
	return sd;
}

static void set_layout(const struct sim_module *m)
{
	struct module *mod = m->mod;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	mod->mem[MOD_TEXT].base = m->text;
	mod->mem[MOD_TEXT].size = m->data - m->text;
	mod->mem[MOD_DATA].base = m->data;
	mod->mem[MOD_DATA].size = m->init_text - m->data;
	mod->mem[MOD_INIT_TEXT].base = m->init_text;
	mod->mem[MOD_INIT_TEXT].size = m->init_data - m->init_text;
	mod->mem[MOD_INIT_DATA].base = m->init_data;
	mod->mem[MOD_INIT_DATA].size = m->end - m->init_data;
#else
	mod->core_layout.base = m->text;
	mod->core_layout.size = m->init_text - m->text;
	mod->core_layout.text_size = m->data - m->text;
	mod->init_layout.base = m->init_text;
	mod->init_layout.size = m->end - m->init_text;
	mod->init_layout.text_size = m->init_data - m->init_text;
#endif
}

/* The module is in memory, as far as the core's callback for its coming */
static void begin_load(int nr)
{
	static struct klp_modinfo no_relocations;
	const struct sim_module *m = &sim_modules[nr];
	struct module *mod = m->mod;

	sim_is_loaded[nr] = 1;
	sim_modules_protect();
	memcpy(m->data, pristine[nr], m->end - m->data);
	sized_strscpy(mod->name, m->name, sizeof(mod->name));
	mod->state = MODULE_STATE_COMING;
	mod->klp = m->livepatch;
	mod->klp_info = m->livepatch ? &no_relocations : NULL;
	atomic_set(&mod->refcnt, 2);	/* the loader's own, and the base */
	set_layout(m);
}

static void end_load(int nr)
{
	struct module *mod = sim_modules[nr].mod;

	kfree(mod->mkobj.kobj.sd);
	sim_is_loaded[nr] = 0;
	sim_modules_protect();
}

/* klp_module_coming(); if that fails, all is gone again */
int sim_coming(int nr)
{
	struct module *mod = sim_modules[nr].mod;
	int ret;

	if (sim_is_loaded[nr])
		return -EEXIST;
	begin_load(nr);
	ret = klp_module_coming(mod);
	if (ret) {
		mod->state = MODULE_STATE_GOING;
		end_load(nr);
		return ret;
	}
	mod->mkobj.kobj.sd = make_folder();
	return 0;
}

/* Its init; -ENODEV in its place if it is to @fail */
int sim_init(int nr, bool fail)
{
	struct module *mod = sim_modules[nr].mod;
	int ret;

	if (!sim_is_loaded[nr] || mod->state != MODULE_STATE_COMING)
		return -ENOENT;
	ret = fail ? -ENODEV : sim_modules[nr].init();
	if (ret) {
		mod->state = MODULE_STATE_GOING;
		module_put(mod);
		klp_module_going(mod);
		sim_grace();		/* the loader waits for one */
		end_load(nr);
		return ret;
	}
	mod->state = MODULE_STATE_LIVE;
	module_put(mod);
	return 0;
}

int sim_rmmod(int nr)
{
	struct module *mod = sim_modules[nr].mod;

	if (!sim_is_loaded[nr])
		return -ENOENT;
	if (mod->state != MODULE_STATE_LIVE)
		return -EBUSY;
	if (atomic_read(&mod->refcnt) != 1)
		return -EWOULDBLOCK;
	atomic_set(&mod->refcnt, 0);
	mod->state = MODULE_STATE_GOING;
	sim_modules[nr].exit();
	klp_module_going(mod);
	sim_grace();
	end_load(nr);
	return 0;
}

/* Parameters */
static const struct kernel_param *find_param(int nr, const char *name)
{
	const struct kernel_param *kp;

	for (kp = sim_modules[nr].params; kp < sim_modules[nr].params_end; kp++)
		if (!strcmp(kp->name, name))
			return kp;
	return NULL;
}

int sim_param_set(int nr, const char *name, const char *val)
{
	const struct kernel_param *kp = find_param(nr, name);

	return kp ? kp->ops->set(val, kp) : -ENOENT;
}

/* @page has room for PAGE_SIZE bytes. */
int sim_param_get(int nr, const char *name, char *page)
{
	const struct kernel_param *kp = find_param(nr, name);

	if (!kp)
		return -ENOENT;
	return kp->ops->get ? kp->ops->get(page, kp) : -EPERM;
}

static int set_charp(const char *val, const struct kernel_param *kp)
{
	*(const char **)kp->arg = val;
	return 0;
}

static int set_string(const char *val, const struct kernel_param *kp)
{
	return sized_strscpy(kp->str->string, val, kp->str->maxlen) < 0 ? -ENOSPC : 0;
}

static int set_bool(const char *val, const struct kernel_param *kp)
{
	return kstrtobool(val, kp->arg);
}

const struct kernel_param_ops param_ops_charp = { .set = set_charp };
const struct kernel_param_ops param_ops_string = { .set = set_string };
const struct kernel_param_ops param_ops_bool = { .set = set_bool };

static int set_int(const char *val, const struct kernel_param *kp)
{
	return kstrtouint(val, 0, kp->arg);	/* none is negative */
}

const struct kernel_param_ops param_ops_int = { .set = set_int };

static int set_uint(const char *val, const struct kernel_param *kp)
{
	return kstrtouint(val, 0, kp->arg);
}

const struct kernel_param_ops param_ops_uint = { .set = set_uint };

static int set_ulong(const char *val, const struct kernel_param *kp)
{
	unsigned int n;
	int ret = kstrtouint(val, 0, &n);

	if (!ret)
		*(unsigned long *)kp->arg = n;
	return ret;
}

const struct kernel_param_ops param_ops_ulong = { .set = set_ulong };

/* kobjects */
void kobject_init(struct kobject *kobj, const struct kobj_type *ktype)
{
	if (kobj->state_initialized)
		sim_wrong("a kobject is initialised twice");
	kref_init(&kobj->kref);
	INIT_LIST_HEAD(&kobj->entry);
	kobj->ktype = ktype;
	kobj->state_initialized = 1;
}

struct kobject *kobject_get(struct kobject *kobj)
{
	if (kobj)
		kref_get(&kobj->kref);
	return kobj;
}

static bool is_there(const struct kobject *parent, const char *name)
{
	struct kobject *kobj;

	list_for_each_entry(kobj, &kobjects, entry)
		if (kobj->parent == parent && !strcmp(kobj->name, name))
			return true;
	return false;
}

int kobject_add(struct kobject *kobj, struct kobject *parent, const char *fmt, ...)
{
	char name[128];
	va_list args;

	va_start(args, fmt);
	sim_vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	kobj->name = kstrdup(name, GFP_KERNEL);
	if (!kobj->name)
		return -ENOMEM;
	if (is_there(parent, name)) {
		sim_wrong("%s is in sysfs already", name);
		return -EEXIST;
	}
	kobj->parent = kobject_get(parent);
	list_add_tail(&kobj->entry, &kobjects);
	kobj->state_in_sysfs = 1;
	return 0;
}

static void release(struct kref *kref)
{
	struct kobject *kobj = container_of(kref, struct kobject, kref);
	struct kobject *parent = kobj->parent;
	const char *name = kobj->name;

	if (kobj->state_in_sysfs) {
		list_del_init(&kobj->entry);
		kobj->state_in_sysfs = 0;
	}
	if (kobj->ktype && kobj->ktype->release)
		kobj->ktype->release(kobj);
	kfree(name);
	kobject_put(parent);
}

void kobject_put(struct kobject *kobj)
{
	if (kobj)
		kref_put(&kobj->kref, release);
}

static void release_created(struct kobject *kobj)
{
	kfree(kobj);
}

static const struct kobj_type created = { .release = release_created };

struct kobject *kobject_create_and_add(const char *name, struct kobject *parent)
{
	struct kobject *kobj = kzalloc(sizeof(*kobj), GFP_KERNEL);

	kobject_init(kobj, &created);
	if (kobject_add(kobj, parent, "%s", name)) {
		kobject_put(kobj);
		return NULL;
	}
	return kobj;
}

void refcount_warn_saturate(refcount_t *r, enum refcount_saturation_type t)
{
	sim_wrong("a reference count is used after it was zero, or runs over");
}

int sim_file_write(struct kobject *kobj, const char *name, const char *val)
{
	const struct attribute_group *const *group = kobj->ktype->default_groups;
	struct attribute **attr;
	ssize_t ret;

	for (; *group; group++)
		for (attr = (*group)->attrs; *attr; attr++)
			if (!strcmp((*attr)->name, name)) {
				struct kobj_attribute *file =
					container_of(*attr, struct kobj_attribute, attr);

				ret = file->store(kobj, file, val, strlen(val));
				return ret < 0 ? ret : 0;
			}
	return -ENOENT;
}

/* What the modules that are patched ask for */
struct proc_dir_entry *proc_create_single_data(const char *name, umode_t mode,
					       struct proc_dir_entry *parent,
					       int (*show)(struct seq_file *, void *), void *data)
{
	return (struct proc_dir_entry *)8;
}

void remove_proc_entry(const char *name, struct proc_dir_entry *parent)
{
}

/* A device number exists once */
static bool chrdev_taken;

int register_chrdev_region(dev_t from, unsigned int count, const char *name)
{
	if (chrdev_taken)
		return -EBUSY;
	chrdev_taken = true;
	return 0;
}

void unregister_chrdev_region(dev_t from, unsigned int count)
{
	if (!chrdev_taken)
		sim_wrong("a device number is given back twice");
	chrdev_taken = false;
}

/* List corruption, as with CONFIG_DEBUG_LIST */
bool __list_add_valid_or_report(struct list_head *new, struct list_head *prev,
				struct list_head *next)
{
	if (next->prev == prev && prev->next == next && new != prev && new != next)
		return true;
	sim_wrong("a list is corrupt where an entry is added");
	return false;
}

bool __list_del_entry_valid_or_report(struct list_head *entry)
{
	if (entry->prev->next == entry && entry->next->prev == entry)
		return true;
	sim_wrong("a list is corrupt where an entry is removed");
	return false;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
bool __list_add_valid(struct list_head *new, struct list_head *prev, struct list_head *next)
{
	return __list_add_valid_or_report(new, prev, next);
}

bool __list_del_entry_valid(struct list_head *entry)
{
	return __list_del_entry_valid_or_report(entry);
}
#endif
