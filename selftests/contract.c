// SPDX-License-Identifier: GPL-2.0
/*
 * The contract, tested in the guest against the kernel's own core. A test is
 * named after the row of docs/contract.md that it proves.
 *
 * The test patches say in the kernel log which functions of a state run, so
 * that a test compares the whole sequence, across patches. /proc/cmdline is
 * the patched function: it shows what the readers see.
 */
#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "contract.h"
#include "fields.h"
#include "vm/guest.h"

bool forced;

static struct fields seen;
#define text	seen.text

/* What the patched function shows now, to be asked with val() and num(). */
void show(void)
{
	check(fields_read(&seen) > 0, "cannot read " PROC);
}

const char *val(const char *key)
{
	static char value[64];

	return field(&seen, key, value, sizeof(value));
}

long num(const char *key)
{
	const char *value = val(key);

	check(*value, "no %s in: %s", key, text);
	return strtol(value, NULL, 10);
}

const char *shown(void)
{
	return text;
}

/* The address of an object that the readers see. */
unsigned long ptr(const char *key)
{
	return strtoul(val(key), NULL, 16);
}

/*
 * The functions that ran since the mark, in their order, are just these:
 * "PATCH STATE FUNCTION...", ended by NULL.
 */
void events(const char *first, ...)
{
	const char *log = kmsg_since(), *want = first;
	const char *line, *end;
	char got[256];
	va_list ap;

	va_start(ap, first);
	for (line = log; *line; line = end + !!*end) {
		end = strchrnul(line, '\n');
		if (strncmp(line, "tp: ", 4))
			continue;
		snprintf(got, sizeof(got), "%.*s", (int)(end - line) - 4,
			 line + 4);
		check(want, "ran, and must not: %s", got);
		check(!strcmp(got, want), "ran: %s, instead of: %s", got, want);
		want = va_arg(ap, const char *);
	}
	va_end(ap);
	check(!want, "did not run: %s", want);
	kmsg_mark();
}

/* The one line of the SDK in the log has all these words, ended by NULL. */
void says(const char *first, ...)
{
	const char *word;
	va_list ap;

	check(kmsg_count("klp-sdk: ") == 1, "not one line of klp-sdk but %d:\n%s",
	      kmsg_count("klp-sdk: "), kmsg_since());
	va_start(ap, first);
	for (word = first; word; word = va_arg(ap, const char *))
		check(kmsg_has(word), "no '%s' in:\n%s", word, kmsg_since());
	va_end(ap);
	kmsg_mark();
}

void load(const char *name)
{
	check_ok(mod_load(name, ""));
	check_ok(klp_settle(name));
}

/* A patch that replaced others; their modules can be unloaded. */
void load_over(const char *name, const char *old)
{
	load(name);
	check_ok(klp_wait_gone(old));
	check_ok(mod_unload(old));
}

void refused(const char *name, const char *params, int error)
{
	int ret = mod_load(name, params);

	check(ret == error, "loading %s %s gave %d (%s), not %d", name, params,
	      ret, strerror(-ret), error);
	check(!klp_present(name), "%s is still there", name);
}

void disable(const char *name)
{
	check_ok(klp_write(name, "enabled", "0"));
	check_ok(klp_settle(name));
	/* The module of what was forced once stays. */
	if (forced)
		return;
	check_ok(klp_wait_gone(name));
	check_ok(mod_unload(name));
}

/* Start to enable or disable while a task sleeps in the patched function. */
pid_t begin_load(const char *name)
{
	pid_t pid = hold_start(PROC);

	check(pid > 0, "no task could be held");
	check_ok(mod_load(name, ""));
	sleep_ms(2500);
	check(klp_transition(name) == 1, "%s is not in transition", name);
	return pid;
}

pid_t begin_disable(const char *name)
{
	pid_t pid = hold_start(PROC);

	check(pid > 0, "no task could be held");
	check_ok(klp_write(name, "enabled", "0"));
	sleep_ms(2500);
	check(klp_transition(name) == 1, "%s is not in transition", name);
	return pid;
}

void release(pid_t pid)
{
	char buf[4096];

	check_ok(hold_release_all());
	check(!hold_finish(pid, buf, sizeof(buf)), "the held task failed");
	check_ok(klp_settle(NULL));
}

/* Turn a transition round, and let it end. */
void reverse(const char *name, pid_t pid, bool gone)
{
	check_ok(klp_write(name, "enabled", klp_enabled(name) ? "0" : "1"));
	release(pid);
	if (gone) {
		check_ok(klp_wait_gone(name));
		check_ok(mod_unload(name));
	} else {
		check(klp_enabled(name) == 1, "%s is not enabled", name);
	}
}

void check_works(const char *name)
{
	show();
	check(!strcmp(val("patch"), name), "not %s: %s", name, text);
	check(num("magic") == 1 && num("saved") == BASE_LEVEL &&
	      !strcmp(val("buf"), "alpha") && num("beta_live") == 1,
	      "the state is not sound: %s", text);
	check(console_level() == RAISED_LEVEL, "loglevel %ld", console_level());
	check_records();
}

#define A1_PREPARED	"tp_a1 alpha pre_patch", "tp_a1 beta pre_patch", \
			"tp_a1 gamma pre_patch"
#define A1_LIVE		"tp_a1 alpha post_patch live=0", \
			"tp_a1 beta post_patch", "tp_a1 gamma post_patch"
#define A1_LEAVING	"tp_a1 gamma pre_unpatch", "tp_a1 beta pre_unpatch", \
			"tp_a1 alpha pre_unpatch live=0"
#define A1_UNDONE	"tp_a1 gamma post_unpatch", "tp_a1 beta post_unpatch", \
			"tp_a1 alpha post_unpatch"

/* Row 1 */
static void test_01_enable(void)
{
	load("tp_a1");
	events(A1_PREPARED, A1_LIVE, NULL);
	check_works("tp_a1");
}

static void test_01_enable_in_transition(void)
{
	pid_t pid = begin_load("tp_a1");

	/* This task runs the new code already. */
	events(A1_PREPARED, NULL);
	show();
	check(!*val("alpha"), "alpha is live too early: %s", text);
	check(num("count") == 1 && num("beta_live") == 0, "%s", text);
	check(console_level() == BASE_LEVEL, "post_patch ran too early");

	release(pid);
	events(A1_LIVE, NULL);
	show();
	check(num("count") == 2, "beta is another object now: %s", text);
	check_works("tp_a1");
}

/* Row 2 */
static void test_02_pre_patch_fails_first(void)
{
	refused("tp_a1", "fail_state=alpha", -ENODEV);
	check(kmsg_has("tp_a1: state 'alpha' (id 101): pre_patch failed with -19"),
	      "%s", kmsg_since());
	events("tp_a1 alpha pre_patch", NULL);
}

static void test_02_pre_patch_fails_last(void)
{
	refused("tp_a1", "fail_state=gamma fail_error=-28", -ENOSPC);
	check(kmsg_count("klp-sdk: ") == 1 &&
	      kmsg_has("tp_a1: state 'gamma' (id 103)"), "%s", kmsg_since());
	/* In reverse, and before the core says that the callback failed. */
	check(strstr(kmsg_since(), "alpha post_unpatch") <
	      strstr(kmsg_since(), "pre-patch callback failed"),
	      "undone too late: %s", kmsg_since());
	events(A1_PREPARED, "tp_a1 beta post_unpatch",
	       "tp_a1 alpha post_unpatch", NULL);
}

static void test_02_pre_patch_positive(void)
{
	refused("tp_a1", "fail_state=beta fail_error=7", -EINVAL);
	check(!mod_loaded("tp_a1"), "the module stayed");
	says("state 'beta'", "failed with -22", NULL);
}

static void test_02_predecessor_untouched(void)
{
	load("tp_a1");
	kmsg_mark();
	refused("tp_delta", "fail_state=delta", -ENODEV);
	events("tp_delta delta pre_patch", NULL);
	check_works("tp_a1");
	disable("tp_a1");
	events(A1_LEAVING, A1_UNDONE, NULL);
}

/* Every allocation of the engine fails once, until none is left to fail. */
int exhaust(const char *name, int least)
{
	char params[32];
	int n, ret;

	for (n = 1; n < 64; n++) {
		snprintf(params, sizeof(params), "fail_alloc=%d", n);
		kmsg_mark();
		ret = mod_load(name, params);
		if (!ret)
			break;
		check(ret == -ENOMEM, "allocation %d: error %d", n, ret);
		check(kmsg_count("klp-sdk: ") == 1, "allocation %d: %d lines",
		      n, kmsg_count("klp-sdk: "));
	}
	check(n > least && n < 64, "only %d allocations", n - 1);
	out("# %s: each of %d allocations failed", name, n - 1);
	check_ok(klp_settle(name));
	return n;
}

static void test_02_no_memory(void)
{
	/* 2 arrays, 3 states of 3 each, and the root */
	exhaust("tp_a1", 11);
	check_works("tp_a1");
}

static void test_02_no_memory_replace(void)
{
	load("tp_a1");
	show();
	/* 2 arrays, 3 holders, and alpha's new object */
	exhaust("tp_a2", 5);
	check_ok(klp_wait_gone("tp_a1"));
	check_ok(mod_unload("tp_a1"));
	check_works("tp_a2");
	check(num("count") == 2, "beta did not survive: %s", text);
}

/* Row 3 */
static void test_03_core_fails(void)
{
	check_ok(mod_load("klp_sdk_block", ""));
	refused("tp_a1", "", -EBUSY);
	events(A1_PREPARED, A1_UNDONE, NULL);
	check_ok(mod_unload("klp_sdk_block"));
	load("tp_a1");
	check_works("tp_a1");
}

