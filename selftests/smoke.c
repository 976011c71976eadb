// SPDX-License-Identifier: GPL-2.0
/*
 * A patch author's own modules, put through what a livepatch meets in its life:
 * each one is loaded and its transition reversed, loaded again to replace the
 * one before, which is unloaded; the last one's disable is reversed, then done.
 * What the modules do is not known here, so this looks at what must hold for
 * all: transitions end, modules unload, nothing is left, the log is clean.
 *
 * /smoke.list names them in order, a line each: "klp NAME" for a livepatch,
 * "mod NAME" for another module, which stays loaded throughout.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/guest.h"

#define LIST		"/smoke.list"
#define STATES		"/sys/module/klp_sdk_list/parameters/klp_sdk_states"
#define MODS_MAX	64
#define LOG_LINES	15	/* of the kernel's, shown with a failure */
#define DRAIN_MS	8000	/* kfree_rcu() takes its time; idle, it is free */

static struct mod {
	char name[64];		/* as the kernel spells it */
	char file[64];
	bool livepatch, loaded, was_loaded;
	Elf *elf;		/* its file */
	size_t nr_sections, names;
	unsigned long *place;	/* where each section was loaded last, or 0 */
	Elf_Data *syms;
	size_t strs;
	int nr_syms;
} mods[MODS_MAX];
static int nr_mods;

static struct step {
	char *name;
	void (*fn)(struct mod *m);
	struct mod *m;
} steps[4 * MODS_MAX + 8], *step = steps;
static int nr_steps;

#define for_each_mod(m)		for ((m) = mods; (m) < mods + nr_mods; (m)++)
#define for_each_mod_back(m)	for ((m) = mods + nr_mods; (m)-- > mods; )

static const char *plural(int n)
{
	return n == 1 ? "" : "s";
}

/* Ends the step; what the kernel said in it is often the reason. */
#define must(cond, fmt, ...)					\
	do {							\
		if (!(cond)) {					\
			show_log();				\
			fail(fmt, ##__VA_ARGS__);		\
		}						\
	} while (0)

static void show_log(void)
{
	const char *log = kmsg_since(), *pos = log + strlen(log);
	int lines = 0;

	while (pos > log)
		if (*--pos == '\n' && ++lines > LOG_LINES)
			break;
	pos += *pos == '\n';
	for (; *pos; pos = strchrnul(pos, '\n'), pos += !!*pos)
		out("#   | %.*s", (int)strcspn(pos, "\n"), pos);
}

/* The test itself is at fault. */
static void __noreturn broken(const char *what, const char *name)
{
	out("# klp-sdk: fail %s %s", what, name);
	guest_end();
}

/* What is at an address where a module has been */

static GElf_Shdr section(const struct mod *m, size_t i)
{
	GElf_Shdr sh = { 0 };

	gelf_getshdr(elf_getscn(m->elf, i), &sh);
	return sh;
}

static const char *section_name(const struct mod *m, size_t i)
{
	return elf_strptr(m->elf, m->names, section(m, i).sh_name);
}

static void read_elf(struct mod *m, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	elf_version(EV_CURRENT);
	m->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!m->elf || elf_getshdrnum(m->elf, &m->nr_sections) ||
	    elf_getshdrstrndx(m->elf, &m->names) || elf_cntl(m->elf, ELF_C_FDREAD))
		broken("cannot read", path);
	close(fd);
	m->place = calloc(m->nr_sections, sizeof(*m->place));
	if (!m->place)
		broken("no memory for", path);
	for (size_t i = 0; i < m->nr_sections; i++) {
		GElf_Shdr sh = section(m, i);

		if (sh.sh_type != SHT_SYMTAB)
			continue;
		m->syms = elf_getdata(elf_getscn(m->elf, i), NULL);
		m->nr_syms = sh.sh_size / sh.sh_entsize;
		m->strs = sh.sh_link;
	}
}

static const char *sym_name(const struct mod *m, const GElf_Sym *sym)
{
	return elf_strptr(m->elf, m->strs, sym->st_name);
}

static void find_place(struct mod *m)
{
	char path[300], buf[32];

	for (size_t i = 0; i < m->nr_sections; i++) {
		m->place[i] = 0;
		if (!(section(m, i).sh_flags & SHF_EXECINSTR))
			continue;
		snprintf(path, sizeof(path), "/sys/module/%s/sections/%s", m->name,
			 section_name(m, i));
		if (file_read(path, buf, sizeof(buf)) > 0)
			m->place[i] = strtoul(buf, NULL, 16);
	}
}

