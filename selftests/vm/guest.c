// SPDX-License-Identifier: GPL-2.0
/*
 * Library of the test guests, linked statically into their init: the initrd
 * holds that one program and the modules, no shell and no busybox.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define PORT		"klp-sdk.results"
#define HOLD		"/proc/klp_sdk_hold"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define LIMIT_MS	30000	/* guest time; costs nothing while idle */
#define KMSG_MAX	(4 << 20)

static int port = -1;

/* Files and time */

static int read_fd(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, buf + len, size - 1 - len);
		if (n > 0)
			len += n;
	} while ((n > 0 && len < size - 1) || (n < 0 && errno == EINTR));
	buf[len] = '\0';
	return n < 0 ? -errno : (int)len;
}

int file_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	buf[0] = '\0';
	if (fd < 0)
		return -errno;
	ret = read_fd(fd, buf, size);
	close(fd);
	return ret;
}

int file_write(const char *path, const char *str)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, str, strlen(str)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

long file_int(const char *path)
{
	char buf[64];
	int ret = file_read(path, buf, sizeof(buf));

	return ret < 0 ? ret : strtol(buf, NULL, 0);
}

void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Booting and output */

static void emit(const char *s, size_t len)
{
	while (len) {
		ssize_t n = write(port, s, len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			s += n;
			len -= n;
		}
	}
}

void out(const char *fmt, ...)
{
	char buf[4096];
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf) - 1, fmt, ap);
	va_end(ap);
	len = strlen(buf);
	buf[len++] = '\n';
	emit(buf, len);
}

bool cmdline_get(const char *key, char *buf, size_t size)
{
	char line[4096], *save, *w;
	size_t n = strlen(key);

	file_read("/proc/cmdline", line, sizeof(line));
	for (w = strtok_r(line, "\n ", &save); w; w = strtok_r(NULL, "\n ", &save)) {
		if (strncmp(w, key, n) || (w[n] && w[n] != '='))
			continue;
		snprintf(buf, size, "%s", w[n] ? w + n + 1 : "");
		return true;
	}
	return false;
}

static void __noreturn power_off(void)
{
	sync();
	/* QEMU's -no-reboot ends it, without the ACPI that RB_POWER_OFF needs. */
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

/* The results have no way out: leave the reason in the kernel log */
static void __noreturn boot_failed(const char *what, int err)
{
	char buf[200];

	snprintf(buf, sizeof(buf), "<0>klp-sdk: guest_boot: %s: %s\n", what, strerror(-err));
	file_write("/dev/kmsg", buf);
	power_off();
}

void guest_end(void)
{
	out("# klp-sdk: end");
	power_off();
}

void guest_must(int ok, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	if (ok)
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	out("# klp-sdk: fail %s", why);
	guest_end();
}

static int load(const char *path, const char *params)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, params ? params : "", 0))
		ret = -errno;
	close(fd);
	return ret;
}

static bool find_port(void)
{
	char name[64], dev[80];
	glob_t g;

	if (!glob("/sys/class/virtio-ports/*/name", 0, NULL, &g)) {
		for (size_t i = 0; i < g.gl_pathc && port < 0; i++) {
			file_read(g.gl_pathv[i], name, sizeof(name));
			if (strcmp(name, PORT "\n"))
				continue;
			if (sscanf(g.gl_pathv[i], "/sys/class/virtio-ports/%40[^/]", name) != 1)
				continue;
			snprintf(dev, sizeof(dev), "/dev/%s", name);
			port = open(dev, O_WRONLY | O_CLOEXEC);
		}
	}
	globfree(&g);
	return port >= 0;
}