static void test_03_predecessor_untouched(void)
{
	/* It is nothing to the first patch, which has no function there. */
	load("tp_modonly");
	check_ok(mod_load("klp_sdk_block", ""));
	kmsg_mark();
	refused("tp_delta", "", -EBUSY);
	events("tp_delta delta pre_patch", "tp_delta delta post_unpatch", NULL);
	refused("tp_retire", "", -EBUSY);
	events("tp_retire alpha pre_unpatch live=0",
	       "tp_modonly alpha post_patch live=0", NULL);
	check(console_level() == RAISED_LEVEL, "level %ld", console_level());
	check_ok(mod_unload("klp_sdk_block"));
	load_over("tp_a2", "tp_modonly");
	check_works("tp_a2");
}

/* Row 4 */
static void test_04_enable_reversed(void)
{
	pid_t pid = begin_load("tp_a1");

	kmsg_mark();
	reverse("tp_a1", pid, true);
	events(A1_UNDONE, NULL);
	check(console_level() == BASE_LEVEL, "loglevel %ld", console_level());
	load("tp_a1");
	check_works("tp_a1");
}

/* Row 5 */
static void test_05_disable(void)
{
	load("tp_a1");
	kmsg_mark();
	disable("tp_a1");
	events(A1_LEAVING, A1_UNDONE, NULL);
	check(console_level() == BASE_LEVEL, "loglevel %ld", console_level());
	/* The record is gone: the state is introduced again. */
	load("tp_a1b");
	check(kmsg_has("tp_a1b alpha pre_patch"), "%s", kmsg_since());
	show();
	check(num("hits") == 1 && num("count") == 1, "old data: %s", text);
}

static void test_05_disable_in_transition(void)
{
	char buf[4096];
	pid_t pid;

	load("tp_a1");
	kmsg_mark();
	pid = begin_disable("tp_a1");
	events(A1_LEAVING, NULL);
	check(console_level() == BASE_LEVEL, "pre_unpatch did not run");
	check_ok(hold_release_all());
	/* It read the state as live before pre_unpatch, and uses it now. */
	check(!hold_finish(pid, buf, sizeof(buf)), "the held task failed");
	check(strstr(buf, "magic=1") && strstr(buf, "buf=alpha"), "%s", buf);
	check_ok(klp_settle(NULL));
	check_ok(klp_wait_gone("tp_a1"));
	events(A1_UNDONE, NULL);
}

/* Row 6 */
static void test_06_disable_reversed(void)
{
	unsigned long alpha;
	int i;

	load("tp_a1");
	show();
	alpha = ptr("alpha");
	for (i = 0; i < 2; i++) {
		kmsg_mark();
		reverse("tp_a1", begin_disable("tp_a1"), false);
		events(A1_LEAVING, A1_LIVE, NULL);
		check_works("tp_a1");
		check(ptr("alpha") == alpha, "other data: %s", text);
	}
	disable("tp_a1");
	events(A1_LEAVING, A1_UNDONE, NULL);
}

/* Row 7 */
static void test_07_replace_same_version(void)
{
	unsigned long alpha, beta;

	load("tp_a1");
	show();
	alpha = ptr("alpha");
	beta = ptr("beta");
	kmsg_mark();
	load_over("tp_a1b", "tp_a1");
	events("tp_a1b alpha adopt same=1 old_ok=1 live=1",
	       "tp_a1b beta adopt same=1", "tp_a1b gamma adopt same=1", NULL);
	check_works("tp_a1b");
	check(ptr("alpha") == alpha && ptr("beta") == beta,
	      "other objects: %s", text);
	check(num("hits") == 2 && num("count") == 2, "lost: %s", text);

	/* And back, for a patch may follow its successor's twin. */
	load_over("tp_a1", "tp_a1b");
	check_works("tp_a1");
	kmsg_mark();
	disable("tp_a1");
	events(A1_LEAVING, A1_UNDONE, NULL);
}

static void test_07_replace_in_transition(void)
{
	unsigned long alpha, beta;
	char buf[4096];
	pid_t pid;

	load("tp_a1");
	show();
	alpha = ptr("alpha");
	beta = ptr("beta");
	kmsg_mark();
	pid = begin_load("tp_a1b");
	events((char *)NULL);
	show();
	check(!strcmp(val("patch"), "tp_a1b") && ptr("alpha") == alpha &&
	      ptr("beta") == beta && num("beta_live") == 1,
	      "the new code does not see the data: %s", text);
	check_ok(hold_release_all());
	check(!hold_finish(pid, buf, sizeof(buf)), "the held task failed");
	check(strstr(buf, "patch=tp_a1 ") && strstr(buf, "hits=3"),
	      "the old code lost the data: %s", buf);
	check_ok(klp_settle(NULL));
	check_works("tp_a1b");
}

/* Row 8 */
static void test_08_replace_older(void)
{
	unsigned long beta;

	load("tp_a1");
	show();
	beta = ptr("beta");
	kmsg_mark();
	load_over("tp_a2", "tp_a1");
	events("tp_a2 alpha convert from=1 live=0 zeroed=1",
	       "tp_a2 alpha adopt same=0 old_ok=1 live=1", "tp_a2 beta grow",
	       "tp_a2 beta adopt same=1", "tp_a2 gamma adopt same=1", NULL);
	check_works("tp_a2");
	check(num("hits") == 2 && num("from") == 1, "converted: %s", text);
	check(ptr("beta") == beta && num("before") == 1 &&
	      num("count") == 2, "grown: %s", text);
	kmsg_mark();
	disable("tp_a2");
	check(kmsg_count("post_unpatch") == 3, "%s", kmsg_since());
}

static void test_08_convert_last_values(void)
{
	char buf[4096];
	pid_t pid;

	load("tp_a1");
	pid = begin_load("tp_a2");
	show();
	check(!strcmp(val("patch"), "tp_a2") && !*val("alpha"),
	      "alpha is live before it is converted: %s", text);
	check(*val("prev") && num("prev_saved") == BASE_LEVEL,
	      "the older object cannot be read: %s", text);
	check(num("before") == 0, "grown too early: %s", text);
	/* The held task writes through version 1's code before completion. */
	check_ok(hold_release_all());
	check(!hold_finish(pid, buf, sizeof(buf)), "the held task failed");
	check(strstr(buf, "patch=tp_a1 ") && strstr(buf, "hits=1"), "%s", buf);
	check_ok(klp_settle(NULL));
	check_works("tp_a2");
	check(num("hits") == 2, "the last value was lost: %s", text);
	check(!*val("prev"), "the older object is still shown: %s", text);
	check(num("before") == 2, "grown with old values: %s", text);
}

static void test_08_chain(void)
{
	load("tp_a1");
	load_over("tp_a2", "tp_a1");
	kmsg_mark();
	load_over("tp_a3", "tp_a2");
	check(kmsg_has("tp_a3 alpha convert from=2 live=0"), "%s", kmsg_since());
	check(!kmsg_has("beta grow"), "beta grew twice: %s", kmsg_since());
	check_works("tp_a3");
	disable("tp_a3");
	check(console_level() == BASE_LEVEL, "loglevel %ld", console_level());

	load("tp_a1");
	kmsg_mark();
	load_over("tp_a3", "tp_a1");
	check(kmsg_has("tp_a3 alpha convert from=1 live=0"), "%s", kmsg_since());
	check_works("tp_a3");
}

/* Row 9 */
static void test_09_no_migration(void)
{
	load("tp_a1");
	kmsg_mark();
	refused("tp_nomig", "", -EINVAL);
	says("tp_nomig: state 'alpha' (id 101)", "from version 1",
	     "to version 3", "tp_a1", NULL);
	check_works("tp_a1");
}

static void test_09_no_room_to_grow(void)
{
	load("tp_a1");
	kmsg_mark();
	refused("tp_huge", "", -EINVAL);
	says("tp_huge: state 'beta' (id 102)", "64 bytes", "room for 32", NULL);
	check_works("tp_a1");
	disable("tp_a1");
	load("tp_huge");
	check_works("tp_huge");
}

/* Row 13 */
static void reversed_over(const char *old, const char *new)
{
	unsigned long alpha, beta;
	long hits;

	show();
	alpha = ptr("alpha");
	beta = ptr("beta");
	hits = num("hits");
	kmsg_mark();
	reverse(new, begin_load(new), true);
	check_works(old);
	check(ptr("alpha") == alpha && ptr("beta") == beta,
	      "other objects: %s", text);
	check(num("hits") == hits + 2, "hits: %s", text);
}

static void test_13_replace_reversed(void)
{
	load("tp_a1");
	reversed_over("tp_a1", "tp_a1b");
	events((char *)NULL);
	reversed_over("tp_a1", "tp_a2");
	events((char *)NULL);
	reversed_over("tp_a1", "tp_delta");
	events("tp_delta delta pre_patch", "tp_delta delta post_unpatch", NULL);
	load_over("tp_a2", "tp_a1");
	check_works("tp_a2");
	reversed_over("tp_a2", "tp_a3");
	kmsg_mark();
	disable("tp_a2");
	check(kmsg_count("post_unpatch") == 3, "%s", kmsg_since());
}

static void test_13_disable_after(void)
{
	load("tp_a1");
	reversed_over("tp_a1", "tp_a2");
	kmsg_mark();
	disable("tp_a1");
	events(A1_LEAVING, A1_UNDONE, NULL);
	check(console_level() == BASE_LEVEL, "loglevel %ld", console_level());
}

static void test_13_try_again(void)
{
	load("tp_a1");
	reversed_over("tp_a1", "tp_a2");
	load_over("tp_a2", "tp_a1");
	check_works("tp_a2");
	check(num("from") == 1, "%s", text);
}

/* Row 10 */
#define DOWN_PREPARED	"tp_a2 beta pre_unpatch", \
			"tp_a2 alpha pre_unpatch live=0", \
			"tp_a1 alpha pre_patch", "tp_a1 beta pre_patch"