/* Where a function of @m is, or was; 0 if it is no function. */
static unsigned long sym_place(const struct mod *m, const GElf_Sym *sym)
{
	if (GELF_ST_TYPE(sym->st_info) != STT_FUNC || sym->st_shndx >= m->nr_sections ||
	    !m->place[sym->st_shndx])
		return 0;
	return m->place[sym->st_shndx] + sym->st_value;
}

/* The function of @m that was at @address, as "NAME+0xOFFSET"; false if none. */
static bool resolve(const struct mod *m, unsigned long address, char *buf, size_t size)
{
	for (int i = 0; i < m->nr_syms; i++) {
		GElf_Sym sym;
		unsigned long at;

		gelf_getsym(m->syms, i, &sym);
		at = sym_place(m, &sym);
		if (!at || address - at >= sym.st_size)
			continue;
		if (buf)
			snprintf(buf, size, "%s+0x%lx", sym_name(m, &sym), address - at);
		return true;
	}
	return false;
}

/*
 * The address of a caller. ftrace keeps the symbols of a patch's init code for
 * as long as the patch is loaded; the code itself is freed at once, and another
 * module may have been there since. Other symbols are right, and give 0.
 */
static unsigned long address_of(const char *caller)
{
	char name[128], tag[64];
	const struct mod *m;
	unsigned long offset;

	if (!strncmp(caller, "0x", 2))
		return strtoul(caller, NULL, 16);
	if (sscanf(caller, "%127[^+]+%lx/%*x [%63[^]]", name, &offset, tag) != 3)
		return 0;
	for_each_mod(m) {
		if (strcmp(m->name, tag))
			continue;
		for (int i = 0; i < m->nr_syms; i++) {
			GElf_Sym sym;

			gelf_getsym(m->syms, i, &sym);
			if (sym_place(m, &sym) && !strcmp(sym_name(m, &sym), name) &&
			    !strncmp(section_name(m, sym.st_shndx), ".init", 5))
				return sym_place(m, &sym) + offset;
		}
	}
	return 0;
}

/*
 * Memory. The site of an unloaded module's allocation is a bare address. A look
 * at all of them costs the guest two seconds.
 */

#define BARE_MAX	512

struct bare {
	unsigned long address;
	int objects;
	char by[64];		/* what allocates for its caller, if anything */
};

static struct look {
	struct bare bare[BARE_MAX];
	int sites, nr_bare, objects;
} before, now;

static int objects_at_start;

static void note_site(const struct slab_site *site, void *arg)
{
	struct look *look = arg;
	struct bare *b = &look->bare[look->nr_bare];
	bool same = !strcmp(site->name, site->caller);

	look->sites++;
	if (!site->caller[0])
		return;
	look->objects += site->objects;
	if (look->nr_bare == BARE_MAX || !address_of(site->caller))
		return;
	b->address = address_of(site->caller);
	b->objects = site->objects;
	snprintf(b->by, sizeof(b->by), "%.*s", same ? 0 : (int)strcspn(site->name, "+"),
		 site->name);
	look->nr_bare++;
}

/* Look at all objects that modules have allocated. */
static void look_at(struct look *look)
{
	memset(look, 0, sizeof(*look));
	slab_each(note_site, look);
	if (!look->sites)
		broken("cannot tell", "who allocated memory");
}

/* How many of them @m has, which is unloaded. */
static int owned(const struct look *look, const struct mod *m)
{
	int n = 0;

	for (int i = 0; i < look->nr_bare; i++)
		if (resolve(m, look->bare[i].address, NULL, 0))
			n += look->bare[i].objects;
	return n;
}

static void show_owned(const struct look *look, const struct mod *m)
{
	char where[200];

	for (int i = 0; i < look->nr_bare; i++) {
		const struct bare *b = &look->bare[i];

		if (resolve(m, b->address, where, sizeof(where)))
			out("# left: %d from %s [%s]%s%s", b->objects, where, m->name,
			    b->by[0] ? " by " : "", b->by);
	}
}

/* A function that ends in a call of the allocator is not in the stack. */
static void show_unknown(const struct slab_site *site, void *arg)
{
	if (strstr(site->caller, "klp_shadow"))
		out("# left: %d shadow variable%s, the stack does not show whose",
		    site->objects, plural(site->objects));
}

