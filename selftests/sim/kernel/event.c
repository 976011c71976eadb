// SPDX-License-Identifier: GPL-2.0
/*
 * Events: what a person or the kernel would do to the system, and what can be seen
 * afterwards. All of the kernel side can be saved, restored and hashed.
 */
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/string.h>

#include "../../../sdk/record.h"
#include "../../modules/tp_pool.h"
#include "../pool.h"
#include "kern.h"

struct sim_current sim_now __sim_aside;

extern struct klp_patch *klp_transition_patch;
extern unsigned int klp_signals_cnt;
extern initcall_t sim_initcalls[], sim_initcalls_end[];
extern char sim_kern_start[], sim_kern_end[];
extern struct bug_entry __start___bug_table[], __stop___bug_table[];

void sim_log_clear(void);

/* The state after boot */
static void *boot __sim_aside;

void kern_boot(void)
{
	initcall_t *call;

	if (boot)
		return kern_restore(boot);
	host_boot();
	sim_memory_boot();
	sim_sync_boot();
	sim_module_boot();
	for (call = sim_initcalls; call < sim_initcalls_end; call++)
		if ((*call)())
			host_die("the core's init fails");
	if (sim_coming(SIM_POOL) || sim_init(SIM_POOL, false))
		host_die("tp_pool does not load");
	boot = host_keep(NULL, kern_save_size());
	kern_save(boot);
}

struct klp_patch *sim_patch_of(int nr)
{
	struct klp_patch *patch;

	list_for_each_entry(patch, &klp_patches, list)
		if (patch->mod == sim_modules[nr].mod)
			return patch;
	return NULL;
}

static int write_file(int nr, const char *name, const char *val)
{
	struct klp_patch *patch = sim_patch_of(nr);

	return patch ? sim_file_write(&patch->kobj, name, val) : -ENOENT;
}

static char params[128] __sim_aside;

void kern_params(const char *text)
{
	strscpy(params, text, sizeof(params));
}

int kern_find(const char *name)
{
	int i;

	for (i = 0; i < SIM_NR_MODULES; i++)
		if (sim_modules[i].livepatch && !strcmp(sim_modules[i].name + 3, name))
			return i;
	return -1;
}

/* As insmod does, the first that is refused ends it. */
static int set_given(int nr)
{
	char *pos = params, *name, *val;
	int ret = 0;

	while (!ret && (name = strsep(&pos, " "))) {
		val = strchr(name, '=');
		if (!val)
			continue;
		*val++ = '\0';
		ret = sim_param_set(nr, name, val);
	}
	return ret;
}

static void set_params(int nr, int par)
{
	if (par == SIM_PAR_RAW_STACKED)
		sim_param_set(nr, "stacked", "1");
	else if (par >= SIM_PAR_STATE && par - SIM_PAR_STATE < sim_nr_states(nr))
		sim_param_set(nr, "fail_state", sim_pool[nr].states[par - SIM_PAR_STATE]);
}

static int load(int nr, int par)
{
	int ret;

	if (sim_is_loaded[nr])
		return -EEXIST;
	sim_now.fail_core = par == SIM_PAR_CORE;
	ret = sim_coming(nr);
	if (ret)
		return ret;
	set_params(nr, par);
	ret = *params ? set_given(nr) : 0;
	if (ret) {
		sim_init(nr, true);
		return ret;
	}
	sim_now.fail_alloc = par < SIM_PAR_CORE ? par : 0;
	return sim_init(nr, false);
}

static int coming(int nr, int par)
{
	sim_now.fail_core = par == SIM_PAR_CORE;
	sim_now.fail_alloc = par < SIM_PAR_CORE ? par : 0;
	return sim_coming(nr);
}

static int enter(int func)
{
	if (sim_entered())
		return -EBUSY;
	if (func == SIM_MOD1_SHOW && !sim_is_live(SIM_NR_PATCHES + SIM_MOD1))
		return -ENOENT;
	sim_enter(func);
	return 0;
}

/* Its exit would wait for the task that reads its file */
static int rmmod(int target)
{
	if (target == SIM_MOD1 && sim_entered_in(SIM_MOD1_SHOW))
		return -EBUSY;
	return sim_rmmod(SIM_NR_PATCHES + target);
}

static int leave(void)
{
	if (!sim_entered())
		return -ENOENT;
	sim_leave();
	return 0;
}