static void test_10_downgrade(void)
{
	load("tp_a2");
	show();
	kmsg_mark();
	load_over("tp_a1", "tp_a2");
	events(DOWN_PREPARED, "tp_a2 beta post_unpatch",
	       "tp_a2 alpha post_unpatch", "tp_a1 alpha post_patch live=0",
	       "tp_a1 beta post_patch", "tp_a1 gamma adopt same=1", NULL);
	check_works("tp_a1");
	check(num("hits") == 1 && num("count") == 1, "not afresh: %s", text);
	/* The core knows alpha at version 1 again: that may follow. */
	load_over("tp_a1b", "tp_a1");
	check_works("tp_a1b");
	load_over("tp_a2", "tp_a1b");
	check_works("tp_a2");
	check(num("from") == 1, "%s", text);
}

static void test_10_in_transition(void)
{
	pid_t pid;

	load("tp_a2");
	kmsg_mark();
	pid = begin_load("tp_a1");
	events(DOWN_PREPARED, NULL);
	check(console_level() == BASE_LEVEL, "the change is not reverted");
	show();
	check(!strcmp(val("patch"), "tp_a1") && !*val("alpha"),
	      "alpha is live too early: %s", text);
	release(pid);
	check_works("tp_a1");
}

static void test_10_permanent(void)
{
	/* Permanent as declared by the latest, not by the first. */
	load("tp_a1");
	load_over("tp_perm", "tp_a1");
	kmsg_mark();
	refused("tp_a1", "", -EINVAL);
	says("tp_a1: state 'alpha' (id 101)", "permanent at version 2 in tp_perm",
	     NULL);
	check_works("tp_perm");
	refused("tp_nostate", "", -EINVAL);
	says("tp_nostate: state 'alpha' (id 101) of tp_perm is permanent", NULL);
	check_works("tp_perm");
}

/* P's states leave in reverse of P's order, whatever N's order is. */
static void test_10_order(void)
{
	load("tp_a2");
	kmsg_mark();
	load_over("tp_drop", "tp_a2");
	events("tp_a2 gamma pre_unpatch", "tp_a2 beta pre_unpatch",
	       "tp_a2 alpha pre_unpatch live=0", "tp_drop beta pre_patch",
	       "tp_drop alpha pre_patch", "tp_a2 gamma post_unpatch",
	       "tp_a2 beta post_unpatch", "tp_a2 alpha post_unpatch",
	       "tp_drop beta post_patch", "tp_drop alpha post_patch live=0",
	       NULL);
	check_works("tp_drop");
}

/* Row 11 */
static void test_11_undeclared(void)
{
	load("tp_a1");
	kmsg_mark();
	load_over("tp_nogamma", "tp_a1");
	events("tp_a1 gamma pre_unpatch", "tp_a1 gamma post_unpatch",
	       "tp_nogamma alpha adopt same=1 old_ok=1 live=1",
	       "tp_nogamma beta adopt same=1", NULL);
	check_works("tp_nogamma");
	/* It is gone, for the core as well, and can be introduced. */
	load_over("tp_s3", "tp_nogamma");
	check_works("tp_s3");
	kmsg_mark();
	load_over("tp_a1", "tp_s3");
	check(kmsg_has("tp_a1 gamma pre_patch") &&
	      kmsg_has("tp_a1 gamma post_patch"), "%s", kmsg_since());
	check_works("tp_a1");
}

static void test_11_nothing_declared(void)
{
	load("tp_a1");
	kmsg_mark();
	load_over("tp_nostate", "tp_a1");
	events(A1_LEAVING, A1_UNDONE, NULL);
	check(console_level() == BASE_LEVEL, "level %ld", console_level());
}

/* Row 12 */
static void test_12_retire(void)
{
	load("tp_a1");
	kmsg_mark();
	load_over("tp_retire", "tp_a1");
	events("tp_retire alpha pre_unpatch live=0",
	       "tp_retire alpha post_unpatch", "tp_retire beta adopt same=1",
	       "tp_retire gamma adopt same=1", NULL);
	check(console_level() == BASE_LEVEL, "level %ld", console_level());
	show();
	check(!*val("alpha"), "alpha is live: %s", text);
	/* The core does not list alpha any more: it starts afresh. */
	kmsg_mark();
	load_over("tp_a1b", "tp_retire");
	check(kmsg_has("tp_a1b alpha pre_patch"), "%s", kmsg_since());
	check_works("tp_a1b");
}

static void test_12_retire_nothing(void)
{
	load("tp_retire");
	check(!kmsg_has("alpha"), "%s", kmsg_since());
	disable("tp_retire");
	load("tp_a1");
	kmsg_mark();
	refused("tp_retire2", "", -EINVAL);
	says("tp_retire2: state 'alpha' (id 101): tp_a1 has version 1, version 2 is retired",
	     NULL);
	check_works("tp_a1");
}

static void test_12_retire_refused(void)
{
	load("tp_a1");
	kmsg_mark();
	refused("tp_retire3", "", -EINVAL);
	says("tp_retire3: state 'alpha' (id 101)", "set .replace", NULL);
	refused("tp_retire4", "", -EINVAL);
	says("tp_retire4: state 'alpha' (id 101)", "24 bytes", "32 here", NULL);
	check_works("tp_a1");
}

/* Row 13, for the states that leave */
static void test_13_downgrade_reversed(void)
{
	load("tp_a2");
	kmsg_mark();
	reversed_over("tp_a2", "tp_a1");
	events(DOWN_PREPARED, "tp_a1 beta post_unpatch",
	       "tp_a1 alpha post_unpatch", "tp_a2 alpha post_patch live=0",
	       "tp_a2 beta post_patch", NULL);
	load_over("tp_a3", "tp_a2");
	check_works("tp_a3");
}

static void test_13_undeclared_reversed(void)
{
	load("tp_a1");
	reversed_over("tp_a1", "tp_nogamma");
	events("tp_a1 gamma pre_unpatch", "tp_a1 gamma post_patch", NULL);
	disable("tp_a1");
	events(A1_LEAVING, A1_UNDONE, NULL);
}

static void test_13_retire_reversed(void)
{
	load("tp_a1");
	reversed_over("tp_a1", "tp_retire");
	events("tp_retire alpha pre_unpatch live=0",
	       "tp_a1 alpha post_patch live=0", NULL);
	disable("tp_a1");
	events(A1_LEAVING, A1_UNDONE, NULL);
}

static void test_13_grow_reversed_is_clean(void)
{
	pid_t pid;

	load("tp_a1");
	pid = hold_start(PROC);
	check(pid > 0, "no task could be held");
	check_ok(mod_load("tp_a2", "scribble=1"));
	sleep_ms(2500);
	show();
	check(num("before") == 77, "version 2 did not run: %s", text);
	reverse("tp_a2", pid, true);

	pid = begin_load("tp_a2");
	show();
	check(num("before") == 0, "left by a reversed transition: %s", text);
	release(pid);
}

/* Rows 14 to 16 */
static void test_14_second_holder_refused(void)
{
	load("tp_a1");
	kmsg_mark();
	refused("tp_stack", "", -EBUSY);
	says("tp_stack: state 'alpha' (id 101): held by tp_a1", NULL);
	check_works("tp_a1");
}

static void stacked(const char *first, const char *second)
{
	unsigned long alpha;

	load("tp_s1");
	show();
	alpha = ptr("alpha");
	kmsg_mark();
	load("tp_s2");
	events((char *)NULL);
	check_works("tp_s2");
	check(ptr("alpha") == alpha && num("hits") == 2, "not shared: %s", text);
	disable(first);
	events((char *)NULL);
	check_works(second);
	check(ptr("alpha") == alpha && num("hits") == 3, "lost: %s", text);
	disable(second);
	check(kmsg_count("unpatch") && kmsg_count("alpha post_unpatch") == 1 &&
	      kmsg_count("beta post_unpatch") == 1, "%s", kmsg_since());
	check(console_level() == BASE_LEVEL, "level %ld", console_level());
}

static void test_14_stacked_fifo(void)
{
	stacked("tp_s1", "tp_s2");
}

static void test_14_stacked_lifo(void)
{
	stacked("tp_s2", "tp_s1");
}

static void test_14_stacked_reversed(void)
{
	load("tp_s1");
	kmsg_mark();
	reverse("tp_s2", begin_load("tp_s2"), true);
	events((char *)NULL);
	check_works("tp_s1");
	load("tp_s2");
	reverse("tp_s2", begin_disable("tp_s2"), false);
	events((char *)NULL);
	check_works("tp_s2");
}

/* Permanent as soon as one of the holders says so, and as long as one does. */
static void test_14_stacked_permanent(void)
{
	load("tp_s1");
	load("tp_s2p");
	view("tp_s1", "101 1 24 SP vmlinux alpha", "102 1 8 S vmlinux beta", NULL);
	kmsg_mark();
	refused("tp_nostate", "", -EINVAL);
	says("tp_nostate: state 'alpha' (id 101) of tp_s2p is permanent", NULL);
	disable("tp_s1");
	kmsg_mark();
	refused("tp_nostate", "", -EINVAL);
	says("tp_nostate: state 'alpha' (id 101) of tp_s2p is permanent", NULL);
	load("tp_s1");
	view("tp_s1", "101 1 24 SP vmlinux alpha tp_s2p:live tp_s1:live\n", NULL);
	kmsg_mark();
	refused("tp_nostate", "", -EINVAL);
	says("tp_nostate: state 'alpha' (id 101) of tp_s2p is permanent", NULL);
	disable("tp_s2p");
	view("tp_s1", "101 1 24 S vmlinux alpha", NULL);
	load("tp_nostate");
	check_ok(klp_wait_gone("tp_s1"));
	check(console_level() == BASE_LEVEL, "level %ld", console_level());
}

static void test_15_stacked_other_version(void)
{
	load("tp_s1");
	kmsg_mark();
	refused("tp_s4", "", -EBUSY);
	says("tp_s4: state 'alpha' (id 101): version 1 is held by tp_s1", NULL);
	check_works("tp_s1");
}