/* Modules */

static void load_mod(struct mod *m)
{
	char path[100];
	int err;

	/* Not with our own test modules, of which one may have the same name. */
	snprintf(path, sizeof(path), "../smoke/%s", m->file);
	err = mod_load(path, "");
	must(!err, "%s does not load: %s", m->name, strerror(-err));
	m->loaded = true;
	m->was_loaded = true;
	find_place(m);
	must(!m->livepatch || klp_present(m->name),
	     "%s has loaded without a livepatch: does its init call klp_enable_patch()?",
	     m->name);
}

static long references(const struct mod *m)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", m->name);
	return file_int(path);
}

static void unload(struct mod *m)
{
	int err;

	if (m->livepatch && klp_wait_gone(m->name))
		must(!klp_present(m->name), "%s does not leave /sys/kernel/livepatch", m->name);
	err = mod_unload(m->name);
	must(!err, "%s cannot be unloaded: %s, reference count %ld", m->name,
	     err == -EAGAIN ? "it is in use" :
	     err == -EBUSY ? "it has no exit function" : strerror(-err), references(m));
	must(!mod_loaded(m->name), "%s is still loaded", m->name);
	m->loaded = false;
}

static void settle(const struct mod *m)
{
	must(!klp_settle(m->name), "the transition of %s does not end", m->name);
}

static void still_enabled(const struct mod *except)
{
	const struct mod *m;

	for_each_mod(m)
		must(m == except || !m->livepatch || !m->loaded || klp_enabled(m->name) == 1,
		     "%s is no longer enabled", m->name);
}

/* A transition that stays open until it is released */

static pid_t held;

/* The module stays no longer than needed, for what ftrace keeps of it. */
static void hold(void)
{
	must(!mod_load("klp_sdk_hold", ""), "klp_sdk_hold does not load");
	held = hold_start(NULL);
	must(held > 0, "no task could be held");
}

/* All tasks but the held one are in the new state when this returns. */
static void in_transition(const struct mod *m)
{
	sleep_ms(2500);
	must(klp_transition(m->name) == 1, "the transition of %s cannot be held open", m->name);
}

static void turn(const struct mod *m, const char *enabled)
{
	int err = klp_write(m->name, "enabled", enabled);

	must(!err, "writing %s to enabled of %s: %s", enabled, m->name, strerror(-err));
}

static void release(void)
{
	must(!hold_release_all() && !hold_finish(held, NULL, 0), "the held task has failed");
	must(!mod_unload("klp_sdk_hold"), "klp_sdk_hold cannot be unloaded");
}

/* Steps */

static void do_load(struct mod *m)
{
	load_mod(m);
}

static void do_load_reversed(struct mod *m)
{
	const struct mod *other;
	int left;

	/* It may come to the place of another module, whose data has been kept. */
	before.nr_bare = 0;
	for_each_mod(other)
		if (other->was_loaded && !other->loaded) {
			look_at(&before);
			break;
		}
	hold();
	load_mod(m);
	in_transition(m);
	turn(m, "0");
	release();
	unload(m);
	still_enabled(NULL);

	sleep_ms(DRAIN_MS);
	look_at(&now);
	left = owned(&now, m) - owned(&before, m);
	if (left > 0) {
		show_owned(&now, m);
		fail("%s leaks %d object%s", m->name, left, plural(left));
	}
}

static void do_load_for_good(struct mod *m)
{
	load_mod(m);
	settle(m);
	must(klp_enabled(m->name) == 1, "%s is not enabled", m->name);
}

/* A patch that does not replace leaves the others as they are. */
static void do_unload_replaced(struct mod *new)
{
	bool any = false;
	struct mod *m;

	for_each_mod(m)
		if (m != new && m->livepatch && m->loaded && klp_enabled(m->name) != 1) {
			unload(m);
			any = true;
		}
	still_enabled(NULL);
	if (!any)
		out("# it replaced none");
}

static void do_disable_reversed(struct mod *m)
{
	hold();
	turn(m, "0");
	in_transition(m);
	turn(m, "1");
	release();
	settle(m);
	still_enabled(NULL);
}

static void do_disable(struct mod *m)
{
	turn(m, "0");
	settle(m);
	still_enabled(m);
}

static void do_unload(struct mod *m)
{
	unload(m);
}