void guest_boot(void)
{
	static const char *const mounts[][2] = {
		{ "devtmpfs", "/dev" }, { "proc", "/proc" }, { "sysfs", "/sys" },
		{ "debugfs", "/sys/kernel/debug" },
	};
	char buf[16];
	glob_t g;

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i][1], 0755);
		if (mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, NULL) && errno != EBUSY)
			boot_failed(mounts[i][1], -errno);
	}
	/* Sorted by name, that is by number */
	if (!glob("/lib/modules/boot/*.ko", 0, NULL, &g)) {
		for (size_t i = 0; i < g.gl_pathc; i++) {
			int err = load(g.gl_pathv[i], "");

			if (err && err != -EEXIST)
				boot_failed(g.gl_pathv[i], err);
		}
	}
	globfree(&g);
	for (long end = now_ms() + LIMIT_MS; !find_port();) {
		if (now_ms() >= end)
			boot_failed("no port " PORT, -ETIMEDOUT);
		sleep_ms(10);
	}
	if (cmdline_get("klp_sdk.probe", buf, sizeof(buf)))
		guest_end();
}

/* Modules */

static const char *modname(const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s", name);
	for (char *p = buf; *p; p++)
		if (*p == '-')
			*p = '_';
	return buf;
}

int mod_load(const char *name, const char *params)
{
	char path[256];

	snprintf(path, sizeof(path), "/lib/modules/test/%s.ko", name);
	return load(path, params);
}

int mod_unload(const char *name)
{
	char mod[64];

	return syscall(SYS_delete_module, modname(name, mod, sizeof(mod)), O_NONBLOCK) ? -errno : 0;
}

bool mod_loaded(const char *name)
{
	char mod[64], path[128];

	snprintf(path, sizeof(path), "/sys/module/%s/initstate", modname(name, mod, sizeof(mod)));
	return !access(path, F_OK);
}

/* Livepatches */

static void klp_path(char *path, size_t size, const char *name, const char *attr)
{
	char mod[64];

	snprintf(path, size, "/sys/kernel/livepatch/%s/%s", modname(name, mod, sizeof(mod)), attr);
}

static int klp_attr(const char *name, const char *attr)
{
	char path[160];

	klp_path(path, sizeof(path), name, attr);
	return file_int(path);
}

bool klp_present(const char *name)
{
	return klp_attr(name, "enabled") >= 0;
}

int klp_enabled(const char *name)
{
	return klp_attr(name, "enabled");
}

int klp_transition(const char *name)
{
	return klp_attr(name, "transition");
}

int klp_write(const char *name, const char *attr, const char *value)
{
	char path[160];

	klp_path(path, sizeof(path), name, attr);
	return file_write(path, value);
}

int klp_settle(const char *name)
{
	char path[160];
	glob_t g;

	klp_path(path, sizeof(path), name ? name : "*", "transition");
	for (long end = now_ms() + LIMIT_MS; now_ms() < end; sleep_ms(10)) {
		bool busy = false;

		if (!glob(path, 0, NULL, &g))
			for (size_t i = 0; i < g.gl_pathc; i++)
				busy |= file_int(g.gl_pathv[i]) == 1;
		globfree(&g);
		if (!busy)
			return 0;
	}
	return -ETIMEDOUT;
}

int klp_wait_gone(const char *name)
{
	char mod[64], path[160];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", modname(name, mod, sizeof(mod)));
	for (long end = now_ms() + LIMIT_MS; now_ms() < end; sleep_ms(10))
		if (!klp_present(name) && file_int(path) <= 0)
			return 0;
	return -ETIMEDOUT;
}

/*
 * The kernel log. All of a test's messages are kept, so that run_tests() sees
 * them even if the test sets marks of its own.
 */
static char kmsg[KMSG_MAX];
static size_t kmsg_len, kmsg_from;
static int kmsg_fd = -1;

static void kmsg_read(void)
{
	char rec[8192];
	ssize_t n;

	while ((n = read(kmsg_fd, rec, sizeof(rec) - 1)) > 0 || errno == EPIPE || errno == EINTR) {
		const char *p = "[messages lost]\n";

		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0) {
			rec[n] = '\0';
			p = strchr(rec, ';');
			p = p ? p + 1 : rec;
		}
		/* Up to the newline; lines behind it are the device's keys */
		while (*p && *p != '\n' && kmsg_len < KMSG_MAX - 2) {
			if (!strncmp(p, "\\x0a", 4)) {
				kmsg[kmsg_len++] = '\n';
				p += 4;
			} else {
				kmsg[kmsg_len++] = *p++;
			}
		}
		kmsg[kmsg_len++] = '\n';
		kmsg[kmsg_len] = '\0';
		if (kmsg_len >= KMSG_MAX - 2)
			return;
	}
}