static void test_16_replace_several(void)
{
	unsigned long alpha;

	load("tp_s1");
	load("tp_s2");
	show();
	alpha = ptr("alpha");
	reverse("tp_s3", begin_load("tp_s3"), true);
	check_works("tp_s2");
	kmsg_mark();
	load("tp_s3");
	check_ok(klp_wait_gone("tp_s1"));
	check_ok(klp_wait_gone("tp_s2"));
	check_ok(mod_unload("tp_s1"));
	check_ok(mod_unload("tp_s2"));
	events((char *)NULL);
	check_works("tp_s3");
	check(ptr("alpha") == alpha, "other data: %s", text);
	disable("tp_s3");
	check(kmsg_count("alpha post_unpatch") == 1, "%s", kmsg_since());
}

/* Rows 20 and 21 */
static void test_20_raw_predecessor(void)
{
	load("tp_raw");
	kmsg_mark();
	load_over("tp_a1", "tp_raw");
	events("tp_a1 alpha adopt same=1 old_ok=1 live=1",
	       "tp_a1 beta adopt same=1", "tp_a1 gamma adopt same=1", NULL);
	check_works("tp_a1");
	disable("tp_a1");
	events(A1_LEAVING, A1_UNDONE, NULL);
}

static void test_20_raw_predecessor_older(void)
{
	load("tp_raw");
	kmsg_mark();
	refused("tp_a2", "", -EINVAL);
	says("tp_a2: state 'beta' (id 102): held at version 1 by a livepatch without",
	     "whose data cannot grow in place; add a KLP_SDK_CONVERT()", NULL);
	load_over("tp_perm", "tp_raw");
	check(kmsg_has("tp_perm alpha convert from=1 live=0 zeroed=1"), "%s",
	      kmsg_since());
	check_works("tp_perm");
}

/*
 * Data that is no kmalloc() object of its own is copied, or converted, with its last
 * values, and is the raw patch's to free; tp_rawmem says if somebody else has.
 */
static void raw_memory(const char *where)
{
	char params[32], buf[4096];
	pid_t pid;

	note("the data is %s", where);
	snprintf(params, sizeof(params), "where=%s", where);
	check_ok(mod_load("tp_rawmem", params));
	check_ok(klp_settle("tp_rawmem"));
	show();
	reverse("tp_a1", begin_load("tp_a1"), true);
	reverse("tp_perm", begin_load("tp_perm"), true);
	kmsg_mark();
	pid = begin_load("tp_a1");
	show();
	check(!*val("alpha"), "alpha is live before it is copied: %s", text);
	check_ok(hold_release_all());
	check(!hold_finish(pid, buf, sizeof(buf)), "the held task failed");
	check(strstr(buf, "hits=44"), "%s", buf);
	check_ok(klp_settle(NULL));
	check(kmsg_has("tp_a1 alpha adopt same=0 old_ok=1 live=1"), "%s",
	      kmsg_since());
	check_ok(klp_wait_gone("tp_rawmem"));
	check_ok(mod_unload("tp_rawmem"));
	check_works("tp_a1");
	check(num("hits") == 45, "not the last value: %s", text);
	check_dangling();
	disable("tp_a1");

	check_ok(mod_load("tp_rawmem", params));
	check_ok(klp_settle("tp_rawmem"));
	load_over("tp_perm", "tp_rawmem");
	check_works("tp_perm");
	check(num("hits") == 41 && num("from") == 1, "%s", text);
	disable("tp_perm");
	check(!kmsg_has(" BAD "), "%s", kmsg_since());
}

static void test_20_raw_memory(void)
{
	raw_memory("static");
	raw_memory("vmalloc");
	raw_memory("cache");
	raw_memory("inside");
	raw_memory("pages");

	note("there is none");
	check_ok(mod_load("tp_rawmem", "where=none"));
	check_ok(klp_settle("tp_rawmem"));
	kmsg_mark();
	refused("tp_a1", "", -EINVAL);
	says("tp_a1: state 'alpha' (id 101)", "has the state without data",
	     "disable that patch first", NULL);
	disable("tp_rawmem");
	check_ok(mod_load("tp_rawmem", "where=bad"));
	check_ok(klp_settle("tp_rawmem"));
	kmsg_mark();
	refused("tp_a1", "", -EINVAL);
	says("tp_a1: state 'alpha' (id 101)", "there are no 24 bytes to be read",
	     NULL);
	disable("tp_rawmem");
	check_ok(mod_load("tp_rawmem", "id=236 where=small"));
	check_ok(klp_settle("tp_rawmem"));
	kmsg_mark();
	refused("tp_room_large", "", -EINVAL);
	says("tp_room_large: state 'room' (id 236): version 1 has at most 64 bytes in a livepatch without klp-sdk; correct the type",
	     NULL);
	disable("tp_rawmem");
	load("tp_a1");
	check_works("tp_a1");
}

/* What a raw patch allocated has no room but what it is known to need. */
static void test_20_raw_has_no_room(void)
{
	load("tp_raw");
	load_over("tp_a1", "tp_raw");
	kmsg_mark();
	refused("tp_a2", "", -EINVAL);
	says("tp_a2: state 'beta' (id 102)", "room for 8", NULL);
	check_works("tp_a1");
}

static void test_20_raw_above(void)
{
	load("tp_a1");
	check_ok(mod_load("tp_raw", "stacked=1"));
	check_ok(klp_settle("tp_raw"));
	kmsg_mark();
	refused("tp_a1b", "", -EBUSY);
	says("tp_a1b: state 'alpha' (id 101): held by tp_a1, and by a livepatch without",
	     NULL);
	disable("tp_raw");
	check_works("tp_a1");
}

static void test_20_raw_predecessor_reversed(void)
{
	load("tp_raw");
	reverse("tp_perm", begin_load("tp_perm"), true);
	reverse("tp_a1", begin_load("tp_a1"), true);
	check(console_level() == RAISED_LEVEL, "level %ld", console_level());
	kmsg_mark();
	disable("tp_raw");
	events("tp_raw frees alpha gamma", NULL);
}

/* The raw patch goes on until the end, and has other data then. */
static void test_20_raw_moves(void)
{
	static const char move[] = "/sys/module/tp_raw/parameters/move";
	pid_t pid;

	load("tp_raw");
	pid = begin_load("tp_a1");
	check_ok(file_write(move, "1"));
	reverse("tp_a1", pid, true);
	kmsg_mark();
	pid = begin_load("tp_a1");
	check_ok(file_write(move, "1"));
	release(pid);
	check(kmsg_has("tp_a1 alpha adopt same=1 old_ok=1 live=1"), "%s",
	      kmsg_since());
	check_ok(klp_wait_gone("tp_raw"));
	check_ok(mod_unload("tp_raw"));
	check_works("tp_a1");
	check(num("hits") == 201, "%s", text);
	disable("tp_a1");

	load("tp_raw");
	pid = begin_load("tp_perm");
	check_ok(file_write(move, "1"));
	release(pid);
	check_ok(klp_wait_gone("tp_raw"));
	check_works("tp_perm");
	check(num("hits") == 101 && num("from") == 1, "%s", text);
}

static void test_20_raw_refused(void)
{
	check_ok(mod_load("tp_raw", ""));
	check_ok(klp_settle("tp_raw"));
	kmsg_mark();
	refused("tp_nomig", "", -EINVAL);
	kmsg_mark();
	/* Its states are not known to be undone by anybody. */
	refused("tp_nostate", "", -EINVAL);
}

static void test_21_raw_successor(void)
{
	load("tp_a1");
	show();
	kmsg_mark();
	load_over("tp_raw", "tp_a1");
	events("tp_raw inherits magic=1 saved=5 hits=1 buf=alpha", NULL);
	disable("tp_raw");
	events("tp_raw frees alpha gamma", NULL);
	/* The record is stale: what it shows was freed. */
	load("tp_a1");
	events(A1_PREPARED, A1_LIVE, NULL);
	check_works("tp_a1");
}

static void test_21_raw_between(void)
{
	load("tp_a1");
	show();
	load_over("tp_raw", "tp_a1");
	reverse("tp_perm", begin_load("tp_perm"), true);
	kmsg_mark();
	load_over("tp_a1b", "tp_raw");
	events("tp_a1b alpha adopt same=1 old_ok=1 live=1",
	       "tp_a1b beta adopt same=1", "tp_a1b gamma adopt same=1", NULL);
	check_works("tp_a1b");
	check(num("hits") == 2, "lost: %s", text);
}

static void test_21_stale_not_declared(void)
{
	load("tp_a1");
	load_over("tp_raw", "tp_a1");
	kmsg_mark();
	refused("tp_nostate", "", -EINVAL);
	disable("tp_raw");
	load("tp_nostate");
	check(!kmsg_has("tp_a1 "), "%s", kmsg_since());
}

/* Row 22 */
void poke(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/klp_sdk_poke/parameters/%s",
		 name);
	if (!mod_loaded("klp_sdk_poke"))
		check_ok(mod_load("klp_sdk_poke", ""));
	check_ok(file_write(path, value));
}

void refused_poked(const char *name, const char *wrong, const char *right)
{
	poke(name, wrong);
	kmsg_mark();
	refused("tp_a1b", "", -EPROTO);
	says("tp_a1b: the system's records are of a release of klp-sdk that",
	     NULL);
	refused("tp_nostate", "", -EPROTO);
	says("tp_nostate: the system's records are of a release", NULL);
	poke(name, right);
	check_works("tp_a1");
}

