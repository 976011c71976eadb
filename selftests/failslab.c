// SPDX-License-Identifier: GPL-2.0
/*
 * On a kernel with failslab: each kmalloc() that a patch's init leads to, by the
 * engine, the author or the core, fails in turn. Loading then fails cleanly and
 * changes nothing, or does without that memory.
 *
 * The kernel fails the Nth allocation of a task that writes N to its fail-nth.
 * What counts is chosen by the stack, which leaves out what the module loader
 * allocates before init, and by the cache, which leaves out the bookkeeping of
 * kmemleak and of the other checkers.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract.h"
#include "fields.h"
#include "vm/guest.h"

#define FAILSLAB	"/sys/kernel/debug/failslab/"
#define PROFILING	"/proc/sys/vm/mem_profiling"
#define FAIL_NTH	"/proc/self/fail-nth"

struct range {
	unsigned long start, end;
};

/* The text of a function of the kernel: up to the next symbol. */
static struct range function_range(const char *name)
{
	struct range range = { 0 };
	FILE *f = fopen("/proc/kallsyms", "r");
	unsigned long address;
	char symbol[256];

	check(f, "cannot read the kernel's symbols");
	while (!range.end && fscanf(f, "%lx %*c %255s%*[^\n]", &address,
				    symbol) == 2)
		if (!strcmp(symbol, name))
			range.start = address;
		else if (range.start && address > range.start)
			range.end = address;
	fclose(f);
	check(range.end, "the kernel has no function %s", name);
	return range;
}

static struct range module_range(const char *name)
{
	struct range range = { 0 };
	FILE *f = fopen("/proc/modules", "r");
	unsigned long size, address;
	char module[64];

	check(f, "cannot read the modules");
	while (!range.end && fscanf(f, "%63s %lu %*s %*s %*s %lx%*[^\n]",
				    module, &size, &address) == 3)
		if (!strcmp(module, name))
			range = (struct range){ address, address + size };
	fclose(f);
	check(range.end, "%s is not loaded", name);
	return range;
}

static void set_filter(const char *which, struct range range)
{
	char path[64], value[32];

	snprintf(path, sizeof(path), FAILSLAB "%s-start", which);
	snprintf(value, sizeof(value), "%#lx", range.start);
	check_ok(file_write(path, value));
	snprintf(path, sizeof(path), FAILSLAB "%s-end", which);
	snprintf(value, sizeof(value), "%#lx", range.end);
	check_ok(file_write(path, value));
}

static void begin(void)
{
	glob_t g;
	size_t i;

	if (access(FAIL_NTH, F_OK) || access(FAILSLAB "require-start", F_OK))
		skip("this kernel has no failslab");
	check_ok(file_write(FAILSLAB "verbose", "0"));
	/* Else it spares the allocations that may sleep: all of ours. */
	check_ok(file_write(FAILSLAB "ignore-gfp-wait", "N"));
	check_ok(file_write(FAILSLAB "cache-filter", "Y"));
	check(!glob("/sys/kernel/slab/kmalloc-*/failslab", 0, NULL, &g),
	      "this kernel's caches have no failslab");
	for (i = 0; i < g.gl_pathc; i++)
		check_ok(file_write(g.gl_pathv[i], "1"));
	globfree(&g);
	/* It warns once if its own memory for an allocation's tag fails. */
	if (!access(PROFILING, W_OK))
		check_ok(file_write(PROFILING, "0"));
	/* The core's vmalloc() says with a stack that it failed. */
	set_filter("reject", function_range("__vmalloc_node_range_noprof"));
}

static void end(void)
{
	if (!access(PROFILING, W_OK))
		check_ok(file_write(PROFILING, "1"));
}

/* The next allocation that the filter takes fails, if @n is 1, and so on. */
static void fail_nth(int n)
{
	char value[16];

	snprintf(value, sizeof(value), "%d", n);
	check_ok(file_write(FAIL_NTH, value));
}

/* Stop; true if there was such an allocation. */
static bool failed(void)
{
	long left = file_int(FAIL_NTH);

	check(left >= 0, "cannot read " FAIL_NTH);
	fail_nth(0);
	return !left;
}

/* The patched function, the change and the list of states, to be compared. */
static void look(const char *patch, char *buf, size_t size)
{
	char path[128];

	show();
	snprintf(buf, size, "patch %s, loglevel %ld\n", val("patch"),
		 console_level());
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/klp_sdk_states",
		 patch ? patch : "");
	/* None of a patch without the SDK. */
	file_read(path, buf + strlen(buf), size - strlen(buf));
}

static void check_sound(const char *patch)
{
	show();
	check(!strcmp(val("patch"), patch), "not %s: %s", patch, shown());
	if (*val("alpha"))
		check_works(patch);
}

/* What a test does with the old patch when it is loaded, if anything. */
static void (*furnish)(void);

static void load_old(const char *old)
{
	load(old);
	if (furnish)
		furnish();
}