static int run(const struct sim_event *e)
{
	switch (e->op) {
	case SIM_LOAD:
		return load(e->arg, e->par);
	case SIM_UNLOAD:
		return sim_rmmod(e->arg);
	case SIM_ENABLE:
		return write_file(e->arg, "enabled", "1");
	case SIM_DISABLE:
		return write_file(e->arg, "enabled", "0");
	case SIM_FORCE:
		return write_file(e->arg, "force", "1");
	case SIM_TICK:
		return sim_run_delayed() ? 0 : -ENOENT;
	case SIM_ENTER:
		return enter(e->arg);
	case SIM_LEAVE:
		return leave();
	case SIM_COMING:
		return coming(SIM_NR_PATCHES + e->arg, e->par);
	case SIM_INIT:
		return sim_init(SIM_NR_PATCHES + e->arg, e->par);
	case SIM_RMMOD:
		return rmmod(e->arg);
	case SIM_GRACE:
		sim_grace();
		return 0;
	case SIM_SHADOW:
		return sim_shadow(e->arg, e->par);
	case SIM_READ:
		return sim_read(e->arg);
	case SIM_CALL:
		return sim_call(e->arg);
	}
	return -EINVAL;
}

/* What can be seen */
static void see_patches(struct sim_seen *seen)
{
	struct klp_patch *patch;
	int i;

	for (i = 0; i < SIM_NR_PATCHES; i++)
		if (sim_is_loaded[i]) {
			seen->loaded[i] = 1;
			seen->refs[i] = atomic_read(&sim_modules[i].mod->refcnt) - 1;
		}
	list_for_each_entry(patch, &klp_patches, list) {
		i = sim_module_at(patch->mod);
		if (i >= SIM_NR_PATCHES)
			continue;
		seen->present[i] = 1;
		seen->enabled[i] = patch->enabled;
		seen->transition[i] = patch == klp_transition_patch;
	}
}

static void see_targets(struct sim_seen *seen)
{
	struct module *mod;
	int i, nr;

	for (i = 0; i < SIM_NR_TARGETS; i++) {
		nr = SIM_NR_PATCHES + i;
		mod = sim_modules[nr].mod;
		if (!sim_is_loaded[nr])
			continue;
		seen->target[i] = mod->state == MODULE_STATE_LIVE ? 2 : 1;
		seen->target_refs[i] = atomic_read(&mod->refcnt) - 1;
	}
}

static void see_functions(struct sim_seen *seen)
{
	unsigned long ip;
	int i, nr;

	for (i = 0; i < SIM_NR_FUNCS; i++) {
		seen->runs[i] = -2;
		if (i == SIM_MOD1_SHOW && seen->target[SIM_MOD1] != 2)
			continue;	/* its file appears in its init */
		ip = sim_called(i, &sim_driver);
		nr = ip == sim_func(i) ? -1 : sim_module_at((void *)ip);
		if (nr >= 0 && !sim_is_loaded[nr])
			sim_wrong("a function of a patch that is not loaded would run");
		seen->runs[i] = nr;
	}
}

static int target_at(const char *object)
{
	int i;

	for (i = 0; *object && i < SIM_NR_TARGETS; i++)
		if (!strcmp(sim_modules[SIM_NR_PATCHES + i].name, object))
			return i;
	return *object ? SIM_NR_TARGETS : -1;
}

/* A stale record may name a patch that is gone; its pointers are not followed. */
static int holder_patch(const struct klp_sdk_holder *holder)
{
	int nr = sim_module_at(holder->patch);

	if (nr >= 0 && !strcmp(sim_modules[nr].name, holder->patch_name))
		return nr;
	sim_wrong("a holder names %s and points to another patch", holder->patch_name);
	return 0;
}

static void see_record(struct sim_record *to, const struct klp_sdk_record *record)
{
	const struct klp_sdk_holder *holder;
	int nr;

	memcpy(to->name, record->name, sizeof(to->name));
	to->target = target_at(record->object);
	to->version = record->version;
	to->forced = !!(record->flags & KLP_SDK_RECORD_FORCED);
	list_for_each_entry(holder, &record->holders, node) {
		nr = holder_patch(holder);
		if (nr < SIM_NR_PATCHES)
			to->phase[nr] = SIM_IDLE + holder->phase;
	}
}

/* Is there a module whose parameter would show the records? */
static bool shown(const struct sim_seen *seen)
{
	int i;

	for (i = 0; i < SIM_NR_PATCHES; i++)
		if (seen->loaded[i] && i != SIM_raw && i != SIM_rawm)
			return true;
	return false;
}