static void kmsg_reset(void)
{
	if (kmsg_fd < 0)
		kmsg_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	lseek(kmsg_fd, 0, SEEK_END);
	kmsg_len = 0;
	kmsg_from = 0;
	kmsg[0] = '\0';
}

void kmsg_mark(void)
{
	if (kmsg_fd < 0)
		kmsg_reset();
	kmsg_read();
	kmsg_from = kmsg_len;
}

const char *kmsg_since(void)
{
	kmsg_read();
	return kmsg + kmsg_from;
}

int kmsg_count(const char *substr)
{
	int n = 0;

	for (const char *p = kmsg_since(); (p = strstr(p, substr)); p += strlen(substr))
		n++;
	return n;
}

bool kmsg_has(const char *substr)
{
	return kmsg_count(substr) > 0;
}

/*
 * Slab leaks. The site of an unloaded module's allocation has no symbol, so it
 * is a bare address; or it has a wrong one: while anything is traced, and a
 * livepatch counts as that, ftrace keeps the symbols of freed init code, where
 * other modules' code may have been loaded since. So it takes any module.
 */
static bool module_site(const char *site)
{
	return !strncmp(site, "0x", 2) || strstr(site, "klp_shadow") ||
	       (strchr(site, '[') && !strstr(site, "[virtio"));
}

/* Functions that allocate for their caller, which the stack names */
static bool allocates_for_caller(const char *site)
{
	static const char *const names[] = {
		"klp_shadow", "kvmalloc", "krealloc", "asprintf", "kstrdup", "memdup",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strstr(site, names[i]))
			return true;
	return false;
}

static void set_caller(struct slab_site *site, char *from)
{
	if (!module_site(from) || allocates_for_caller(from))
		return;
	from[strcspn(from, "\n")] = '\0';
	snprintf(site->caller, sizeof(site->caller), "%.255s", from);
}

static void end_site(struct slab_site *site, void (*fn)(const struct slab_site *site, void *arg),
		     void *arg)
{
	if (!site->caller[0] && strstr(site->name, "klp_shadow"))
		memcpy(site->caller, site->name, sizeof(site->caller));
	if (site->objects)
		fn(site, arg);
	memset(site, 0, sizeof(*site));
}

int slab_each(void (*fn)(const struct slab_site *site, void *arg), void *arg)
{
	struct slab_site site = { 0 };
	bool for_caller = false;
	char line[1024], *p;
	glob_t g;

	if (glob("/sys/kernel/debug/slab/kmalloc-*/alloc_traces", 0, NULL, &g))
		return -ENOENT;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		FILE *f = fopen(g.gl_pathv[i], "r");

		/* "  COUNT SITE [waste=...] age=..."; then, indented by 8, the stack */
		while (f && fgets(line, sizeof(line), f)) {
			if (!strncmp(line, "        ", 8)) {
				if (for_caller && !site.caller[0])
					set_caller(&site, line + 8);
				continue;
			}
			end_site(&site, fn, arg);
			if (sscanf(line, "%d %255[^\n]", &site.objects, site.name) != 2) {
				site.objects = 0;
				continue;
			}
			p = strstr(site.name, " waste=");
			p = p ? p : strstr(site.name, " age=");
			if (p)
				*p = '\0';
			set_caller(&site, site.name);
			for_caller = allocates_for_caller(site.name);
		}
		end_site(&site, fn, arg);
		if (f)
			fclose(f);
	}
	globfree(&g);
	return 0;
}

struct slab_sum {
	const char *needle;
	char *where;
	size_t size;
	int total;
};

static void sum_site(const struct slab_site *site, void *arg)
{
	struct slab_sum *sum = arg;

	if (!strcmp(sum->needle, SLAB_MODULES) ? !module_site(site->name) :
	    !strstr(site->name, sum->needle))
		return;
	sum->total += site->objects;
	if (sum->where)
		snprintf(sum->where, sum->size, "%d objects from %s", site->objects, site->name);
}

