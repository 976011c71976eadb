// SPDX-License-Identifier: GPL-2.0
/* Host test of the verdict: what must be green, and what must never be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verdict.h"

#define V "KTAP version 1\n"
#define E VERDICT_END "\n"

static const struct {
	const char *name;
	bool plain, good;
	const char *stream;
	const char *why;	/* what the reason must mention */
} streams[] = {
	{ "complete plan", false, true, V "1..2\n# x\nok 1 - a\nok 2 - b\n" E, NULL },
	{ "TAP version line", false, true, "TAP version 14\n1..1\nok 1 a\n" E, NULL },
	{ "skip", false, true, V "1..2\nok 1 - a # SKIP no\nok 2 - b\n" E, NULL },
	{ "not ok with SKIP", false, true, V "1..1\nnot ok 1 - a # SKIP no\n" E, NULL },
	{ "subtests are not results", false, true, V "1..1\n    ok 1 - s\nok 1 - a\n" E, NULL },
	{ "not ok with TODO", false, false, V "1..1\nnot ok 1 - a # TODO\n" E, "1 of 1" },
	{ "not ok", false, false, V "1..2\nok 1 - a\nnot ok 2 - b\n" E, "first test 2 (b)" },
	{ "empty stream", false, false, "", "no result at all" },
	{ "end marker only", false, false, E, "no result at all" },
	{ "cut between lines", false, false, V "1..3\nok 1 - a\nok 2 - b\n", "after test 2 of 3" },
	{ "cut, but marker", false, false, V "1..2\nok 1 - a\n" E, "after test 1 of 2" },
	{ "complete, no marker", false, false, V "1..1\nok 1 - a\n", "end marker" },
	{ "unterminated last result", false, false, V "1..1\nok 1 - a", "no result" },
	{ "unterminated marker", false, false, V "1..1\nok 1 - a\n" VERDICT_END, "cut" },
	{ "missing number", false, false, V "1..2\nok 1 - a\nok 3 - b\n" E, "numbered '3'" },
	{ "no number", false, false, V "1..1\nok - a\n" E, "numbered" },
	{ "duplicated number", false, false, V "1..2\nok 1 - a\nok 1 - a\n" E, "numbered '1'" },
	{ "one too many", false, false, V "1..1\nok 1 - a\nok 2 - b\n" E, "more results" },
	{ "no plan", false, false, V "ok 1 - a\n" E, "before the plan" },
	{ "plan 0", false, false, V "1..0\n" E, "no plan" },
	{ "plan of no number", false, false, V "1..x\nok 1 - a\n" E, "no plan" },
	{ "two plans", false, false, V "1..1\n1..1\nok 1 - a\n" E, "second plan" },
	{ "no version", false, false, "1..1\nok 1 - a\n" E, "no KTAP version" },
	{ "unknown line", false, false, V "1..1\nok 1 - a\nBail out!\n" E, "Bail out" },
	{ "garbage after the marker", false, false, V "1..1\nok 1 - a\n" E "x\n", "after the end" },
	{ "result after the marker", false, false, V "1..2\nok 1 - a\n" E "ok 2 - b\n", "cut" },
	{ "guest says fail", false, false, V "1..1\nok 1 - a\n# klp-sdk: fail x\n" E, "failed: x" },
	{ "plain text", true, true, "hello\nok 7\n" E, NULL },
	{ "plain, no marker", true, false, "hello\n", "end marker" },
	{ "plain, fail", true, false, "hello\n# klp-sdk: fail no patch\n" E, "failed: no patch" },
};

