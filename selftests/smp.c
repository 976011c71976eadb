// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow variables while tasks on several CPUs attach, find, write and free them,
 * and patches replace each other all the time. What each task must find, and that
 * nothing is lost or torn, is checked in the patched function (modules/tpc.h).
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "contract.h"
#include "fields.h"
#include "vm/guest.h"

#define POOL	"/proc/tp_smp/"
#define WORKERS	6
#define RUN_MS	300	/* between two patches */

/* The bits of the module's parameter. */
#define PLAIN	1
#define INDEXED	2
#define GROW	4

/* Set while there are workers. */
static atomic_int *stop;
static pid_t workers[WORKERS];

static void worker(void *arg)
{
	char path[32], buf[64];
	int fd;

	snprintf(path, sizeof(path), POOL "%ld", (long)arg);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		_exit(1);
	/*
	 * Each read from the start calls the patched function. The pause gives
	 * QEMU's other CPU its turn: it would have to wait for 100 ms each time
	 * that it makes this one see new code, thousands of times in a transition.
	 */
	while (!*stop) {
		if (pread(fd, buf, sizeof(buf), 0) < 0)
			_exit(2);
		__builtin_ia32_pause();
	}
}

static void start_workers(void)
{
	long i;

	stop = mmap(NULL, sizeof(*stop), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(stop != MAP_FAILED, "no memory");
	for (i = 0; i < WORKERS; i++) {
		workers[i] = spawn(worker, (void *)i);
		check(workers[i] > 0, "no worker %ld", i);
	}
}

/* Also after a test that failed. */
void stop_workers(void)
{
	int i, failed = 0;

	if (!stop)
		return;
	*stop = 1;
	for (i = 0; i < WORKERS; i++)
		failed += workers[i] > 0 && reap(workers[i]);
	munmap(stop, sizeof(*stop));
	memset(workers, 0, sizeof(workers));
	stop = NULL;
	check(!failed, "%d workers failed", failed);
}

/* All parents, while no worker runs. */
static void check_pool(const char *patch, struct fields *f)
{
	char value[64];

	check(file_read(POOL "check", f->text, sizeof(f->text)) > 0,
	      "cannot read " POOL "check");
	check(!strcmp(field(f, "patch", value, sizeof(value)), patch),
	      "not %s: %s", patch, f->text);
	check(!strcmp(field(f, "bad", value, sizeof(value)), "0"), "%s: %s",
	      f->text, kmsg_since());
	check_fronts();
}

static long pool_num(const struct fields *f, const char *key)
{
	char value[64];

	return strtol(field(f, key, value, sizeof(value)), NULL, 10);
}

static void pass_on(const char *name, const char *old)
{
	sleep_ms(RUN_MS);
	load(name);
	if (!old)
		return;
	check_ok(klp_wait_gone(old));
	check_ok(mod_unload(old));
}

static void concurrent(int types)
{
	long start = now_ms();
	struct fields f;
	char params[16];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip("needs two CPUs");
	snprintf(params, sizeof(params), "types=%d", types);
	check_ok(mod_load("tp_smp", params));

	start_workers();
	pass_on("tp_c1", NULL);
	pass_on("tp_c2", "tp_c1");
	pass_on("tp_c2b", "tp_c2");
	sleep_ms(RUN_MS);
	stop_workers();
	check_pool("tp_c2b", &f);
	out("# %ld CPUs, %ld ms: %.*s", sysconf(_SC_NPROCESSORS_ONLN),
	    now_ms() - start, (int)strcspn(f.text, "\n"), f.text);
	/* That it was a test at all. */
	check(pool_num(&f, "allocs") > 100 && pool_num(&f, "frees") > 100 &&
	      pool_num(&f, types & PLAIN ? "plain" : types & INDEXED ?
			   "indexed" : "grow") > 20, "too little was done: %s", f.text);
	check(types == GROW || (pool_num(&f, "converted") > 50 &&
				pool_num(&f, "prevs") > 20),
	      "too little was converted: %s", f.text);

	/* All values go with the state, under the workers' hands. */
	start_workers();
	sleep_ms(RUN_MS);
	disable("tp_c2b");
	stop_workers();
	check_pool("none", &f);
	check(!pool_num(&f, "tokens"), "not all was released: %s", f.text);
}

void test_smp_plain(void)
{
	concurrent(PLAIN);
}

void test_smp_indexed(void)
{
	concurrent(INDEXED);
}

void test_smp_grow(void)
{
	concurrent(GROW);
}

/* In a third of the time, for who has that only. */
void test_smp_all(void)
{
	concurrent(PLAIN | INDEXED | GROW);
}