int slab_count(const char *needle, char *where, size_t size)
{
	struct slab_sum sum = { needle, where, size, 0 };
	int ret;

	if (where)
		where[0] = '\0';
	ret = slab_each(sum_site, &sum);
	return ret ? ret : sum.total;
}

/*
 * kmemleak takes no object for leaked that is younger than 5 s (to wait costs
 * nothing while the guest is idle) or has changed since the scan before.
 */
const char *leak_report(void)
{
	static char report[16384];
	int err;

	report[0] = '\0';
	if (access(KMEMLEAK, F_OK))
		return report;
	sleep_ms(5500);
	err = file_write(KMEMLEAK, "scan");
	if (!err)
		err = file_write(KMEMLEAK, "scan");
	if (!err)
		err = file_read(KMEMLEAK, report, sizeof(report));
	if (err < 0)
		snprintf(report, sizeof(report), "kmemleak does not work: %s\n",
			 strerror(-err));
	else
		file_write(KMEMLEAK, "clear");
	return report;
}

/* Processes */

pid_t spawn(void (*fn)(void *), void *arg)
{
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	fn(arg);
	_exit(0);
}

int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* Held tasks: each leaves what it has read in a file of its own */

static void hold_path(pid_t pid, char *path, size_t size)
{
	snprintf(path, size, "/hold.%d", pid);
}

static void hold_child(void *arg)
{
	char path[32], buf[4096];
	int in, to, n;

	/* What the test closes must be closed then. */
	close_range(3, ~0U, 0);
	if (!arg)
		_exit(file_write(HOLD, "block") ? 1 : 0);
	hold_path(getpid(), path, sizeof(path));
	to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	in = open(arg, O_RDONLY);
	if (to < 0 || in < 0 || file_write(HOLD, "arm"))
		_exit(1);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(to, buf, n) != n)
			_exit(2);
	_exit(n < 0 ? 3 : 0);
}

pid_t hold_start(const char *path)
{
	long before = file_int(HOLD);
	pid_t pid;

	if (before < 0)
		return before;
	pid = spawn(hold_child, (void *)path);
	for (long end = now_ms() + LIMIT_MS; pid > 0 && file_int(HOLD) <= before;) {
		if (now_ms() >= end || waitpid(pid, NULL, WNOHANG)) {
			kill(pid, SIGKILL);
			return -ETIMEDOUT;
		}
		sleep_ms(10);
	}
	return pid;
}

int hold_release_all(void)
{
	return file_write(HOLD, "release");
}

int hold_finish(pid_t pid, char *buf, size_t size)
{
	char path[32];
	int ret = reap(pid);

	hold_path(pid, path, sizeof(path));
	if (buf)
		file_read(path, buf, size);
	unlink(path);
	return ret ? -EIO : 0;
}

/* Tests */

void (*test_before)(void), (*test_after)(void);

static sigjmp_buf test_env;
static pid_t test_pid;
static enum { RUNNING, PASS, FAIL, SKIP } state;
static char skip_why[200];

static char noted[200];

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(noted, sizeof(noted), fmt, ap);
	va_end(ap);
}

void test_stop(const char *file, int line, const char *expr, const char *fmt, ...)
{
	char msg[1024], *save, *w;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (expr) {
		if (*noted)
			out("# %s", noted);
		w = strtok_r(msg, "\n", &save);
		if (file)
			out("# %s:%d: check '%s' failed: %s", file, line, expr, w ? w : "");
		else
			out("# %s", w ? w : "");
		while (w && (w = strtok_r(NULL, "\n", &save)))
			out("# %s", w);
		state = FAIL;
	} else {
		snprintf(skip_why, sizeof(skip_why), "%.199s", msg);
		if (state != FAIL)
			state = SKIP;
	}
	/* In a child process there is no test to return to */
	if (getpid() != test_pid)
		_exit(1);
	siglongjmp(test_env, 1);
}

/* Run a part of the test; returns if it has come to its end */
static void part(void (*fn)(void))
{
	if (fn && !sigsetjmp(test_env, 1))
		fn();
}