static const struct {
	bool bad;
	const char *line;
} logs[] = {
	{ true, "WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2" },
	{ true, "BUG: unable to handle page fault for address: 0" },
	{ true, "BUG kmalloc-64 (Tainted: G OE): Right Redzone overwritten" },
	{ true, "Oops: 0002 [#1] PREEMPT SMP NOPTI" },
	{ true, "Kernel panic - not syncing: sysrq triggered crash" },
	{ true, "general protection fault, probably for non-canonical address" },
	{ true, "INFO: possible irq lock inversion dependency detected" },
	{ true, "x: possible circular locking dependency detected" },
	{ true, "x: possible recursive locking detected" },
	{ true, "x: inconsistent lock state" },
	{ true, "x: suspicious RCU usage" },
	{ true, "KASAN: null-ptr-deref in range" },
	{ true, "ODEBUG: Out of memory. ODEBUG disabled" },
	{ true, "UBSAN: array-index-out-of-bounds in x.c" },
	{ true, "kmemleak: 2 new suspected memory leaks (see /sys/kernel/debug/kmemleak)" },
	{ true, "INFO: task init:1 blocked for more than 120 seconds." },
	{ true, "watchdog: x: soft lockup - CPU#0 stuck for 22s!" },
	{ true, "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:" },
	{ true, "rcu: INFO: rcu_preempt self-detected stall on CPU" },
	{ true, "Call Trace:" },
	{ true, "unreferenced object 0xffff888103e58000 (size 64):" },
	{ true, "DEBUG_LOCKS_WARN_ON(lock->magic != lock)" },
	{ true, "x: sleeping function called from invalid context at x.c:1" },
	{ true, "x: scheduling while atomic: init/1/0x00000002" },
	{ true, "x.c:1 module x func:f has 512 allocated at module unload" },
	{ true, "x: memory allocation(s) from the module still alive, cannot unload cleanly" },
	{ true, "list_add corruption. prev->next should be next" },
	{ true, "list_del corruption. next->prev should be" },
	{ true, "refcount_t: underflow; use-after-free." },
	{ false, "Linux version 6.1.0 (gcc (Debian 12.2.0-14) 12.2.0) #1 SMP" },
	{ false, "rcu: Hierarchical SRCU implementation." },
	{ false, "kmemleak: Kernel memory leak detector disabled" },
	{ false, "klp_x: tainting kernel with TAINT_LIVEPATCH" },
	{ false, "my_patch: DEBUG: 1" },
	{ true, "my_patch: DEBUG: 1 BUG: 2" },
	{ false, "module verification failed: signature and/or required key missing" },
};

static int count, failures;

static void report(bool ok, const char *what, const char *name)
{
	printf("%sok %d - %s: %s\n", ok ? "" : "not ", ++count, what, name);
	failures += !ok;
}

static bool run_stream(int i)
{
	char *copy = strdup(streams[i].stream), *s = copy, *nl, why[300] = "";
	struct verdict v;
	bool good;

	verdict_init(&v, streams[i].plain);
	for (; *s; s = nl ? nl + 1 : strchr(s, '\0')) {
		nl = strchr(s, '\n');
		if (nl)
			*nl = '\0';
		verdict_line(&v, s, nl);
	}
	good = verdict_stream(&v, why, sizeof(why));
	free(copy);
	if (good == streams[i].good && (good || strstr(why, streams[i].why)))
		return true;
	printf("# verdict %d, reason '%s'\n", good, why);
	return false;
}

static void whole_log(const char *name, const char *text, int bad, bool panics, const char *want)
{
	char path[] = "/tmp/klp-sdk-verdict-XXXXXX", first[200];
	int fd = mkstemp(path), got = -2;
	bool panic = false;

	if (fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text))
		got = log_scan(path, first, sizeof(first), &panic);
	report(got == bad && panic == panics && !strcmp(first, want), "log file", name);
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
}

int main(void)
{
	const int ns = ARRAY_SIZE(streams);
	const int nl = ARRAY_SIZE(logs);
	char first[200];
	bool panic;

	printf(V "1..%d\n", ns + nl + 6);
	for (int i = 0; i < ns; i++)
		report(run_stream(i), "stream", streams[i].name);
	for (int i = 0; i < nl; i++)
		report(log_line_bad(logs[i].line) == logs[i].bad,
		       logs[i].bad ? "bad log" : "good log", logs[i].line);
	whole_log("clean", "[    0.1] Linux\r\n[    0.2] x\r\n", 0, false, "");
	whole_log("panic", "[ 1.0] x\r\n[ 1.1] BUG: y\r\n[ 1.2] Kernel panic - z\r\n", 2, true,
		  "BUG: y");
	whole_log("dump_stack", "[ 1.0] sysfs: no\r\n[ 1.1] CPU: 0 PID: 1\r\n"
		  "[ 1.1] Hardware name: x\r\n[ 1.2] Call Trace:\r\n[ 1.3]  f+1/2\r\n", 1,
		  false, "sysfs: no");
	whole_log("WARN", "[ 1.0] x\r\n[ 1.1] ---[ cut here ]---\r\n[ 1.1] message\r\n"
		  "[ 1.2] WARNING: CPU: 0 PID: 1 at f\r\n[ 1.3] Call Trace:\r\n", 2, false,
		  "WARNING: CPU: 0 PID: 1 at f: message");
	whole_log("WARN_ON", "[ 1.0] x\r\n[ 1.1] ---[ cut here ]---\r\n"
		  "[ 1.2] WARNING: CPU: 0 PID: 1 at f\r\n[ 1.3] Call Trace:\r\n", 2, false,
		  "WARNING: CPU: 0 PID: 1 at f");
	report(log_scan("/nonexistent/log", first, sizeof(first), &panic) == -1,
	       "log file", "missing");
	return failures != 0;
}