/*
 * Load @new over @old, which may be NULL, until no allocation is left to fail.
 * At least @least of them have the SDK refuse the patch.
 */
static void fail_each(const char *old, const char *new, int least)
{
	int n, ret, refused = 0, said = 0;
	char before[2048], now[2048];

	begin();
	set_filter("require", function_range("do_one_initcall"));
	if (old)
		load_old(old);
	look(old, before, sizeof(before));

	for (n = 1; ; n++) {
		kmsg_mark();
		fail_nth(n);
		ret = mod_load(new, "");
		if (!failed())
			break;
		if (ret) {
			check(ret == -ENOMEM, "allocation %d: %s", n,
			      strerror(-ret));
			check(!klp_present(new) && !mod_loaded(new),
			      "allocation %d: %s stays", n, new);
			refused++;
			said += kmsg_has("klp-sdk: ");
			look(old, now, sizeof(now));
			check(!strcmp(now, before), "allocation %d: %sbefore: %s",
			      n, now, before);
			continue;
		}
		/* It is done without. Back to where it began. */
		check_ok(klp_settle(new));
		check_sound(new);
		disable(new);
		if (old && klp_enabled(old) != 1) {
			check_ok(klp_wait_gone(old));
			check_ok(mod_unload(old));
			load_old(old);
		}
	}
	check_ok(ret);
	check_ok(klp_settle(new));
	check_sound(new);
	check(said >= least, "the SDK refused %d times, not %d", said, least);
	out("# %s: of %d allocations %d refuse the patch, %d through the SDK",
	    new, n - 1, refused, said);
	end();
}

/*
 * At least: the arrays; for each new state record, data, holder and what its
 * pre_patch allocates, else the holder; alpha's new object; the root.
 */
void test_failslab_enable(void)
{
	fail_each(NULL, "tp_a1", 14);
}

void test_failslab_convert(void)
{
	fail_each("tp_a1", "tp_a2", 6);
}

void test_failslab_downgrade(void)
{
	fail_each("tp_a2", "tp_a1", 10);
}

void test_failslab_back(void)
{
	fail_each("tp_b2", "tp_a1", 6);
}

void test_failslab_undeclared(void)
{
	fail_each("tp_a1", "tp_nogamma", 4);
}

void test_failslab_retire(void)
{
	fail_each("tp_a1", "tp_retire", 4);
}

void test_failslab_raw(void)
{
	fail_each("tp_raw", "tp_a1", 8);
}

void test_failslab_raw_convert(void)
{
	fail_each("tp_raw", "tp_perm", 9);
}

void test_failslab_share(void)
{
	fail_each("tp_s1", "tp_s2", 4);
}

/* Many states over three objects: three are converted, two grow. */
void test_failslab_many(void)
{
	check_ok(mod_load("tp_mod1", ""));
	check_ok(mod_load("tp_mod2", ""));
	fail_each("tp_m1", "tp_m2", 11);
}

/* Shadow types: holder, record and table for each. */
void test_failslab_shadow(void)
{
	check_ok(mod_load("tp_pool", ""));
	fail_each(NULL, "tp_sh1", 15);
}

static void three_values(void)
{
	check_ok(file_write("/sys/module/tp_sh1/parameters/op", "fill index 3"));
}

/* Holders, and new values for those that are converted. */
void test_failslab_shadow_convert(void)
{
	check_ok(mod_load("tp_pool", ""));
	furnish = three_values;
	fail_each("tp_sh1", "tp_sh2", 7);
}

/* A module that comes is refused, or has all its states. */
void test_failslab_module(void)
{
	int n, ret, said = 0;

	begin();
	load("tp_m1");
	set_filter("require", function_range("klp_module_coming"));
	for (n = 1; ; n++) {
		kmsg_mark();
		fail_nth(n);
		ret = mod_load("tp_mod1", "");
		if (!failed())
			break;
		if (ret) {
			check(ret == -ENOMEM, "allocation %d: %s", n,
			      strerror(-ret));
			said += kmsg_has("klp-sdk: ");
		} else {
			check_ok(mod_unload("tp_mod1"));
		}
		check(kmsg_count(" post_patch") == kmsg_count(" pre_unpatch"),
		      "allocation %d: %s", n, kmsg_since());
		view("tp_m1", " tp_mod1 ma tp_m1:idle\n",
		     " tp_mod1 mc tp_m1:idle\n", NULL);
	}
	check_ok(ret);
	/* For each of three states the data, and what pre_patch allocates. */
	check(said >= 6, "the SDK refused %d times", said);
	view("tp_m1", " tp_mod1 ma tp_m1:live\n", NULL);
	end();
}

/* All memory is taken before a patch is enabled, so that it can always go. */
void test_failslab_disable(void)
{
	begin();
	load("tp_a1");
	set_filter("require", module_range("tp_a1"));
	fail_nth(1);
	check_ok(klp_write("tp_a1", "enabled", "0"));
	check(!failed(), "disabling takes memory");
	end();
}
