// SPDX-License-Identifier: GPL-2.0
/*
 * Has klp_sdk_bench measure shadow variables of several numbers, and prints the
 * figures: as a table, and each as a note "bench BACKEND N IDS OPERATION NS RATIO",
 * separated by tabs, RATIO to the raw calls or "-".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include "vm/guest.h"

#define MODULE	"klp_sdk_bench"
#define PARAMS	"/sys/module/" MODULE "/parameters/"
#define CHUNK	10000		/* BENCH_CHUNK of the module */
#define CACHE	"/sys/kernel/slab/kmalloc-64/"

static const char *const backends[] = { "raw", "plain", "indexed" };

static const struct {
	const char *name, *text;
	double unit;
} ops[] = {
	{ "get_hit",  "get, found, ns", 1 },
	{ "get_miss", "get, not found, ns", 1 },
	{ "alloc",    "alloc, ns", 1 },
	{ "free",     "free, ns", 1 },
	{ "fill",     "fill, ns each", 1 },
	{ "free_all", "free all, ns each", 1 },
	{ "irqs_off", "  interrupts off, us", 1000 },
	{ "irqs_off_later", "  and later, us", 1000 },
};

#define OPS_CALLS	4	/* the first ones are single calls */

/* With four ids the table of the core is as full as it is with one at most. */
static const struct {
	int n, ids;
} sizes[] = {
	{ 1000, 1 }, { 10000, 1 }, { 100000, 1 }, { 1000000, 1 },
	{ 1000, 4 }, { 10000, 4 }, { 100000, 4 }, { 250000, 4 },
};

/*
 * The second VM has the host's clock: for what a lookup waits for memory. Only
 * calls are measured, and at both ends.
 */
static bool real_time;

static double results[ARRAY_SIZE(sizes)][ARRAY_SIZE(ops)][ARRAY_SIZE(backends)];

/*
 * QEMU's TLB becomes larger only when it is flushed after much use, and the walks
 * through long chains need a large one. To unmap that many pages flushes it.
 */
static void flush_tlb(void)
{
	size_t size = 64 * 4096;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	guest_must(p != MAP_FAILED, "no memory");
	memset(p, 1, size);
	munmap(p, size);
}

static void run(const char *what, int from)
{
	char cmd[64];
	int ret;

	snprintf(cmd, sizeof(cmd), "%s %d", what, from);
	ret = file_write(PARAMS "run", cmd);
	guest_must(!ret, "%s: %s", cmd, strerror(-ret));
}

static void fill(const char *what, int n)
{
	for (int from = 0; from < n; from += CHUNK) {
		run(what, from);
		flush_tlb();
	}
}

/* Of several loads of the patch the fastest: where its memory is varies. */
static void keep(double *result, double value)
{
	if (!*result || value < *result)
		*result = value;
}

static void read_results(int size)
{
	char text[4096], *save, *line, backend[16], op[32];
	unsigned long long value;

	guest_must(file_read(PARAMS "results", text, sizeof(text)) > 0, "no results");
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		guest_must(sscanf(line, "%15s %31s %llu", backend, op, &value) == 3,
			   "results are not understood: %s", line);
		for (size_t o = 0; o < ARRAY_SIZE(ops); o++)
			for (size_t b = 0; b < ARRAY_SIZE(backends); b++)
				if (!strcmp(op, ops[o].name) && !strcmp(backend, backends[b]))
					keep(&results[size][o][b], value / 10.0);
		if (!real_time && !strcmp(backend, "method") && strcmp(op, "fill"))
			out("# klp-sdk: bench\t%s\t%d\t%d\t%s\t%.1f\t-", backend,
			    sizes[size].n, sizes[size].ids, op, value / 10.0);
	}
}

/* In kB, or -1. The page allocator's lists for each CPU are not in it. */
static long memory_free(void)
{
	char text[4096], *at;

	if (file_read("/proc/meminfo", text, sizeof(text)) <= 0)
		return -1;
	at = strstr(text, "MemFree:");
	return at ? atol(at + strlen("MemFree:")) : -1;
}

