// SPDX-License-Identifier: GPL-2.0
/*
 * Boots one virtual machine and judges it by what its guest reports through a
 * virtio port and by the kernel log on its serial console; QEMU's own exit
 * status says nothing about either. Everything ends up in a directory:
 * results.ktap, console.log, qemu.log.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../tools/owntime.h"
#include "verdict.h"

/*
 * Splats end the guest at once. slub_debug is for the guest's slab_count(),
 * the large log buffer for its kmsg_since(). A timer that does not tick in a delay
 * loop is broken, or QEMU waits for a processor: no_timer_check. The rest saves boot
 * time.
 */
#define CMDLINE	"console=ttyS0 ignore_loglevel printk.devkmsg=on log_buf_len=4M " \
	"panic=-1 oops=panic panic_on_warn=1 slub_debug=FZPU,kmalloc-* " \
	"tsc=reliable no_timer_check cryptomgr.notests apparmor=0 audit=0"
#define USAGE	"usage: vmrun --kernel VMLINUZ --initrd CPIO[,CPIO...] --out DIR " \
	"[--timeout SECONDS] [--append ARGS] [--name NAME] [--plain] [--quiet] [--real-time] " \
	"[--accel tcg|kvm|auto] [--summary FILE] [--memory MB] [--cpus N]"
/* Limits are QEMU's own time: on a busy machine all takes longer, and nothing hangs. */
#define BOOT_S		120	/* to the first line, or --timeout if that is more */
#define GRACE_MS	10000	/* from the end marker to the guest's power off */
#define PROBE_S		20
#define ROOM		(64 << 10)	/* less than that is a full disk */

static struct {
	const char *kernel, *out, *append, *name, *accel, *summary, *qemu;
	int timeout, memory, cpus;
	bool plain, quiet, real_time;
} opt = { .append = "", .name = "vm", .timeout = 120, .memory = 512, .cpus = 1 };

struct run {
	struct verdict v;
	bool timed_out, slow_off, no_qemu;
	int err;		/* errno of storing the results */
	int status;		/* QEMU's, for the message about its failure */
	struct own_time own;	/* QEMU's, since the guest got on the last time */
	long first_ms, last_ms, slowest_ms;
	char slowest[96];
};