/* BUG, but not in DEBUG */
static const char *find_word(const char *text, const char *word)
{
	const char *p = text;

	while ((p = strstr(p, word)) && p > text && isalpha((unsigned char)p[-1]))
		p++;
	return p;
}

static bool starts(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

/* The line above a call trace says what was wrong; between them is where it was. */
static const char *above_trace(const char *text, const char *line)
{
	const char *p = line;

	while (p > text) {
		for (p--; p > text && p[-1] != '\n'; p--)
			;
		if (!starts(p, "CPU: ") && !starts(p, "Tainted: ") &&
		    !starts(p, "Hardware name: ") && !starts(p, "Workqueue: "))
			return p;
	}
	return line;
}

static void find_splat(void)
{
	static const char *const marks[] = { "WARNING:", "BUG", "Oops", "Call Trace:" };

	kmsg_from = 0;
	kmsg_since();
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		const char *p = find_word(kmsg, marks[i]);

		if (!p)
			continue;
		while (p > kmsg && p[-1] != '\n')
			p--;
		if (starts(p, "Call Trace:"))
			p = above_trace(kmsg, p);
		out("# kernel log: %.*s", (int)strcspn(p, "\n"), p);
		state = FAIL;
		return;
	}
}

static bool selected(const char *name, const char *globs)
{
	char buf[1024], *save, *w;

	if (*globs == '!')
		return !selected(name, globs + 1);
	snprintf(buf, sizeof(buf), "%s", globs);
	for (w = strtok_r(buf, ",", &save); w; w = strtok_r(NULL, ",", &save))
		if (!fnmatch(w, name, 0))
			return true;
	return false;
}

/* Fail in the ways a guest can, so that vmrun's answer can be tested */
static void fault(const char *how)
{
	char bug[32];

	if (!*how)
		return;
	if (!strcmp(how, "panic"))
		file_write("/proc/sysrq-trigger", "c");
	if (!strcmp(how, "hang") || !strcmp(how, "idle"))
		for (;;)
			pause();
	if (!strcmp(how, "spin"))
		for (;;)
			now_ms();
	if (!strcmp(how, "cut")) {
		emit("ok 2", 4);
		power_off();
	}
	if (!strcmp(how, "warn"))
		file_write("/dev/kmsg", "<4>WARNING: klp_sdk.fault=warn\n");
	if (!strcmp(how, "exit"))
		exit(0);
	/* What the SDK's own checks find on a debug kernel */
	if (!strncmp(how, "shadow-", 7)) {
		mod_load("tp_pool", "");
		mod_load("tp_sh1", strcmp(how, "shadow-early") ? "" : "early=1");
		klp_settle("tp_sh1");
		snprintf(bug, sizeof(bug), "%s mistake 1", how + 7);
		file_write("/sys/module/tp_sh1/parameters/op", bug);
		return;
	}
	/* What the kernel's own checkers find */
	snprintf(bug, sizeof(bug), "bug=%s", how);
	mod_load("klp_sdk_bug", bug);
}

int run_tests(const struct test *tests, int n)
{
	char globs[1024] = "*", how[16] = "";
	int total = 0, nr = 0, failed = 0;

	cmdline_get("klp_sdk.tests", globs, sizeof(globs));
	cmdline_get("klp_sdk.fault", how, sizeof(how));
	test_pid = getpid();
	for (int i = 0; i < n; i++)
		total += selected(tests[i].name, globs);
	out("KTAP version 1");
	out("1..%d", total);
	for (int i = 0; i < n; i++) {
		if (!selected(tests[i].name, globs))
			continue;
		out("# klp-sdk: run %s", tests[i].name);
		kmsg_reset();
		if (++nr == 2)
			fault(how);
		state = RUNNING;
		*noted = '\0';
		part(test_before);
		if (state == RUNNING)
			part(tests[i].fn);
		part(test_after);
		find_splat();
		out("%sok %d - %s%s%s", state == FAIL ? "not " : "", nr, tests[i].name,
		    state == SKIP ? " # SKIP " : "", state == SKIP ? skip_why : "");
		failed += state == FAIL;
	}
	return failed;
}