/* Row 22: each part of a record and of a holder that an engine must know. */
static void test_22_unknown_release(void)
{
	load("tp_a1");
	refused_poked("root_abi", "2", "1");
	refused_poked("root_grown", "-8", "0");
	refused_poked("record_abi", "2", "1");
	refused_poked("record_grown", "-8", "0");
	refused_poked("record_flags", "0x100", "0");
	refused_poked("holder_abi", "2", "1");
	refused_poked("holder_grown", "-8", "0");
	refused_poked("holder_flags", "0x100", "0");
	refused_poked("holder_slots_size", "8", "16");
	refused_poked("holder_fns_size", "32", "40");
	refused_poked("holder_nr_back", "100", "0");
	load_over("tp_a1b", "tp_a1");
	check_works("tp_a1b");
}

/* Row 22: what a later release has appended. */
static void test_22_newer_release(void)
{
	load("tp_a1");
	poke("root_grown", "16");
	poke("record_grown", "64");
	poke("record_hints", "5");
	poke("holder_grown", "16");
	poke("holder_hints", "5");
	poke("holder_slots_size", "24");
	poke("holder_fns_size", "48");
	load_over("tp_a1b", "tp_a1");
	check_works("tp_a1b");
	check(file_int("/sys/module/klp_sdk_poke/parameters/record_hints") == 5,
	      "the hints are lost");
	disable("tp_a1b");
	check(kmsg_count("post_unpatch") == 3, "%s", kmsg_since());
}

/* Row 24 */
static void test_24_duplicate_id(void)
{
	refused("tp_dup", "", -EINVAL);
	says("tp_dup: state 'beta' (id 102)", "'alpha'", "same id", NULL);
}

static void test_24_no_terminator(void)
{
	refused("tp_noterm", "", -EINVAL);
	says("tp_noterm: object 'vmlinux'", "no empty entry", NULL);
}

static void test_24_object_twice(void)
{
	refused("tp_twice", "", -EINVAL);
	says("tp_twice: object 'vmlinux' is listed twice", NULL);
}

static void test_24_migration_from_newer(void)
{
	refused("tp_newer", "", -EINVAL);
	says("tp_newer: state 'alpha' (id 101)", "from version 2", NULL);
}

static void test_24_other_size(void)
{
	load("tp_a1");
	kmsg_mark();
	refused("tp_size", "", -EINVAL);
	says("tp_size: state 'alpha' (id 101)", "24 bytes", "32 here", NULL);
	check_works("tp_a1");
}

static void test_24_other_name(void)
{
	load("tp_a1");
	disable("tp_a1");
	load("tp_swap");
	kmsg_mark();
	refused("tp_a1", "", -EINVAL);
	says("tp_a1: state 'gamma' (id 103)", "state 'alpha' of tp_swap", NULL);
	check_works("tp_swap");
}

/* Each is refused with one line, that of the module's parameter. */
static void refused_as(const char *const cases[][2])
{
	char param[40];

	for (; (*cases)[0]; cases++) {
		snprintf(param, sizeof(param), "as=%s", (*cases)[0]);
		note("%s", param);
		refused("tp_bad", param, -EINVAL);
		says((*cases)[1], NULL);
	}
}

static void test_24_functions(void)
{
	static const char *const cases[][2] = {
		{ "no-old", "tp_bad: object 'vmlinux', function 2: it has no .old_name; " },
		{ "empty-old", "tp_bad: object 'vmlinux', function 2: it has no .old_name; " },
		{ "long-old",
		  "function 2: .old_name has 512 letters, no symbol has more than 511" },
		{ "no-new", "function 2: 'loadavg_proc_show' has no .new_func; " },
		{ "data", "function 2: .new_func of 'loadavg_proc_show' is data" },
		{ "init", "function 2: .new_func of 'loadavg_proc_show' is data, or is freed" },
		{ "initdata",
		  "object 'vmlinux': the functions are freed after the module's init" },
		{ "nop", "function 2: 'loadavg_proc_show' has no .new_func; " },
		{ "nop-too",
		  "function 2: 'loadavg_proc_show' sets fields that are the core's" },
		{ "old-func",
		  "function 2: 'loadavg_proc_show' sets fields that are the core's" },
		{ "twice", "function 2: 'cmdline_proc_show' is function 1 as well; keep one" },
		{ "twice-first",
		  "function 2: 'cmdline_proc_show' is function 1 as well; keep one" },
		{ "twice-third",
		  "function 2: 'cmdline_proc_show' is function 1 as well; keep one" },
		{ "half-numbered", "one of them has no .old_sympos; number both from 1" },
		{ "middle",
		  "object 'vmlinux': the functions have an empty entry before the last" },
		{ NULL }
	};

	refused_as(cases);
	/* It knows what is there, and says so. */
	refused("tp_bad", "as=second", -EINVAL);
	check(kmsg_has("symbol position 2 for symbol 'cmdline_proc_show'"), "%s",
	      kmsg_since());
	refused("tp_bad", "as=unknown", -EINVAL);
	check(kmsg_has("symbol 'tp_no_such_function' not found"), "%s", kmsg_since());
}

static void test_24_lists(void)
{
	static const char *const cases[][2] = {
		{ "object-twice", "tp_bad: object 'tp_mod1' is listed twice; " },
		{ "object-self", "tp_bad: KLP_SDK_OBJECT(): 'tp_bad' is this patch itself; " },
		{ "object-dash",
		  "tp_bad: KLP_SDK_OBJECT(): 'tp-mod1' is no name of a module; " },
		{ "object-blank",
		  "tp_bad: KLP_SDK_OBJECT(): 'tp_mod1 ' is no name of a module; " },
		{ "object-bare",
		  "tp_bad: object 'tp_mod1', entry 1 of .objs, has no functions; " },
		{ "object-empty",
		  "tp_bad: object 'vmlinux', entry 2 of .objs, has no functions; " },
		{ "object-own",
		  ".objs, entry 1: it is in an array of your own; list it with KLP_SDK_OBJECTS()" },
		{ "array-shared", "object 'tp_mod2' has the functions of object 'tp_mod1'; " },
		{ "array-tail", "object 'tp_mod2' has the functions of object 'tp_mod1'; " },
		{ "array-head", "object 'tp_mod1' has the functions of object 'tp_mod2'; " },
		{ "state-null",
		  "tp_bad: .states, entry 2: it is NULL, and the list would end there; " },
		{ "state-first",
		  "tp_bad: .states, entry 1: it is NULL, and the list would end there; " },
		{ "state-twice", "tp_bad: state 'one' (id 601): it is listed twice; " },
		{ "state-self", "tp_bad: self: 'tp_bad' is this patch itself; " },
		{ "state-blank", "tp_bad: blank: 'tp_mod1" },
		{ "state-empty", "tp_bad: empty: '' is no name of a module; " },
		{ "state-own",
		  ".states, entry 1: it is in an array of your own; list it with KLP_SDK_STATES()" },
		{ "back-same",
		  "state 'same' (id 607): the way back to version 2 is not to an older one" },
		{ "back-twice", "state 'both' (id 608): two ways back to version 1; keep one" },
		{ "shadow-null",
		  "state 'holes' (id 606): .shadows, entry 2: it is NULL, and the list would end" },
		{ "nothing",
		  "tp_bad: the patch has no objects and no states and replaces no other; " },
		{ "patch", "tp_bad: .patch is the SDK's, and is set or was enabled before; " },
		{ "no-module", "klp-sdk: a patch has no module; " },
		{ NULL }
	};

	refused_as(cases);
}

/* The mistake that the parameter asks for is refused, and the patch stays as it is. */
static void refused_live(const char *as, const char *line)
{
	char buf[256];
	int ret;

	note("%s", as);
	ret = file_write("/sys/module/tp_bad/parameters/as", as);
	check(ret == -EINVAL, "gave %d", ret);
	says(line, NULL);
	check(file_read(PROC, buf, sizeof(buf)) > 0 &&
	      strstr(buf, "patch=tp_bad"), "%s", buf);
}

/* A patch is enabled once, by its module's init; two functions may have one new one. */
static void test_24_enable(void)
{
	char buf[256];

	load("tp_bad");
	check(file_read("/proc/loadavg", buf, sizeof(buf)) > 0 &&
	      strstr(buf, "patch=tp_bad"), "%s", buf);
	kmsg_mark();
	refused_live("again", "tp_bad: .patch is the SDK's, and is set or was enabled before; ");
	refused_live("late", "tp_bad: a patch is enabled by the init of its module only; ");
	disable("tp_bad");

	/* A NULL at the end of a list loses nothing, nor does one alone. */
	check_ok(mod_load("tp_bad", "as=state-last"));
	check_ok(klp_settle("tp_bad"));
	view("tp_bad", "601 ", NULL);
	disable("tp_bad");
	check_ok(mod_load("tp_bad", "as=state-none"));
	check_ok(klp_settle("tp_bad"));
	disable("tp_bad");
}

/* The core says nothing of why it refuses. */
static void test_24_transition(void)
{
	pid_t pid = begin_load("tp_a1");

	kmsg_mark();
	refused("tp_bad", "", -EBUSY);
	says("tp_bad: another patch is in transition; load this one again", NULL);
	release(pid);
	check_works("tp_a1");
	disable("tp_a1");
}

/* Row 25 */
static void test_25_absent_module_only(void)
{
	load("tp_modonly");
	check(kmsg_has("tp_modonly alpha pre_patch") &&
	      kmsg_has("tp_modonly alpha post_patch live=0"), "%s", kmsg_since());
	check(console_level() == RAISED_LEVEL, "loglevel %ld", console_level());
	load_over("tp_a1", "tp_modonly");
	check_works("tp_a1");
	kmsg_mark();
	load_over("tp_modonly", "tp_a1");
	check(kmsg_has("tp_modonly alpha adopt same=1"), "%s", kmsg_since());
	kmsg_mark();
	disable("tp_modonly");
	check(kmsg_count("post_unpatch") == 3, "%s", kmsg_since());
	check(console_level() == BASE_LEVEL, "loglevel %ld", console_level());
}