/* By docs/record.md, as a patch of another release would; not by code of the engine */
static void see_records(struct sim_seen *seen)
{
	const struct klp_sdk_root *root = klp_shadow_get(NULL, KLP_SDK_ROOT_ID);
	const struct klp_sdk_record *record;

	if (!shown(seen)) {
		seen->nr_records = -1;
		return;
	}
	if (!root)
		return;
	list_for_each_entry(record, &root->records, node) {
		if (seen->nr_records == SIM_MAX_RECORDS)
			return sim_wrong("more than %d records", SIM_MAX_RECORDS);
		see_record(&seen->records[seen->nr_records++], record);
	}
}

static int nomem __sim_aside;

void kern_nomem(int nr)
{
	nomem = nr;
}

static void begin_event(struct sim_seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	memset(&sim_now, 0, sizeof(sim_now));
	sim_now.seen = seen;
	sim_now.fail_alloc = nomem;
	nomem = 0;
	sim_log_clear();
	sim_readers_begin();
}

static void end_event(struct sim_seen *seen)
{
	sim_now.fail_alloc = 0;
	sim_now.fail_core = false;
	sim_run_works();
	sim_event_ends();
	sim_check_idle();
	see_patches(seen);
	see_targets(seen);
	see_functions(seen);
	see_records(seen);
	sim_readers_end();
	seen->level = console_printk[0];
	sim_now.seen = NULL;
}

void kern_event(const struct sim_event *event, struct sim_seen *seen)
{
	begin_event(seen);
	seen->ret = run(event);
	end_event(seen);
}

void kern_set_param(int nr, const char *name, const char *val, struct sim_seen *seen)
{
	begin_event(seen);
	seen->ret = sim_is_loaded[nr] ? sim_param_set(nr, name, val) : -ENOENT;
	end_event(seen);
}

int kern_allocated(void)
{
	return sim_allocated();
}

/* BUG() and WARN() */
int sim_bug(unsigned long ip)
{
	struct bug_entry *bug;

	for (bug = __start___bug_table; bug < __stop___bug_table; bug++) {
		if ((unsigned long)&bug->bug_addr_disp + bug->bug_addr_disp != ip)
			continue;
		sim_wrong("%s at %s:%d", bug->flags & BUGFLAG_WARNING ? "WARN" : "BUG",
			  (char *)&bug->file_disp + bug->file_disp, bug->line);
		return !!(bug->flags & BUGFLAG_WARNING);
	}
	return 0;
}

/* Of tp_pool nothing changes but those of its parents that have a name. */
#define PARENTS_SIZE	(SIM_NR_PARENTS * sizeof(struct tps_parent))

/* All that changes: the kernel's data, memory, and the data of loaded modules */
static size_t save(char *to)
{
	size_t size = sim_kern_end - sim_kern_start, all = size, n;
	int i;

	sim_tasks_save();
	if (to) {
		memcpy(to, sim_kern_start, size);
		memcpy(to + all, tp_pool_parent(0), PARENTS_SIZE);
	}
	all += PARENTS_SIZE;
	all += sim_memory_save(to ? to + all : NULL);
	for (i = 0; i < SIM_NR_MODULES; i++) {
		if (!sim_is_loaded[i] || i == SIM_POOL)
			continue;
		n = sim_modules[i].end - sim_modules[i].data;
		if (to)
			memcpy(to + all, sim_modules[i].data, n);
		all += n;
	}
	return all;
}

unsigned long kern_save_size(void)
{
	return save(NULL);
}

void kern_save(void *to)
{
	save(to);
}

void kern_restore(const void *from)
{
	size_t size = sim_kern_end - sim_kern_start, n;
	const char *pos = from;
	int i;

	memcpy(sim_kern_start, pos, size);
	pos += size;
	memcpy(tp_pool_parent(0), pos, PARENTS_SIZE);
	pos += PARENTS_SIZE;
	sim_tasks_restore();
	sim_memory_restore(&pos);
	sim_modules_protect();
	for (i = 0; i < SIM_NR_MODULES; i++) {
		if (!sim_is_loaded[i] || i == SIM_POOL)
			continue;
		n = sim_modules[i].end - sim_modules[i].data;
		memcpy(sim_modules[i].data, pos, n);
		pos += n;
	}
}

