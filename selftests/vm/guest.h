/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Library of the test guests: what a static init (PID 1) needs to boot, talk
 * to vmrun, load modules, watch livepatches and report tests. A test program
 * is main() { guest_boot(); run_tests(...); guest_end(); }.
 *
 * Functions returning int return 0 (or the value asked for) or -errno.
 */
#ifndef KLP_SDK_GUEST_H
#define KLP_SDK_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __printf(a, b)	__attribute__((__format__(printf, a, b)))
#define __noreturn	__attribute__((__noreturn__))

/* Booting and output */
void guest_boot(void);
void __noreturn guest_end(void);
void __printf(2, 3) guest_must(int ok, const char *fmt, ...);	/* or ends with a reason */
void __printf(1, 2) out(const char *fmt, ...);	/* one line, newline added */
bool cmdline_get(const char *key, char *buf, size_t size);

/* Files and time; file_read() returns the length and terminates @buf */
int file_read(const char *path, char *buf, size_t size);
int file_write(const char *path, const char *str);
long file_int(const char *path);
void sleep_ms(long ms);
long now_ms(void);

/* Modules; files are /lib/modules/test/NAME.ko */
int mod_load(const char *name, const char *params);
int mod_unload(const char *name);
bool mod_loaded(const char *name);

/* Livepatches: a name may be given with '-' or '_' */
bool klp_present(const char *name);
int klp_enabled(const char *name);
int klp_transition(const char *name);
int klp_write(const char *name, const char *attr, const char *value);
int klp_settle(const char *name);	/* NULL: all patches */
int klp_wait_gone(const char *name);	/* patch removed, module unreferenced */

/* The kernel's messages since the last kmsg_mark(), one per line */
void kmsg_mark(void);
const char *kmsg_since(void);
int kmsg_count(const char *substr);
bool kmsg_has(const char *substr);

/*
 * Live kmalloc objects whose allocation site has @needle in its name, or
 * SLAB_MODULES: which were allocated by module code, whether still there or
 * unloaded (virtio's is left out, the results pass through it), and shadow
 * variables. A leak is a
 * count higher than before in the same state. @where gets the last such site.
 * Needs slub_debug=U,kmalloc-*, which vmrun passes.
 */
#define SLAB_MODULES "[module-area]"
int slab_count(const char *needle, char *where, size_t size);

/*
 * Each site of live kmalloc objects, and if it is a module's, or a function that
 * allocates for its caller, the module's code: a symbol, or a bare address if
 * the module has been unloaded. Shadow variables always have a caller.
 */
struct slab_site {
	int objects;
	char name[256], caller[256];
};

int slab_each(void (*fn)(const struct slab_site *site, void *arg), void *arg);

/*
 * What kmemleak found since the last time, "" if nothing, or if the kernel has
 * no kmemleak.
 */
const char *leak_report(void);

/* Child processes. reap() returns the exit status, or -signal */
pid_t spawn(void (*fn)(void *), void *arg);
int reap(pid_t pid);

/*
 * Tasks asleep inside the function which prints @path (klp_sdk_hold.ko):
 * start one, release all, collect what it has read. Without a path it sleeps
 * where it holds any transition, whatever that patches, and reads nothing.
 */
pid_t hold_start(const char *path);
int hold_release_all(void);
int hold_finish(pid_t pid, char *buf, size_t size);

/* Tests. A failed check() and skip() end the test, not the program */
struct test {
	const char *name;
	void (*fn)(void);
};

extern void (*test_before)(void);
extern void (*test_after)(void);
int run_tests(const struct test *tests, int n);

void __noreturn __printf(4, 5) test_stop(const char *file, int line, const char *expr,
					 const char *fmt, ...);
/* Where a test is that does one thing many times: printed with a failed check. */
void __printf(1, 2) note(const char *fmt, ...);
#define check(cond, fmt, ...)							\
	do {									\
		if (!(cond))							\
			test_stop(__FILE__, __LINE__, #cond, fmt, ##__VA_ARGS__);	\
	} while (0)
/* For calls which return 0 or -errno */
#define check_ok(call)								\
	do {									\
		int __err = (call);						\
										\
		check(!__err, #call ": %s", __err < 0 ? strerror(-__err) : "not 0");	\
	} while (0)
/* For those who do not know this code: no place, no expression */
#define fail(fmt, ...)	test_stop(NULL, 0, "", fmt, ##__VA_ARGS__)
#define skip(fmt, ...)	test_stop(NULL, 0, NULL, fmt, ##__VA_ARGS__)

#endif