static void measure(int size)
{
	long before = memory_free(), after;
	int n = sizes[size].n, ret;
	char params[64];
	long start = now_ms();

	snprintf(params, sizeof(params), "n=%d ids=%d fastest=%d", n, sizes[size].ids,
		 real_time);
	ret = mod_load(MODULE, params);
	guest_must(!ret, "%s does not load: %s", MODULE, strerror(-ret));
	guest_must(!klp_settle(NULL), "a transition does not end");

	if (!real_time)
		run("calibrate", 0);
	fill("fill", n);
	sleep_ms(1000);		/* for an index that is being made larger */
	run("measure", 0);
	if (!real_time) {
		sleep_ms(10000);	/* for what is freed a grace period later, and later */
		run("free_all", 0);
		fill("refill", n);
		sleep_ms(1000);
	}

	ret = klp_write(MODULE, "enabled", "0");
	guest_must(!ret, "cannot disable: %s", strerror(-ret));
	guest_must(!klp_settle(NULL), "a transition does not end");
	guest_must(!klp_wait_gone(MODULE), "%s stays", MODULE);
	read_results(size);
	ret = mod_unload(MODULE);
	guest_must(!ret, "%s does not unload: %s", MODULE, strerror(-ret));
	if (!real_time)
		sleep_ms(10000);
	/* Before and after it is the same but for 4 MB; an index has up to 16 MB. */
	after = memory_free();
	guest_must(real_time || (after > 0 && after > before - 8192),
		   "%ld kB of %ld are not free again", before - after, before);
	out("# klp-sdk: %d x %d took %ld ms of the guest's time", sizes[size].ids, n,
	    now_ms() - start);
}

static void show(int size)
{
	char buf[256];
	int len;

	out("%s", "");
	out("%d shadow variables of each of %d %s", sizes[size].n, sizes[size].ids,
	    sizes[size].ids == 1 ? "type" : "types");
	out("%-22s %12s %12s %7s %12s %9s", "", "raw", "plain", "/raw", "indexed", "/raw");
	for (size_t o = 0; o < (real_time ? OPS_CALLS : ARRAY_SIZE(ops)); o++) {
		double raw = results[size][o][0];

		len = snprintf(buf, sizeof(buf), "%-22s", ops[o].text);
		for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
			double ns = results[size][o][b];

			if (!ns) {
				len += snprintf(buf + len, sizeof(buf) - len, " %12s %7s", "-",
						"");
				continue;
			}
			out("# klp-sdk: bench\t%s\t%d\t%d\t%s%s\t%.1f\t%.5f", backends[b],
			    sizes[size].n, sizes[size].ids, ops[o].name,
			    real_time ? "_real" : "", ns, ns / raw);
			len += snprintf(buf + len, sizeof(buf) - len, " %12.1f", ns / ops[o].unit);
			if (b)
				len += snprintf(buf + len, sizeof(buf) - len,
						b == 1 ? " %7.2f" : " %9.4f", ns / raw);
		}
		out("%s", buf);
	}
}

int main(void)
{
	struct utsname uts;
	char how[8] = "";

	guest_boot();
	cmdline_get("klp_sdk.bench", how, sizeof(how));
	real_time = !strcmp(how, "real");
	uname(&uts);
	guest_must(file_int(CACHE "red_zone") == 0 && file_int(CACHE "store_user") == 0,
		   "SLUB's debugging is on, which would be measured, too");
	out("klp-sdk on Linux %s: raw is klp_shadow_*(), /raw is how many times as long",
	    uts.release);
	if (real_time)
		out("Calls in real time, as QEMU takes it");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (real_time && (sizes[i].ids != 1 || (sizes[i].n != 1000 &&
							sizes[i].n != 1000000)))
			continue;
		for (int load = 0; load < (real_time && sizes[i].n == 1000 ? 7 : 1); load++)
			measure(i);
		show(i);
	}
	guest_end();
}