static atomic_int qemu_pid;	/* a pid_t; read by the signal handler */

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void __noreturn __printf(1, 2) die(const char *fmt, ...)
{
	va_list ap;

	fputs("klp-sdk: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static __printf(1, 2) char *strf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	return s;
}

/* Killing is all there is to do, so it can be done right in the handler */
static void on_signal(int sig)
{
	if (qemu_pid > 0)
		kill(-qemu_pid, SIGKILL);
	_exit(128 + sig);
}

/* The kernel takes concatenated archives, each at a multiple of four bytes */
static void build_initrd(char *list, const char *path)
{
	FILE *to = fopen(path, "we");
	char buf[65536], *save;
	size_t n;

	if (!to)
		die("cannot write %s: %s", path, strerror(errno));
	for (char *w = strtok_r(list, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		FILE *from = fopen(w, "re");

		if (!from)
			die("cannot read %s: %s", w, strerror(errno));
		while ((n = fread(buf, 1, sizeof(buf), from)))
			fwrite(buf, 1, n, to);
		if (ferror(from))
			die("cannot read %s: %s", w, strerror(errno));
		fclose(from);
		while (ftell(to) % 4)
			fputc(0, to);
	}
	if (fflush(to) || ferror(to) || fclose(to))
		die("cannot write %s: %s", path, strerror(errno));
}

static void exec_qemu(const char *accel, const char *append)
{
	bool kvm = !strcmp(accel, "kvm");
	const char *argv[64] = {
		opt.qemu, "-machine", "q35", "-smp",
		/* The table of processors has one of each socket. */
		strf("%d,sockets=%d,cores=1,threads=1", opt.cpus, opt.cpus),
		/*
		 * Several CPUs take turns in one thread: in threads of their own one
		 * may run into an int3 that another patches, and find it gone.
		 */
		"-accel", kvm ? "kvm" : "tcg,thread=single",
		"-m", strf("%dM", opt.memory),
		"-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none",
		"-no-reboot", "-kernel", opt.kernel, "-initrd", strf("%s/initrd", opt.out),
		"-append", strf("%s %s%s%s", CMDLINE, opt.append, *append ? " " : "", append),
		"-chardev", strf("file,id=con,path=%s/console.log", opt.out),
		"-serial", "chardev:con",
		"-chardev", "stdio,id=res,signal=off", "-device", "virtio-serial-pci",
		"-device", "virtserialport,chardev=res,name=klp-sdk.results",
		"-cpu", kvm ? "host" : "qemu64",
	};
	int n = 0;

	while (argv[n])
		n++;
	/*
	 * Time by instruction count: while idle it jumps to the next timer, so
	 * that waiting, as for a transition's retry, takes no time. At 8 ns per
	 * instruction the kernel's delay loops are short. Not with several CPUs:
	 * each gets its turn only when another's time to the next timer is over,
	 * which may be all that there is, and 6.1 does not boot.
	 */
	if (!kvm && !opt.real_time && opt.cpus == 1) {
		argv[n++] = "-icount";
		argv[n++] = "shift=3,sleep=off";
	}
	execvp(opt.qemu, (char **)argv);
}

static int start_qemu(const char *accel, const char *append)
{
	char *log = strf("%s/qemu.log", opt.out);
	pid_t parent = getpid();
	int sv[2];

	/*
	 * Both ways, though nothing is ever sent: at end of file on its stdin
	 * QEMU would tell the guest that the port's host side is not connected.
	 */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		die("socketpair: %s", strerror(errno));
	qemu_pid = fork();
	if (qemu_pid < 0)
		die("fork: %s", strerror(errno));
	if (!qemu_pid) {
		int err = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);

		setpgid(0, 0);
		signal(SIGPIPE, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || err < 0 || dup2(sv[1], 0) < 0 ||
		    dup2(sv[1], 1) < 0 || dup2(err, 2) < 0)
			_exit(126);
		exec_qemu(accel, append);
		_exit(errno == ENOENT ? 127 : 126);
	}
	setpgid(qemu_pid, qemu_pid);	/* whoever of the two comes first */
	close(sv[1]);
	free(log);
	return sv[0];
}

static void got_line(struct run *r, const char *line, bool whole, long ms, bool relay, FILE *to)
{
	enum line_kind kind = verdict_line(&r->v, line, whole);

	if (!r->first_ms) {
		r->first_ms = ms;
		r->last_ms = ms;
		if (!r->v.plain)
			r->own.ms = 0;
	}
	/* A test that hangs may print for ever, or its result over and over. */
	if (kind == LINE_END || (kind == LINE_RESULT && r->v.results <= r->v.plan))
		r->own.ms = 0;
	if (kind == LINE_RESULT) {
		if (ms - r->last_ms >= r->slowest_ms) {
			r->slowest_ms = ms - r->last_ms;
			snprintf(r->slowest, sizeof(r->slowest), "%s", r->v.name);
		}
		r->last_ms = ms;
	}
	if ((fprintf(to, "%s\n", line) < 0 || fflush(to)) && !r->err)
		r->err = errno;
	if (relay && kind != LINE_NOTE && kind != LINE_END) {
		printf("%s\n", line);
		fflush(stdout);
	}
}

/* The test that was running when the guest died has a result, too */
static void died_running(struct run *r, bool relay, FILE *to)
{
	char *line;

	if (!r->v.running[0] || r->v.ended)
		return;
	line = strf("not ok %d - %s", r->v.results + 1, r->v.running);
	if (fprintf(to, "%s\n", line) < 0 && !r->err)
		r->err = errno;
	if (relay)
		printf("%s\n", line);
	free(line);
}

/* The limit to what the guest does now; a plain one may take @limit_s for all */
static int limit_of(const struct run *r, int limit_s)
{
	return !r->v.plain && !r->first_ms && limit_s < BOOT_S ? BOOT_S : limit_s;
}

/* Has the guest had all the time it may take? Looks at it now and then. */
static bool too_late(struct run *r, int limit_s)
{
	if (now_ms() - r->own.at_ms >= OWN_TIME_PERIOD_MS)
		own_time(&r->own);
	if (r->own.ms < (r->v.ended ? GRACE_MS : limit_of(r, limit_s) * 1000L))
		return false;
	*(r->v.ended ? &r->slow_off : &r->timed_out) = true;
	return true;
}

/* Boot, and collect results until the guest is gone */
static void run_vm(struct run *r, const char *accel, const char *append, int limit_s, bool relay)
{
	char *res = strf("%s/results.ktap", opt.out), buf[16384];
	long start = now_ms();
	FILE *to = fopen(res, "we");
	size_t len = 0;
	int fd;

	if (!to)
		die("cannot write %s: %s", res, strerror(errno));
	memset(r, 0, sizeof(*r));
	verdict_init(&r->v, opt.plain);
	fd = start_qemu(accel, append);
	own_time_start(&r->own, qemu_pid);
	while (!r->err && !too_late(r, limit_s)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char *line = buf, *nl;
		ssize_t n;

		if (poll(&p, 1, OWN_TIME_PERIOD_MS) == 0)
			continue;
		n = read(fd, buf + len, sizeof(buf) - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		for (char *c = buf + len; c < buf + len + n; c++)
			if (!*c)
				*c = '?';
		len += n;
		buf[len] = '\0';
		while ((nl = strchr(line, '\n'))) {
			*nl = '\0';
			got_line(r, line, true, now_ms() - start, relay, to);
			line = nl + 1;
		}
		len -= line - buf;
		memmove(buf, line, len + 1);
		if (len == sizeof(buf) - 1)
			break;
	}
	if (len)
		got_line(r, buf, false, now_ms() - start, relay, to);
	/* The stream may end before QEMU does; its time limit is the same */
	while (!r->timed_out && !r->slow_off && !r->err) {
		siginfo_t si = { 0 };

		if (waitid(P_PID, qemu_pid, &si, WEXITED | WNOWAIT | WNOHANG) || si.si_pid)
			break;
		too_late(r, limit_s);
		usleep(5000);
	}
	kill(-qemu_pid, SIGKILL);
	while (waitpid(qemu_pid, &r->status, 0) < 0 && errno == EINTR)
		;
	qemu_pid = 0;
	r->no_qemu = WIFEXITED(r->status) && WEXITSTATUS(r->status) == 127;
	close(fd);
	died_running(r, relay, to);
	if (fclose(to) && !r->err)
		r->err = errno;
	free(res);
}

/* Last line of a file, or "" */
static void last_line(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	char line[1024];

	buf[0] = '\0';
	while (f && fgets(line, sizeof(line), f))
		if (line[strspn(line, " \r\n")])
			snprintf(buf, size, "%.*s", (int)strcspn(line, "\r\n"), line);
	if (f)
		fclose(f);
}

/* QEMU says nothing of a log that it could not write; what is missing may be the splat */
static bool disk_full(void)
{
	struct statvfs st;
	unsigned long long blocks;

	if (statvfs(opt.out, &st) || !st.f_blocks)
		return false;
	blocks = geteuid() ? st.f_bavail : st.f_bfree;
	return blocks * st.f_frsize < ROOM;
}

/* The one line which says what went wrong; NULL if nothing did */
static char *judge(const struct run *r, int limit_s)
{
	char first[200], why[400], where[160], qlog[300], *path = strf("%s/qemu.log", opt.out);
	const struct verdict *v = &r->v;
	bool panic, good = verdict_stream(v, why, sizeof(why));
	char *log = strf("%s/console.log", opt.out);
	int bad = log_scan(log, first, sizeof(first), &panic);

	last_line(path, qlog, sizeof(qlog));
	if (r->no_qemu)
		return strf("%s not found; run 'make setup' or install qemu-system-x86", opt.qemu);
	if (r->err)
		return strf("cannot write %s/results.ktap: %s", opt.out, strerror(r->err));
	if (disk_full())
		return strf("the disk of %s is full, so the kernel log may be cut: make room",
			    opt.out);

	if (v->running[0])
		snprintf(where, sizeof(where), "test %d (%s)", v->results + 1, v->running);
	else if (v->results)
		snprintf(where, sizeof(where), "the time after test %d", v->results);
	else
		snprintf(where, sizeof(where), "boot");

	if (panic)
		return strf("kernel panic during %s: %s; see %s", where, first, log);
	if (r->timed_out)
		return strf("guest hung in %s, killed after %d s of its own time; see %s", where,
			    limit_of(r, limit_s), log);
	if (bad > 0)
		return strf("kernel log is not clean%s: %s; see %s",
			    good ? "" : " and tests failed", first, log);
	if (!r->first_ms && !(WIFEXITED(r->status) && !WEXITSTATUS(r->status)))
		return strf("QEMU failed: %s; see %s", qlog[0] ? qlog : "no message", path);
	if (bad < 0)
		return strf("cannot read the kernel log %s: %s", log, strerror(errno));
	if (!good && v->failed)
		return strf("%s; see %s/results.ktap", why, opt.out);
	return good ? NULL : strf("%s; see %s", why, log);
}

/*
 * /dev/kvm may open and yet fail every guest, so believe only a guest which
 * has booted. The answer holds for this host kernel and QEMU.
 */
static bool kvm_works(void)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *dir = cache && *cache ? strf("%s/klp-sdk", cache) :
		    strf("%s/.cache/klp-sdk", home ? home : "/tmp");
	char *path = strf("%s/kvm", dir), *key, *bin, *save, old[300];
	char *dirs = strf("%s", getenv("PATH") ? getenv("PATH") : "/usr/bin");
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct stat st = { 0 };
	struct utsname un;
	struct run r;
	bool plain = opt.plain, works;
	FILE *f;

	if (fd < 0)
		return false;
	close(fd);
	if (strchr(opt.qemu, '/'))
		stat(opt.qemu, &st);
	else
		for (bin = strtok_r(dirs, ":", &save); bin; bin = strtok_r(NULL, ":", &save))
			if (!stat(strf("%s/%s", bin, opt.qemu), &st))
				break;
	uname(&un);
	key = strf("%s %s %lld %lld ", un.release, un.version, (long long)st.st_mtime,
		   (long long)st.st_size);
	last_line(path, old, sizeof(old));
	if (!strncmp(old, key, strlen(key)))
		return !strcmp(old + strlen(key), "yes");

	opt.plain = true;
	run_vm(&r, "kvm", "klp_sdk.probe", PROBE_S, false);
	opt.plain = plain;
	works = r.v.ended && !r.slow_off;
	mkdir(cache && *cache ? cache : strf("%s/.cache", home ? home : "/tmp"), 0755);
	mkdir(dir, 0755);
	f = fopen(path, "we");		/* without a cache it's just probed again */
	if (f) {
		fprintf(f, "%s%s\n", key, works ? "yes" : "no");
		fclose(f);
	}
	return works;
}

static bool summarize(const struct run *r, bool good)
{
	int failed = r->v.failed;
	FILE *f = fopen(opt.summary, "ae");

	if (!f)
		return false;
	if (r->v.plan > r->v.results)
		failed += r->v.plan - r->v.results;
	if (!good && !failed)
		failed = 1;
	fprintf(f, "%s %d %d %d %ld %ld %ld %s\n", opt.name, r->v.passed, failed, r->v.skipped,
		r->first_ms, r->last_ms - r->first_ms, r->slowest_ms,
		r->slowest[0] ? r->slowest : "-");
	return fclose(f) == 0;
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "initrd", required_argument, NULL, 'i' },
		{ "out", required_argument, NULL, 'o' },
		{ "timeout", required_argument, NULL, 't' },
		{ "append", required_argument, NULL, 'a' },
		{ "name", required_argument, NULL, 'n' },
		{ "accel", required_argument, NULL, 'c' },
		{ "summary", required_argument, NULL, 's' },
		{ "memory", required_argument, NULL, 'm' },
		{ "cpus", required_argument, NULL, 'j' },
		{ "plain", no_argument, NULL, 'p' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "real-time", no_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	static const int fatal[] = { SIGINT, SIGTERM, SIGHUP };
	char *initrd = NULL, *why;
	struct run r;
	int c;

	opt.qemu = getenv("QEMU");
	if (!opt.qemu || !*opt.qemu)
		opt.qemu = "qemu-system-x86_64";
	opt.accel = getenv("KLP_SDK_ACCEL");
	if (!opt.accel || !*opt.accel)
		opt.accel = "tcg";
	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		switch (c) {
		case 'k':
			opt.kernel = optarg;
			break;
		case 'i':
			initrd = optarg;
			break;
		case 'o':
			opt.out = optarg;
			break;
		case 't':
			opt.timeout = atoi(optarg);
			break;
		case 'a':
			opt.append = optarg;
			break;
		case 'n':
			opt.name = optarg;
			break;
		case 'c':
			opt.accel = optarg;
			break;
		case 's':
			opt.summary = optarg;
			break;
		case 'm':
			opt.memory = atoi(optarg);
			break;
		case 'j':
			opt.cpus = atoi(optarg);
			break;
		case 'p':
			opt.plain = true;
			break;
		case 'q':
			opt.quiet = true;
			break;
		case 'r':
			opt.real_time = true;
			break;
		default:
			return 2;
		}
	}
	if (!opt.kernel || !initrd || !opt.out || opt.timeout <= 0 || opt.memory <= 0 ||
	    opt.cpus <= 0 || optind != argc)
		die(USAGE);
	if (strcmp(opt.accel, "tcg") && strcmp(opt.accel, "kvm") && strcmp(opt.accel, "auto"))
		die("unknown accelerator '%s'", opt.accel);
	if (access(opt.kernel, R_OK))
		die("cannot read %s: %s", opt.kernel, strerror(errno));
	/* A comma would end the path in a QEMU option */
	if (strchr(opt.out, ','))
		die("no comma allowed in '%s'", opt.out);
	if (mkdir(opt.out, 0777) && errno != EEXIST)
		die("cannot create %s: %s", opt.out, strerror(errno));

	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		signal(fatal[i], on_signal);
	signal(SIGPIPE, SIG_IGN);	/* the verdict is due even if nobody reads */
	build_initrd(initrd, strf("%s/initrd", opt.out));
	if (!strcmp(opt.accel, "auto"))
		opt.accel = kvm_works() ? "kvm" : "tcg";
	/* A log of last time must not be taken for this time's */
	if (unlink(strf("%s/console.log", opt.out)) && errno != ENOENT)
		die("cannot remove %s/console.log: %s", opt.out, strerror(errno));
	run_vm(&r, opt.accel, "", opt.timeout, !opt.quiet);
	if (r.slow_off && !opt.quiet)
		printf("# guest did not power off, killed %d s after its end\n", GRACE_MS / 1000);

	why = judge(&r, opt.timeout);
	if (why)
		fprintf(stderr, "klp-sdk: %s: %s\n", opt.name, why);
	if (opt.summary && !summarize(&r, !why)) {
		if (!why)
			fprintf(stderr, "klp-sdk: %s: cannot write %s: %s\n", opt.name, opt.summary,
				strerror(errno));
		return 1;
	}
	return why ? 1 : 0;
}