static void do_rest(struct mod *last)
{
	struct mod *m;

	for_each_mod_back(m)
		if (m->livepatch && m->loaded) {
			do_disable(m);
			unload(m);
		}
}

static void no_livepatch(void)
{
	DIR *dir = opendir("/sys/kernel/livepatch");
	struct dirent *entry;

	must(dir, "no /sys/kernel/livepatch");
	while ((entry = readdir(dir)))
		must(entry->d_name[0] == '.', "livepatch %s is left", entry->d_name);
	closedir(dir);
}

static int states_left(void)
{
	char buf[4096], *heading, *line, *save;
	int left = 0;

	must(file_read(STATES, buf, sizeof(buf)) > 0, "cannot read %s", STATES);
	heading = strtok_r(buf, "\n", &save);
	for (; (line = strtok_r(NULL, "\n", &save)); left++)
		out("# state left (%s): %s", heading, line);
	return left;
}

static int objects_left(void)
{
	const struct mod *m;

	look_at(&now);
	if (now.objects <= objects_at_start)
		return 0;
	for_each_mod(m)
		show_owned(&now, m);
	slab_each(show_unknown, NULL);
	return now.objects - objects_at_start;
}

static void do_nothing_left(struct mod *none)
{
	int states, objects;

	no_livepatch();
	sleep_ms(DRAIN_MS);
	/* First: the next module may come to the place of an unloaded one. */
	objects = objects_left();
	/*
	 * The text of unloaded modules stays mapped until the next one is loaded.
	 * Then a timer or a work item that was forgotten has time to show.
	 */
	must(!mod_load("klp_sdk_list", ""), "klp_sdk_list does not load");
	sleep_ms(DRAIN_MS);
	states = states_left();
	if (states || objects)
		fail("%d state%s and %d object%s left", states, plural(states), objects,
		     plural(objects));
}

/* The plan */

static void add(void (*fn)(struct mod *m), struct mod *m, const char *what)
{
	struct step *s = &steps[nr_steps++];

	if (asprintf(&s->name, "%s%s%s", m ? m->name : "", m ? ": " : "", what) < 0)
		abort();
	s->fn = fn;
	s->m = m;
}

static void read_list(void)
{
	static char text[16384];
	char *line, *save, kind[4], path[100];

	file_read(LIST, text, sizeof(text));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct mod *m = &mods[nr_mods];

		if (nr_mods == MODS_MAX || sscanf(line, "%3s %63s", kind, m->name) != 2)
			continue;
		m->livepatch = !strcmp(kind, "klp");
		memcpy(m->file, m->name, sizeof(m->file));
		for (char *c = m->name; (c = strchr(c, '-')); )
			*c = '_';
		snprintf(path, sizeof(path), "/lib/modules/smoke/%s.ko", m->file);
		read_elf(m, path);
		nr_mods++;
	}
}

static void make_plan(void)
{
	struct mod *m, *last = NULL;
	int patches = 0;

	for_each_mod(m)
		if (!m->livepatch)
			add(do_load, m, "load");
	for_each_mod(m) {
		if (!m->livepatch)
			continue;
		last = m;
		add(do_load_reversed, m, "load, reversed");
		add(do_load_for_good, m, "load");
		if (patches++)
			add(do_unload_replaced, m, "unload what it replaced");
	}
	if (last) {
		add(do_disable_reversed, last, "disable, reversed");
		add(do_disable, last, "disable");
		add(do_unload, last, "unload");
	}
	if (patches > 1)
		add(do_rest, NULL, "no patch is left");
	for_each_mod_back(m)
		if (!m->livepatch)
			add(do_unload, m, "unload");
	add(do_nothing_left, NULL, "nothing is left");
}

static void run_step(void)
{
	static bool failed;

	/* The steps build on each other; true until this one has come through. */
	if (failed)
		skip("a step before has failed");
	failed = true;
	step->fn(step->m);
	failed = false;
}

static void next_step(void)
{
	step++;
}

int main(void)
{
	static struct test tests[ARRAY_SIZE(steps)];

	guest_boot();
	read_list();
	make_plan();
	for (int i = 0; i < nr_steps; i++) {
		tests[i].name = steps[i].name;
		tests[i].fn = run_step;
	}
	look_at(&now);
	objects_at_start = now.objects;
	test_after = next_step;
	run_tests(tests, nr_steps);
	guest_end();
}