/*
 * A hash of what is reachable. Objects are numbered as they are found, so that their
 * addresses do not matter; a pointer to freed memory is one whatever it points to. So are the
 * numbers of loads. What is left out: how often the core has looked at a transition,
 * after which it would send signals, that are not simulated.
 */
struct walk {
	u64 hash;
	u32 epoch, found, done;
	u64 numbers[64];
	u32 nr_numbers;
};

static struct walk walk __sim_aside;
static u32 *seen_in __sim_aside, *number_of __sim_aside;
static struct {
	void *start;
	size_t size;
} found[4096] __sim_aside;

static void mix(u64 value)
{
	walk.hash = (walk.hash ^ value) * 0x9e3779b97f4a7c15ULL;
	walk.hash ^= walk.hash >> 29;
}

static void mix_object(u64 word)
{
	size_t size;
	void *start;
	int nr = sim_object_at((void *)word, &start, &size);

	if (nr < 0)
		return mix(1);
	if (seen_in[nr] != walk.epoch) {
		if (walk.found == ARRAY_SIZE(found))
			host_die("too many objects to hash: enlarge found in event.c");
		seen_in[nr] = walk.epoch;
		number_of[nr] = walk.found;
		found[walk.found].start = start;
		found[walk.found++].size = size;
	}
	mix((u64)number_of[nr] << 32 | (word - (u64)start) << 8 | 2);
}

static void mix_number(u64 word)
{
	u32 i;

	for (i = 0; i < walk.nr_numbers && walk.numbers[i] != word; i++)
		;
	if (i == walk.nr_numbers && i < ARRAY_SIZE(walk.numbers))
		walk.numbers[walk.nr_numbers++] = word;
	mix(i << 8 | 3);
}

static void mix_word(u64 word)
{
	if (sim_arena_has((void *)word))
		mix_object(word);
	else if (word >> 32 == SIM_LOAD_NR >> 32)
		mix_number(word);
	else
		mix(word);
}

static void mix_object_words(const u64 *word, size_t size)
{
	u64 last = 0;
	size_t i;

	for (i = 0; i < size / 8; i++)
		mix_word(word[i]);
	if (size % 8) {
		memcpy(&last, word + i, size % 8);
		mix(last);
	}
}

/* Objects that were there after boot are pointed to by words that never change */
static void mix_first(void)
{
	static const u64 *first[8] __sim_aside;
	const u64 *was = boot, *end = was + (sim_kern_end - sim_kern_start) / 8;
	size_t i = 0;

	for (; !first[0] && was < end; was++)
		if (sim_arena_has((void *)*was) && i < ARRAY_SIZE(first))
			first[i++] = was;
	for (i = 0; i < ARRAY_SIZE(first) && first[i]; i++)
		mix_object(*first[i]);
}

/* Most of it is as it was in the beginning */
static void mix_changes(const void *start, const void *before, size_t size)
{
	const u64 *now = start, *was = before;
	size_t i, k;
	u64 same;

	for (i = 0; i + 8 <= size / 8; i += 8) {
		for (same = 0, k = i; k < i + 8; k++)
			same |= now[k] ^ was[k];
		for (k = i; same && k < i + 8; k++)
			if (now[k] != was[k]) {
				mix(k);
				mix_word(now[k]);
			}
	}
	for (; i < size / 8; i++)
		mix_word(now[i]);
}

unsigned long long kern_hash(void)
{
	static const struct tps_parent first_parents[SIM_NR_PARENTS];
	unsigned int signals = klp_signals_cnt;
	u32 epoch = walk.epoch + 1;
	int i;

	if (!seen_in) {
		seen_in = host_keep(NULL, sim_objects() * sizeof(u32));
		number_of = host_keep(NULL, sim_objects() * sizeof(u32));
	}
	memset(&walk, 0, sizeof(walk));
	walk.epoch = epoch;
	klp_signals_cnt = 0;
	sim_tasks_save();
	mix_first();
	mix_changes(sim_kern_start, boot, sim_kern_end - sim_kern_start);
	klp_signals_cnt = signals;
	for (i = 0; i < SIM_POOL; i++)
		if (sim_is_loaded[i])
			mix_changes(sim_modules[i].data, sim_pristine(i),
				    sim_modules[i].end - sim_modules[i].data);
	mix_changes(tp_pool_parent(0), first_parents, PARENTS_SIZE);
	for (; walk.done < walk.found; walk.done++)
		mix_object_words(found[walk.done].start, found[walk.done].size);
	return walk.hash;
}