/* The list of live states, as an administrator reads it. */
void view(const char *patch, const char *first, ...)
{
	char path[128], buf[4096];
	const char *want;
	va_list ap;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/klp_sdk_states",
		 patch);
	check(file_read(path, buf, sizeof(buf)) > 0, "cannot read %s", path);
	va_start(ap, first);
	for (want = first; want; want = va_arg(ap, const char *))
		check(strstr(buf, want), "no '%s' in:\n%s", want, buf);
	va_end(ap);
}

static void test_view(void)
{
	pid_t pid;

	refused("tp_a1", "klp_sdk_states=1", -EPERM);
	load("tp_a1");
	view("tp_a1", "101 1 24 - vmlinux alpha tp_a1:live\n",
	     "102 1 8 - vmlinux beta tp_a1:live\n", "103 1 8 - vmlinux gamma tp_a1:live\n", NULL);
	pid = begin_load("tp_a2");
	view("tp_a1", "101 1 24 - vmlinux alpha tp_a1:live tp_a2:prepared\n", NULL);
	release(pid);
	view("tp_a2", "101 2 32 - vmlinux alpha tp_a2:live\n",
	     "102 2 16 - vmlinux beta tp_a2:live\n", NULL);
	pid = begin_load("tp_a1b");
	view("tp_a1b", "101 2 32 - vmlinux alpha tp_a2:leaving\n",
	     "101 1 24 - vmlinux alpha tp_a1b:prepared\n", NULL);
	reverse("tp_a1b", pid, true);
	pid = begin_disable("tp_a2");
	view("tp_a2", "alpha tp_a2:leaving\n", NULL);
	release(pid);
	load("tp_s1");
	load("tp_s2");
	view("tp_s1", "101 1 24 S vmlinux alpha tp_s1:live tp_s2:live\n", NULL);
	load("tp_nostate");
	view("tp_nostate", "id version size flags object name holders\n", NULL);
}

/* The example, as its users would run it. */
static void test_example_loglevel(void)
{
	load("loglevel_v1");
	show();
	check(!strcmp(val("patch"), "v1") && num("saved") == BASE_LEVEL, "%s",
	      text);
	load_over("loglevel_v2", "loglevel_v1");
	show();
	check(!strcmp(val("patch"), "v2") && num("saved") == BASE_LEVEL &&
	      num("handovers") == 1 && num("raised") == RAISED_LEVEL &&
	      num("reads") == 2 && num("before") == 1, "%s", text);
	load_over("loglevel_v3", "loglevel_v2");
	show();
	check(!strcmp(val("patch"), "v3") && num("handovers") == 2, "%s", text);
	/* Back, and nothing starts again. */
	load_over("loglevel_v1", "loglevel_v3");
	show();
	check(!strcmp(val("patch"), "v1") && num("saved") == BASE_LEVEL &&
	      num("reads") == 4, "%s", text);
	load_over("loglevel_v2", "loglevel_v1");
	show();
	check(num("reads") == 5 && num("before") == 4, "%s", text);
	disable("loglevel_v2");
	check(console_level() == BASE_LEVEL, "loglevel %ld", console_level());
}

/*
 * Row 19. Forced patches stay in the system for good, so these tests come last;
 * what they leak is meant to be.
 */
void force(const char *name)
{
	forced = true;
	check_ok(klp_write(name, "force", "1"));
	check_ok(klp_settle(name));
}

void force_past(const char *name, pid_t pid)
{
	force(name);
	check_ok(hold_release_all());
	check(!hold_finish(pid, NULL, 0), "the held task failed");
}

static void test_19_forced_replace(void)
{
	char buf[4096];
	pid_t pid;

	load("tp_b1");
	pid = begin_load("tp_a2");
	kmsg_mark();
	force("tp_a2");
	check(kmsg_count("klp-sdk: ") == 3 && /* one for each state */
	      kmsg_has("state 'alpha' (id 101): tp_b1 was forced out"), "%s",
	      kmsg_since());
	kmsg_mark();
	/* Two patches come and go while the task sleeps in tp_b1. */
	load_over("tp_a3", "tp_a2");
	check(!kmsg_has("klp-sdk: "), "said twice: %s", kmsg_since());
	disable("tp_a3");
	check(kmsg_count("klp-sdk: ") == 3 &&
	      kmsg_count("was forced once and is not undone") == 3, "%s",
	      kmsg_since());
	check(!kmsg_has("post_unpatch"), "undone under a task: %s",
	      kmsg_since());
	check_ok(hold_release_all());
	check(!hold_finish(pid, buf, sizeof(buf)), "the held task failed");
	check(strstr(buf, "patch=tp_b1 ") && strstr(buf, " magic=1") &&
	      strstr(buf, "buf=alpha"), "%s", buf);
	/* It reads only now from the object that was converted long since. */
	check(strstr(buf, "data_magic=1"), "%s", buf);
}

static void test_19_orphan_adopted(void)
{
	/* The states of the test before, disabled at version 3 and 2. */
	check(mod_unload("tp_a3") == -EAGAIN, "the module went");
	load("tp_a3b");
	check(kmsg_has("tp_a3b alpha adopt same=1") &&
	      kmsg_has("tp_a3b alpha post_patch") && !kmsg_has("pre_patch"),
	      "%s", kmsg_since());
	check_works("tp_a3b");
	check(console_level() == RAISED_LEVEL, "level %ld", console_level());
}

static void test_19_forced_disable(void)
{
	char buf[4096];
	pid_t pid;

	load("tp_a3c");
	pid = begin_disable("tp_a3c");
	force("tp_a3c");
	check(!kmsg_has("post_unpatch"), "%s", kmsg_since());
	check(console_level() == BASE_LEVEL, "level %ld", console_level());
	check_ok(hold_release_all());
	check(!hold_finish(pid, buf, sizeof(buf)), "the held task failed");
	check(strstr(buf, "magic=1") && strstr(buf, "buf=alpha"), "%s", buf);
}

/*
 * The memory that @module has allocated and not freed, but for the core's arrays,
 * which its exit frees. CONFIG_MEM_ALLOC_PROFILING counts it at each call of kmalloc() and the like.
 * Those of the engine have its file's name for that of the module.
 */
void accounted(const char *module)
{
	FILE *f = fopen("/proc/allocinfo", "r");
	char *line = NULL, tag[64];
	size_t size = 0;

	check(f, "cannot read /proc/allocinfo");
	snprintf(tag, sizeof(tag), " [%s] ", module);
	while (getline(&line, &size, f) > 0) {
		bool engine = strstr(line, " [klp_sdk_") &&
			      !strstr(line, " [klp_sdk_patch] ") &&
			      !strstr(line, "/modules/klp_sdk_");

		check((!engine && !strstr(line, tag)) || !atol(line),
		      "not freed when %s is unloaded: %s", module, line);
	}
	fclose(f);
	free(line);
}

void need_accounts(void)
{
	if (access("/proc/allocinfo", R_OK))
		skip("the kernel has no CONFIG_MEM_ALLOC_PROFILING");
	check(file_int("/proc/sys/vm/mem_profiling") == 1, "it is off");
}

/* Row 26: nothing that outlives a module is accounted to it. */
static void test_26_accounts(void)
{
	need_accounts();
	load("tp_a1");
	accounted("tp_a1");
	/* The kernel warns at the unload, and so fails the test. */
	load_over("tp_a2", "tp_a1");
	accounted("tp_a1");
	accounted("tp_a2");
	load_over("tp_a1", "tp_a2");
	accounted("tp_a1");
	disable("tp_a1");
	accounted("tp_a1");
	check(!kmsg_has("allocated at module unload"), "%s", kmsg_since());
}

/* Row 26 */
static void ticking(int by)
{
	long ticks, works, dworks;

	sleep_ms(300);
	show();
	ticks = num("ticks");
	works = num("works");
	dworks = num("dworks");
	sleep_ms(2000);
	show();
	check(num("ticks") >= ticks + 5 && num("works") >= works + 5 &&
	      num("dworks") >= dworks + 5, "it stands still: %s", text);
	check(num("timer_by") == by && num("work_by") == by &&
	      num("dwork_by") == by, "not by %d: %s", by, text);
}

/* What klp_sdk_poke counts, by the parameter of that name. */
static long counted(const char *what)
{
	char path[64];

	if (!mod_loaded("klp_sdk_poke"))
		check_ok(mod_load("klp_sdk_poke", ""));
	snprintf(path, sizeof(path), "/sys/module/klp_sdk_poke/parameters/%s",
		 what);
	return file_int(path);
}

void check_dangling(void)
{
	long nr = counted("dangling");

	check(!nr, "%ld pointers lead into modules that are gone", nr);
}

void check_records(void)
{
	long nr = counted("unsound");

	check(!nr, "%ld things in the records do not agree", nr);
}

void check_fronts(void)
{
	long nr = counted("fronts");

	check(!nr, "%ld words do not say what the index says", nr);
}

static void test_26_asynchronous(void)
{
	pid_t pid;

	load("tp_t1");
	ticking(1);
	reverse("tp_t2", begin_load("tp_t2"), true);
	ticking(1);
	pid = begin_load("tp_t2");
	ticking(1);
	release(pid);
	check_ok(klp_wait_gone("tp_t1"));
	check_ok(mod_unload("tp_t1"));
	check_dangling();
	ticking(2);
	/* Where the old module was is something else now. */
	check_ok(mod_load("tp_mod1", ""));
	check_ok(mod_load("tp_mod2", ""));
	ticking(2);
	load_over("tp_t1", "tp_t2");
	check_dangling();
	ticking(1);
	reverse("tp_t1", begin_disable("tp_t1"), false);
	ticking(1);
}

static void test_26_nothing_dangles(void)
{
	load("tp_a1");
	load_over("tp_a2", "tp_a1");
	check_dangling();
	load_over("tp_a1", "tp_a2");
	check_dangling();
	load_over("tp_m1", "tp_a1");
	check_ok(mod_load("tp_mod1", ""));
	load_over("tp_m2", "tp_m1");
	check_dangling();
	load("tp_ms1");
	load("tp_ms2");
	disable("tp_ms1");
	check_dangling();
	load_over("tp_ms3", "tp_ms2");
	check_dangling();
}

/* Row 28: what readers see when the state's functions run. */
static void test_28_publishing(void)
{
	load("tp_a1");
	check(kmsg_has("tp_a1 alpha post_patch live=0"), "%s", kmsg_since());
	kmsg_mark();
	load_over("tp_a2", "tp_a1");
	events("tp_a2 alpha convert from=1 live=0 zeroed=1",
	       "tp_a2 alpha adopt same=0 old_ok=1 live=1", "tp_a2 beta grow",
	       "tp_a2 beta adopt same=1", "tp_a2 gamma adopt same=1", NULL);
	disable("tp_a2");
	check(kmsg_has("tp_a2 alpha pre_unpatch live=0"), "%s", kmsg_since());
}

#define STOP	"/stop"

/* Reads for as long as it may; what it sees is whole, or not there. */
static void reader(void *arg)
{
	struct fields f;
	char magic[8], buf[16], saved[16];

	(void)arg;
	while (access(STOP, F_OK)) {
		if (fields_read(&f) <= 0)
			_exit(1);
		field(&f, "magic", magic, sizeof(magic));
		field(&f, "buf", buf, sizeof(buf));
		field(&f, "saved", saved, sizeof(saved));
		if (*magic && (strcmp(magic, "1") || strcmp(buf, "alpha") ||
			       atoi(saved) != BASE_LEVEL))
			_exit(2);
	}
	_exit(0);
}

static void test_28_readers(void)
{
	static const char *const chain[] = { "tp_a1", "tp_a2", "tp_a3", "tp_a1b" };
	pid_t pids[3];
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = spawn(reader, NULL);
	load(chain[0]);
	for (i = 1; i < ARRAY_SIZE(chain); i++)
		load_over(chain[i], chain[i - 1]);
	disable("tp_a1b");
	check_ok(close(creat(STOP, 0600)));
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		ret = reap(pids[i]);
		check(!ret, "a reader saw what is not whole (%d)", ret);
	}
	check_ok(unlink(STOP));
}

/* What a patch that drops the state does not undo may lead to the old one. */
static void test_19_dropped(void)
{
	pid_t pid;

	load("tp_t1");
	pid = begin_load("tp_t2");
	force("tp_t2");
	check_ok(hold_release_all());
	check(!hold_finish(pid, NULL, 0), "the held task failed");
	ticking(2);
	load("tp_nostate");
	sleep_ms(1000);
	check(mod_unload("tp_t2") == -EAGAIN, "the module went");
}

/* A program that runs into a breakpoint. */
static void breakpoint(void *arg)
{
	(void)arg;
	asm volatile("int3");
}

static void test_example_notifier(void)
{
	int i;

	load("notifier_v1");
	for (i = 0; i < 3; i++)
		check(reap(spawn(breakpoint, NULL)) == -SIGTRAP, "no trap");
	show();
	check(num("traps") == 3 && num("by") == 1, "%s", text);
	load_over("notifier_v2", "notifier_v1");
	check_dangling();
	check(reap(spawn(breakpoint, NULL)) == -SIGTRAP, "no trap");
	show();
	check(num("traps") == 4 && num("by") == 2, "%s", text);
	/* Back again: the state has the same version in both. */
	load_over("notifier_v1", "notifier_v2");
	check_dangling();
	check(reap(spawn(breakpoint, NULL)) == -SIGTRAP, "no trap");
	show();
	check(num("traps") == 5 && num("by") == 1, "%s", text);
	disable("notifier_v1");
	check(reap(spawn(breakpoint, NULL)) == -SIGTRAP, "no trap");
}

static const struct test tests[] = {
	{ "contract-01-enable", test_01_enable },
	{ "contract-01-enable-in-transition", test_01_enable_in_transition },
	{ "contract-02-pre-patch-fails-first", test_02_pre_patch_fails_first },
	{ "contract-02-pre-patch-fails-last", test_02_pre_patch_fails_last },
	{ "contract-02-pre-patch-positive", test_02_pre_patch_positive },
	{ "contract-02-predecessor-untouched", test_02_predecessor_untouched },
	{ "contract-02-no-memory", test_02_no_memory },
	{ "contract-02-no-memory-replace", test_02_no_memory_replace },
	{ "contract-03-core-fails", test_03_core_fails },
	{ "contract-03-predecessor-untouched",
	  test_03_predecessor_untouched },
	{ "contract-04-enable-reversed", test_04_enable_reversed },
	{ "contract-05-disable", test_05_disable },
	{ "contract-05-disable-in-transition", test_05_disable_in_transition },
	{ "contract-06-disable-reversed", test_06_disable_reversed },
	{ "contract-06-stacked-above", test_06_stacked_above },
	{ "contract-07-replace-same-version", test_07_replace_same_version },
	{ "contract-07-replace-in-transition", test_07_replace_in_transition },
	{ "contract-08-replace-older", test_08_replace_older },
	{ "contract-08-convert-last-values", test_08_convert_last_values },
	{ "contract-08-chain", test_08_chain },
	{ "contract-09-no-migration", test_09_no_migration },
	{ "contract-09-no-room-to-grow", test_09_no_room_to_grow },
	{ "contract-13-replace-reversed", test_13_replace_reversed },
	{ "contract-13-disable-after", test_13_disable_after },
	{ "contract-13-try-again", test_13_try_again },
	{ "contract-10-downgrade", test_10_downgrade },
	{ "contract-10-in-transition", test_10_in_transition },
	{ "contract-10-permanent", test_10_permanent },
	{ "contract-10-order", test_10_order },
	{ "contract-10-back", test_10_back },
	{ "contract-10-back-shared", test_10_back_shared },
	{ "contract-10-back-in-transition", test_10_back_in_transition },
	{ "contract-10-back-reader", test_10_back_reader },
	{ "contract-10-back-again", test_10_back_again },
	{ "contract-10-back-module", test_10_back_module },
	{ "contract-10-named", test_10_named },
	{ "contract-10-saved-early", test_10_saved_early },
	{ "contract-10-pre-patch-fails", test_10_pre_patch_fails },
	{ "contract-11-saved-early", test_11_saved_early },
	{ "contract-13-back-reversed", test_13_back_reversed },
	{ "contract-02-back-no-memory", test_02_back_no_memory },
	{ "contract-15-advice", test_15_advice },
	{ "contract-16-back-several", test_16_back_several },
	{ "contract-11-undeclared", test_11_undeclared },
	{ "contract-11-nothing-declared", test_11_nothing_declared },
	{ "contract-12-retire", test_12_retire },
	{ "contract-12-retire-nothing", test_12_retire_nothing },
	{ "contract-12-retire-refused", test_12_retire_refused },
	{ "contract-13-downgrade-reversed", test_13_downgrade_reversed },
	{ "contract-13-undeclared-reversed", test_13_undeclared_reversed },
	{ "contract-13-retire-reversed", test_13_retire_reversed },
	{ "contract-13-grow-reversed-is-clean",
	  test_13_grow_reversed_is_clean },
	{ "contract-14-second-holder-refused", test_14_second_holder_refused },
	{ "contract-14-stacked-fifo", test_14_stacked_fifo },
	{ "contract-14-stacked-lifo", test_14_stacked_lifo },
	{ "contract-14-stacked-reversed", test_14_stacked_reversed },
	{ "contract-14-stacked-permanent", test_14_stacked_permanent },
	{ "contract-15-stacked-other-version", test_15_stacked_other_version },
	{ "contract-16-replace-several", test_16_replace_several },
	{ "contract-20-raw-predecessor", test_20_raw_predecessor },
	{ "contract-20-raw-predecessor-older", test_20_raw_predecessor_older },
	{ "contract-20-raw-predecessor-reversed",
	  test_20_raw_predecessor_reversed },
	{ "contract-20-raw-refused", test_20_raw_refused },
	{ "contract-20-raw-memory", test_20_raw_memory },
	{ "contract-20-raw-moves", test_20_raw_moves },
	{ "contract-20-raw-above", test_20_raw_above },
	{ "contract-20-raw-has-no-room", test_20_raw_has_no_room },
	{ "contract-21-raw-successor", test_21_raw_successor },
	{ "contract-21-raw-between", test_21_raw_between },
	{ "contract-21-stale-not-declared", test_21_stale_not_declared },
	{ "contract-22-unknown-release", test_22_unknown_release },
	{ "contract-22-newer-release", test_22_newer_release },
	{ "contract-24-duplicate-id", test_24_duplicate_id },
	{ "contract-24-no-terminator", test_24_no_terminator },
	{ "contract-24-object-twice", test_24_object_twice },
	{ "contract-24-migration-from-newer", test_24_migration_from_newer },
	{ "contract-24-functions", test_24_functions },
	{ "contract-24-lists", test_24_lists },
	{ "contract-24-enable", test_24_enable },
	{ "contract-24-transition", test_24_transition },
	{ "contract-24-other-size", test_24_other_size },
	{ "contract-24-other-name", test_24_other_name },
	{ "contract-25-absent-module-only", test_25_absent_module_only },
	{ "contract-03-module", test_03_module },
	{ "contract-09-14-15-module", test_09_module },
	{ "contract-20-module", test_20_module },
	{ "contract-20-module-older", test_20_module_older },
	{ "contract-21-module", test_21_module },
	{ "contract-21-module-between", test_21_module_between },
	{ "contract-21-module-address", test_21_module_address },
	{ "contract-17-room", test_17_room },
	{ "contract-03-raw-no-memory", test_03_raw_no_memory },
	{ "contract-09-other-size", test_09_other_size },
	{ "contract-10-back-other-size", test_10_back_other_size },
	{ "contract-12-retire-newer", test_12_retire_newer },
	{ "contract-14-one-stackable", test_14_one_stackable },
	{ "contract-15-stacked-older", test_15_stacked_older },
	{ "contract-17-no-room", test_17_no_room },
	{ "contract-20-raw-live", test_20_raw_live },
	{ "contract-20-raw-absent", test_20_raw_absent },
	{ "contract-20-raw-reader", test_20_raw_reader },
	{ "contract-21-patch-address", test_21_patch_address },
	{ "contract-21-patch-forged", test_21_patch_forged },
	{ "contract-22-shadow-parts", test_22_shadow_parts },
	{ "contract-26-reads-nothing", test_26_reads_nothing },
	{ "contract-17-comes-and-goes", test_17_comes_and_goes },
	{ "contract-17-loaded-before", test_17_loaded_before },
	{ "contract-17-init-fails", test_17_init_fails },
	{ "contract-17-pre-patch-fails", test_17_pre_patch_fails },
	{ "contract-17-no-memory", test_17_no_memory },
	{ "contract-17-after-replace", test_17_after_replace },
	{ "contract-17-refused-while-absent", test_17_refused_while_absent },
	{ "contract-17-stacked", test_17_stacked },
	{ "contract-18-order", test_18_order },
	{ "contract-18-enable", test_18_enable },
	{ "contract-18-disable", test_18_disable },
	{ "contract-18-replace-same-version", test_18_replace_same_version },
	{ "contract-18-replace-older", test_18_replace_older },
	{ "contract-18-downgrade", test_18_downgrade },
	{ "contract-18-back", test_18_back },
	{ "contract-18-undeclared", test_18_undeclared },
	{ "contract-18-retire", test_18_retire },
	{ "contract-18-stacked", test_18_stacked },
	{ "contract-18-stacked-leave", test_18_stacked_leave },
	{ "contract-18-prev-gone", test_18_prev_gone },
	{ "contract-18-stacked-blocked", test_18_stacked_blocked },
	{ "contract-18-replace-several", test_18_replace_several },
	{ "contract-18-module-refused", test_18_module_refused },
	{ "contract-23-many", test_23_many },
	{ "contract-23-each-fails", test_23_each_fails },
	{ "contract-23-no-memory", test_23_no_memory },
	{ "contract-23-reversed", test_23_reversed },
	{ "contract-24-object", test_24_object },
	{ "contract-25-objects-added", test_25_objects_added },
	{ "contract-26-accounts", test_26_accounts },
	{ "contract-26-accounts-shadow", test_26_accounts_shadow },
	{ "contract-26-asynchronous", test_26_asynchronous },
	{ "contract-26-nothing-dangles", test_26_nothing_dangles },
	{ "contract-28-publishing", test_28_publishing },
	{ "contract-28-readers", test_28_readers },
	{ "shadow-lives-with-state", test_shadow_lives_with_state },
	{ "shadow-address-reused", test_shadow_address_reused },
	{ "shadow-retired", test_shadow_retired },
	{ "shadow-retire-reversed", test_shadow_retire_reversed },
	{ "contract-26-shadow", test_26_shadow },
	{ "contract-27-dropped-type", test_27_dropped_type },
	{ "contract-27-added-type-reversed", test_27_added_type_reversed },
	{ "shadow-convert", test_shadow_convert },
	{ "shadow-convert-twice", test_shadow_convert_twice },
	{ "shadow-straggler-refused", test_shadow_straggler_refused },
	{ "shadow-grow", test_shadow_grow },
	{ "contract-10-shadow", test_10_shadow },
	{ "contract-10-shadow-version", test_10_shadow_version },
	{ "contract-13-shadow-older", test_13_shadow_older },
	{ "contract-11-shadow", test_11_shadow },
	{ "contract-14-shadow", test_14_shadow },
	{ "contract-17-shadow", test_17_shadow },
	{ "contract-20-21-shadow", test_20_shadow },
	{ "contract-24-shadow", test_24_shadow },
	{ "shadow-many", test_shadow_many },
	{ "shadow-ctor-fails", test_shadow_ctor_fails },
	{ "contract-02-shadow-no-memory", test_02_shadow_no_memory },
	{ "contract-02-shadow-downgrade", test_02_shadow_downgrade },
	{ "contract-02-shadow-added", test_02_shadow_added },
	{ "contract-17-shadow-no-memory", test_17_shadow_no_memory },
	{ "view", test_view },
	{ "random", test_random },
	{ "example-loglevel", test_example_loglevel },
	{ "example-notifier", test_example_notifier },
	{ "example-shadow-lock", test_example_shadow_lock },
	{ "example-paired-ops", test_example_paired_ops },
	{ "failslab-enable", test_failslab_enable },
	{ "failslab-convert", test_failslab_convert },
	{ "failslab-downgrade", test_failslab_downgrade },
	{ "failslab-back", test_failslab_back },
	{ "failslab-undeclared", test_failslab_undeclared },
	{ "failslab-retire", test_failslab_retire },
	{ "failslab-raw", test_failslab_raw },
	{ "failslab-raw-convert", test_failslab_raw_convert },
	{ "failslab-share", test_failslab_share },
	{ "failslab-many", test_failslab_many },
	{ "failslab-module", test_failslab_module },
	{ "failslab-shadow", test_failslab_shadow },
	{ "failslab-shadow-convert", test_failslab_shadow_convert },
	{ "failslab-disable", test_failslab_disable },
	{ "smp-plain", test_smp_plain },
	{ "smp-indexed", test_smp_indexed },
	{ "smp-grow", test_smp_grow },
	{ "smp-all", test_smp_all },
	{ "smp-grace", test_smp_grace },
	{ "contract-19-shadow-absent", test_19_shadow_absent },
	{ "contract-19-forced-replace", test_19_forced_replace },
	{ "contract-19-orphan-adopted", test_19_orphan_adopted },
	{ "contract-19-forced-disable", test_19_forced_disable },
	{ "contract-19-dropped", test_19_dropped },
	{ "contract-19-back-forced", test_19_back_forced },
	{ "contract-19-orphan-of-module", test_19_orphan_of_module },
	{ "contract-19-given-up", test_19_given_up },
	{ "contract-19-shadow-lost", test_19_shadow_lost },
	{ "contract-19-module-pinned", test_19_module_pinned },
	{ "contract-19-forced-then-raw", test_19_forced_then_raw },
	{ "contract-19-random", test_19_random },
	{ "contract-19-forced-dropped", test_19_forced_dropped },
	{ "contract-19-forced-back", test_19_forced_back },
	{ "contract-19-forced-together", test_19_forced_together },
	{ "contract-19-forced-shrunk", test_19_forced_shrunk },
	{ "contract-19-shadow-older", test_19_shadow_older },
	{ "contract-19-shadow-layout", test_19_shadow_layout },
	{ "contract-19-shadow-downgrade", test_19_shadow_downgrade },
	{ "contract-19-shadow", test_19_shadow },
};

/* Objects of modules, and their shadow variables, after the last test. */
static int slab_before;

static void before(void)
{
	if (!mod_loaded("klp_sdk_hold"))
		check_ok(mod_load("klp_sdk_hold", ""));
	check_ok(file_write("/proc/sys/kernel/printk", "5"));
	check(console_level() == BASE_LEVEL, "loglevel %ld", console_level());
	kmsg_mark();
}

/* The first name in @dir that is not "." or "..", or NULL. */
static char *first_of(const char *dir)
{
	static char name[256];
	struct dirent *entry;
	DIR *d = opendir(dir);

	*name = '\0';
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			snprintf(name, sizeof(name), "%s", entry->d_name);
	if (d)
		closedir(d);
	return *name ? name : NULL;
}

/* Leaves what a force keeps. */
static void unload_tested(void)
{
	char buf[4096], *line, *next;

	if (file_read("/proc/modules", buf, sizeof(buf)) <= 0)
		return;
	for (line = buf; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		*strchrnul(line, ' ') = '\0';
		if (!strncmp(line, "tp_", 3) || !strncmp(line, "loglevel_", 9) ||
		    !strncmp(line, "notifier_", 9) ||
		    !strncmp(line, "shadow_lock_", 12) ||
		    !strncmp(line, "paired_ops_", 11) ||
		    !strcmp(line, "klp_sdk_block"))
			check(!mod_unload(line) || forced,
			      "cannot unload %s", line);
	}
}

/* Whatever a test did, the system is as before, and nothing is left over. */
static void after(void)
{
	char *patch, where[256] = "";
	const char *leaks;
	int i, left = 0;

	stop_workers();
	hold_release_all();
	check_ok(klp_settle(NULL));
	while ((patch = first_of("/sys/kernel/livepatch"))) {
		/* A replaced or disabled one is on its way out already. */
		if (klp_enabled(patch) == 1)
			check_ok(klp_write(patch, "enabled", "0"));
		check_ok(klp_settle(patch));
		for (i = 0; forced && i < 500 && klp_present(patch); i++)
			sleep_ms(10);
		if (!forced)
			check_ok(klp_wait_gone(patch));
	}
	unload_tested();
	check(!kmsg_has(" BAD "), "%s", kmsg_since());
	check(console_level() == BASE_LEVEL, "loglevel %ld is not restored",
	      console_level());
	if (forced)
		return;
	leaks = leak_report();
	check(!*leaks, "leaked:\n%s", leaks);
	/* kfree_rcu() takes its time. */
	for (i = 0; i < 20; i++) {
		left = slab_count(SLAB_MODULES, where, sizeof(where));
		if (left <= slab_before)
			return;
		sleep_ms(1000);
	}
	i = left - slab_before;
	slab_before = left;
	check(!i, "%d objects leaked, some of these: %s", i, where);
}

int main(void)
{
	guest_boot();
	test_before = before;
	test_after = after;
	run_tests(tests, ARRAY_SIZE(tests));
	guest_end();
}
