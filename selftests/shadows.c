// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow variables that belong to a state: what becomes of them when the state is
 * handed over, converted, dropped or undone.
 *
 * The test patches are those of modules/tps.h. A call is made through a parameter
 * of the patch, so that a test can have either side of a transition make it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract.h"
#include "vm/guest.h"

static char seen[256];

/* Have @patch make a call, "CALL TYPE NUMBER"; what it saw is in seen. */
static void call(const char *patch, const char *op)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/op", patch);
	check_ok(file_write(path, op));
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/seen", patch);
	check(file_read(path, seen, sizeof(seen)) > 0, "cannot read %s", path);
}

/* The call finds a sound value, which looks so. Returns where it is. */
static unsigned long finds(const char *patch, const char *op, const char *looks)
{
	const char *at;

	call(patch, op);
	at = strstr(seen, "at=");
	check(at && strstr(seen, "magic=1 ") && strstr(seen, looks),
	      "%s, %s: not '%s' but %s", patch, op, looks, seen);
	return strtoul(at + 3, NULL, 16);
}

static void finds_none(const char *patch, const char *op)
{
	call(patch, op);
	check(!strcmp(seen, "none\n"), "%s, %s: %s", patch, op, seen);
}

/* It says of an allocation that it comes too early. */
static bool debug_kernel(void)
{
	return !access("/proc/lockdep_stats", F_OK);
}

static void setup(const char *patch)
{
	check_ok(mod_load("tp_pool", ""));
	load(patch);
}

/* A value of each type, of parent 1, by tp_sh1. */
static void values_of_v1(void)
{
	finds("tp_sh1", "alloc plain 1", "buf=plain");
	finds("tp_sh1", "alloc index 1", "buf=index");
	finds("tp_sh1", "alloc count 1", "count=1");
	finds("tp_sh1", "alloc quiet 1", "buf=quiet");
	finds("tp_sh1", "alloc sleep 1", "buf=sleep");
	kmsg_mark();
}

#define DTORS(_p)	_p " plain dtor", _p " index dtor"
#define DTORS_V1(_p)	DTORS(_p), _p " quiet dtor", _p " sleep dtor"

void test_shadow_lives_with_state(void)
{
	unsigned long plain, index;

	setup("tp_sh1");
	finds_none("tp_sh1", "get plain 1");
	finds_none("tp_sh1", "get index 1");
	values_of_v1();
	plain = finds("tp_sh1", "get plain 1", "buf=plain");
	index = finds("tp_sh1", "get index 1", "buf=index");
	check(finds("tp_sh1", "get_or_alloc plain 1", "") == plain &&
	      finds("tp_sh1", "get_or_alloc index 1", "") == index,
	      "allocated again");
	finds_none("tp_sh1", "get plain 2");
	finds_none("tp_sh1", "get index 2");
	view("tp_sh1", "401 1 8 - vmlinux sh tp_sh1:live +plain:1 +index:1=1 ",
	     " +count:1 +quiet:1 +sleep:1=1\n", NULL);

	/* A parent's end, and one that has no value. */
	finds("tp_sh1", "alloc plain 3", "");
	finds("tp_sh1", "alloc sleep 3", "");
	kmsg_mark();
	call("tp_sh1", "free plain 3");
	call("tp_sh1", "free sleep 3");
	call("tp_sh1", "free sleep 3");
	events("tp_sh1 plain dtor", "tp_sh1 sleep dtor", NULL);
	finds_none("tp_sh1", "get plain 3");
	finds_none("tp_sh1", "get sleep 3");

	disable("tp_sh1");
	events("tp_sh1 sh pre_unpatch", DTORS_V1("tp_sh1"),
	       "tp_sh1 sh post_unpatch", NULL);
}

/* Code that is not patched frees a parent, and the address is used again. */
void test_shadow_address_reused(void)
{
	setup("tp_sh1");
	values_of_v1();
	disable("tp_sh1");
	check_ok(file_write("/sys/module/tp_pool/parameters/again", "1"));
	load("tp_sh1");
	finds_none("tp_sh1", "get plain 1");
	finds_none("tp_sh1", "get index 1");
	finds_none("tp_sh1", "get quiet 1");
	/* This one would warn if there were a stale one. */
	finds("tp_sh1", "alloc plain 1", "born=1 ");
	finds("tp_sh1", "alloc index 1", "born=1 ");
}

void test_shadow_retired(void)
{
	pid_t pid;

	setup("tp_sh1");
	values_of_v1();
	pid = begin_load("tp_shret");
	events("tp_shret sh pre_unpatch", NULL);
	finds("tp_sh1", "get index 1", "buf=index");
	reverse("tp_shret", pid, true);
	events("tp_sh1 sh post_patch", NULL);
	finds("tp_sh1", "get plain 1", "buf=plain");
	finds("tp_sh1", "get index 1", "buf=index");

	/* By the retiring patch's dtors, as far as it has them. */
	load_over("tp_shret", "tp_sh1");
	events("tp_shret sh pre_unpatch", DTORS("tp_shret"), "tp_sh1 quiet dtor",
	       "tp_sh1 sleep dtor", "tp_shret sh post_unpatch", NULL);
	load_over("tp_sh1", "tp_shret");
	finds_none("tp_sh1", "get plain 1");
	finds_none("tp_sh1", "get index 1");
}

/* Row 26: values, indexes with their fronts, and what the values point to. */
void test_26_accounts_shadow(void)
{
	need_accounts();
	setup("tp_sh1");
	values_of_v1();
	call("tp_sh1", "fill index 2000");
	accounted("tp_sh1");
	load_over("tp_sh2", "tp_sh1");
	accounted("tp_sh1");
	accounted("tp_sh2");
	disable("tp_sh2");
	accounted("tp_sh2");
	check(!kmsg_has("allocated at module unload"), "%s", kmsg_since());
}

/* The patch that wanted to retire them is gone, and its dtors with it. */
void test_shadow_retire_reversed(void)
{
	setup("tp_sh1");
	values_of_v1();
	reverse("tp_shret", begin_load("tp_shret"), true);
	kmsg_mark();
	disable("tp_sh1");
	events("tp_sh1 sh pre_unpatch", DTORS_V1("tp_sh1"),
	       "tp_sh1 sh post_unpatch", NULL);
}

/* Row 26: code that stays in the module of a patch that is gone finds nothing. */
void test_26_shadow(void)
{
	setup("tp_sh1");
	values_of_v1();
	load("tp_nostate");
	check_ok(klp_wait_gone("tp_sh1"));
	finds_none("tp_sh1", "get plain 1");
	finds_none("tp_sh1", "get index 1");
	finds_none("tp_sh1", "get sleep 1");
}

/* Row 27 */
void test_27_dropped_type(void)
{
	unsigned long plain, index;
	pid_t pid;

	setup("tp_sh1");
	values_of_v1();
	plain = finds("tp_sh1", "get plain 1", "");
	index = finds("tp_sh1", "get index 1", "");
	kmsg_mark();
	pid = begin_load("tp_shdrop");
	finds("tp_sh1", "get quiet 1", "buf=quiet");
	check(finds("tp_shdrop", "get plain 1", "") == plain &&
	      finds("tp_shdrop", "get index 1", "") == index,
	      "the new patch sees other values");
	call("tp_shdrop", "live state 0");
	check(!strcmp(seen, "live\n"), "not live on both sides");
	reverse("tp_shdrop", pid, true);
	events(NULL);
	finds("tp_sh1", "get quiet 1", "buf=quiet");
	finds("tp_sh1", "get sleep 1", "buf=sleep");

	load_over("tp_shdrop", "tp_sh1");
	events("tp_sh1 quiet dtor", "tp_sh1 sleep dtor", NULL);
	check_dangling();
	check(finds("tp_shdrop", "get plain 1", "buf=plain") == plain &&
	      finds("tp_shdrop", "get index 1", "buf=index") == index,
	      "the values moved");
	view("tp_shdrop", "tp_shdrop:live +plain:1 +index:1=1 +count:1\n", NULL);

	/* What comes back is new. */
	load_over("tp_sh1", "tp_shdrop");
	finds_none("tp_sh1", "get quiet 1");
	finds_none("tp_sh1", "get sleep 1");
	kmsg_mark();
	disable("tp_sh1");
	events("tp_sh1 sh pre_unpatch", DTORS("tp_sh1"),
	       "tp_sh1 sh post_unpatch", NULL);
}

/* Row 27: a type that only the new patch has goes with a reversed transition. */
void test_27_added_type_reversed(void)
{
	pid_t pid;

	setup("tp_shdrop");
	finds("tp_shdrop", "alloc index 1", "");
	pid = begin_load("tp_sh1");
	finds("tp_sh1", "get index 1", "buf=index");
	/* The other side's functions would free a parent without its value. */
	finds_none("tp_sh1", "live state 0");
	finds_none("tp_sh1", "alloc sleep 1");
	kmsg_mark();
	/* A mistake, which a plain type lets pass and debug kernels do not. */
	if (!debug_kernel())
		finds("tp_sh1", "alloc quiet 1", "");
	reverse("tp_sh1", pid, true);
	if (debug_kernel())
		events(NULL);
	else
		events("tp_sh1 quiet dtor", NULL);
	finds("tp_shdrop", "get index 1", "buf=index");
	view("tp_shdrop", "tp_shdrop:live +plain:1 +index:1=1 +count:1\n", NULL);
}

/* Both sides of a transition use the same parents, until it is complete. */
void test_shadow_convert(void)
{
	unsigned long plain, index;
	pid_t pid;

	setup("tp_sh1");
	values_of_v1();
	finds("tp_sh1", "alloc plain 2", "");
	finds("tp_sh1", "alloc index 2", "");
	finds("tp_sh1", "alloc plain 3", "");
	finds("tp_sh1", "alloc index 3", "");
	plain = finds("tp_sh1", "get plain 1", "");
	index = finds("tp_sh1", "get index 1", "");
	pid = begin_load("tp_sh2");
	kmsg_mark();
	finds_none("tp_sh2", "get plain 1");
	finds_none("tp_sh2", "get plain 1");
	finds_none("tp_sh2", "get index 1");
	/* Once for each type. */
	check(kmsg_count("has no value for this parent while its state is not live") ==
	      (debug_kernel() ? 2 : 0), "%s", kmsg_since());
	check(finds("tp_sh2", "prev plain 1", "") == plain &&
	      finds("tp_sh2", "prev index 1", "") == index,
	      "not the replaced patch's values");
	finds_none("tp_sh2", "prev plain 9");
	finds_none("tp_sh2", "prev index 9");
	/* New values would be unknown to the replaced patch. */
	finds_none("tp_sh2", "live state 0");
	finds_none("tp_sh2", "alloc plain 9");
	finds_none("tp_sh2", "get_or_alloc index 9");
	check(kmsg_count("cannot be allocated before its state is live") == 2,
	      "%s", kmsg_since());
	kmsg_mark();
	/* The parents of either side end on the other. */
	call("tp_sh2", "free plain 3");
	call("tp_sh2", "free index 3");
	events("tp_sh2 plain dtor", "tp_sh2 index dtor", NULL);
	finds_none("tp_sh1", "get plain 3");
	finds_none("tp_sh1", "get index 3");
	finds("tp_sh1", "alloc plain 4", "");
	finds("tp_sh1", "alloc index 4", "");
	reverse("tp_sh2", pid, true);
	events(NULL);
	check(finds("tp_sh1", "get plain 1", "buf=plain") == plain &&
	      finds("tp_sh1", "get index 1", "buf=index") == index,
	      "the values moved");

	load_over("tp_sh2", "tp_sh1");
	events("tp_sh1 quiet dtor", "tp_sh1 sleep dtor", NULL);
	view("tp_sh2", "401 2 16 - vmlinux sh tp_sh2:live +plain:2 +index:2=3 +count:1\n",
	     NULL);
	check_dangling();
	call("tp_sh2", "live state 0");
	check(!strcmp(seen, "live\n"), "not live after completion");
	/* Eagerly: there is no old one left. Lazily: there is. */
	finds_none("tp_sh2", "prev index 1");
	check(finds("tp_sh2", "prev plain 1", "") == plain, "it moved");
	finds("tp_sh2", "get index 1", "buf=index from=1");
	finds("tp_sh2", "get plain 1", "buf=plain from=1");
	finds_none("tp_sh2", "prev plain 1");
	finds("tp_sh2", "get_or_alloc plain 4", "from=1");
	finds("tp_sh2", "get index 4", "from=1");
	finds("tp_sh2", "alloc plain 5", "from=0");
	finds("tp_sh2", "alloc index 5", "from=0");
	/* One that was not converted, one that was, and one that was new. */
	call("tp_sh2", "free plain 2");
	call("tp_sh2", "free plain 1");
	call("tp_sh2", "free plain 5");
	events("tp_sh2 plain dtor", "tp_sh2 plain dtor", "tp_sh2 plain dtor",
	       NULL);
	finds_none("tp_sh2", "get plain 1");
	finds_none("tp_sh2", "get plain 2");
}

/* Version 3 meets values of both older versions, of a type that is plain. */
void test_shadow_convert_twice(void)
{
	setup("tp_sh1");
	values_of_v1();
	finds("tp_sh1", "alloc plain 2", "");
	finds("tp_sh1", "alloc plain 3", "");
	load_over("tp_sh2", "tp_sh1");
	finds("tp_sh2", "get plain 2", "from=1");
	finds("tp_sh2", "alloc plain 4", "from=0");
	finds("tp_sh2", "alloc index 4", "from=0");
	load_over("tp_sh3", "tp_sh2");
	finds("tp_sh3", "get plain 1", "buf=plain from=1");
	finds("tp_sh3", "get plain 2", "buf=plain from=2");
	finds("tp_sh3", "get plain 4", "buf=plain from=2");
	finds("tp_sh3", "get index 1", "buf=index from=2");
	finds("tp_sh3", "get index 4", "buf=index from=2");
	kmsg_mark();
	/* Parent 3 has still what version 1 made. */
	disable("tp_sh3");
	check(kmsg_count("tp_sh3 plain dtor") == 4 &&
	      kmsg_count("tp_sh3 index dtor") == 2, "%s", kmsg_since());
}

/* Stragglers of version 1 in a patch that cannot convert them. */
void test_shadow_straggler_refused(void)
{
	setup("tp_sh1");
	values_of_v1();
	load_over("tp_sh2", "tp_sh1");
	kmsg_mark();
	refused("tp_shbad", "as=straggler", -EINVAL);
	says("tp_shbad: state 'sh' (id 401): shadow type 'plain' (id 0x501)",
	     "no conversion from version 1", "KLP_SDK_SHADOW_CONVERT()", NULL);
	finds("tp_sh2", "get plain 1", "from=1");
}

/* The values stay where they are, and both sides use them. */
void test_shadow_grow(void)
{
	unsigned long count;
	pid_t pid;

	setup("tp_sh1");
	values_of_v1();
	count = finds("tp_sh1", "get count 1", "count=2 ");
	pid = begin_load("tp_sh2");
	check(finds("tp_sh2", "get count 1", "count=3 since=0 ") == count,
	      "another value");
	finds("tp_sh1", "get count 1", "count=4 ");
	release(pid);
	check_ok(klp_wait_gone("tp_sh1"));
	finds("tp_sh2", "alloc count 2", "count=1 since=0 ");
	check(finds("tp_sh2", "get count 1", "count=5 since=100 ") == count,
	      "it moved");
	finds("tp_sh2", "get count 2", "count=2 since=100 ");
}

/* Row 10: going back frees what the newer patch has, and starts afresh. */
void test_10_shadow(void)
{
	pid_t pid;

	setup("tp_sh1");
	values_of_v1();
	load_over("tp_sh2", "tp_sh1");
	finds("tp_sh2", "get plain 1", "from=1");
	finds("tp_sh2", "alloc plain 2", "from=0");
	finds("tp_sh2", "get count 1", "count=2 ");
	kmsg_mark();
	pid = begin_load("tp_sh1");
	events("tp_sh2 sh pre_unpatch", "tp_sh1 sh pre_patch", NULL);
	finds_none("tp_sh1", "get plain 1");
	finds_none("tp_sh1", "get index 1");
	reverse("tp_sh1", pid, true);
	events("tp_sh1 sh post_unpatch", "tp_sh2 sh post_patch", NULL);
	finds("tp_sh2", "get plain 2", "from=0");
	finds("tp_sh2", "get index 1", "from=1");
	/* Both patches have it at the same version, under one id. */
	finds("tp_sh2", "get count 1", "count=3 ");
	load_over("tp_sh1", "tp_sh2");
	events("tp_sh2 sh pre_unpatch", "tp_sh1 sh pre_patch",
	       "tp_sh2 plain dtor", "tp_sh2 plain dtor", "tp_sh2 index dtor",
	       "tp_sh2 sh post_unpatch", "tp_sh1 sh post_patch", NULL);
	finds_none("tp_sh1", "get plain 1");
	finds_none("tp_sh1", "get index 1");
	finds_none("tp_sh1", "get count 1");
	finds("tp_sh1", "alloc plain 1", "");
}

/*
 * Row 10: the way back of the state's data is not taken if values have another version
 * here, though their layout is the same.
 */
void test_10_shadow_version(void)
{
	setup("tp_sh2");
	finds("tp_sh2", "alloc plain 1", "");
	kmsg_mark();
	check_ok(mod_load("tp_shbad", "as=older"));
	check_ok(klp_settle("tp_shbad"));
	events("tp_sh2 sh pre_unpatch", "tp_sh2 plain dtor",
	       "tp_sh2 sh post_unpatch", NULL);
	check_ok(klp_wait_gone("tp_sh2"));
	view("tp_shbad", "401 1 8 - vmlinux sh tp_shbad:live", NULL);
}

/* Row 2: a patch that goes back and finds no memory takes nothing with it. */
void test_02_shadow_downgrade(void)
{
	char params[32];
	int n, ret;

	setup("tp_sh1");
	values_of_v1();
	load_over("tp_sh2", "tp_sh1");
	for (n = 1; n < 40; n++) {
		snprintf(params, sizeof(params), "fail_alloc=%d", n);
		ret = mod_load("tp_sh1", params);
		if (!ret)
			break;
		check(ret == -ENOMEM, "allocation %d: %d", n, ret);
		note("allocation %d", n);
		finds("tp_sh2", "get count 1", "magic=1");
		finds("tp_sh2", "get plain 1", "from=1");
	}
	check(n > 15, "only %d allocations", n - 1);
	check_ok(klp_settle("tp_sh1"));
	check_ok(klp_wait_gone("tp_sh2"));
}

/* Row 11 */
void test_11_shadow(void)
{
	setup("tp_sh1");
	values_of_v1();
	load_over("tp_nostate", "tp_sh1");
	events("tp_sh1 sh pre_unpatch", DTORS_V1("tp_sh1"),
	       "tp_sh1 sh post_unpatch", NULL);
}

/* Row 14: whoever is the last to leave frees them, with dtors of its own. */
void test_14_shadow(void)
{
	static const char *const order[][2] = {
		{ "tp_shs1", "tp_shs2" }, { "tp_shs2", "tp_shs1" },
	};
	char want[2][32];
	int i;

	setup("tp_shs1");
	for (i = 0; i < 2; i++) {
		finds("tp_shs1", "alloc plain 1", "");
		load("tp_shs2");
		finds("tp_shs2", "get plain 1", "buf=plain");
		finds("tp_shs2", "alloc index 1", "");
		finds("tp_shs1", "get index 1", "buf=index");
		kmsg_mark();
		disable(order[i][0]);
		events(NULL);
		finds(order[i][1], "get plain 1", "buf=plain");
		kmsg_mark();
		disable(order[i][1]);
		snprintf(want[0], sizeof(want[0]), "%s plain dtor", order[i][1]);
		snprintf(want[1], sizeof(want[1]), "%s index dtor", order[i][1]);
		check(kmsg_has(want[0]) && kmsg_has(want[1]), "%s", kmsg_since());
		load("tp_shs1");
	}

	refused("tp_shbad", "as=share", -EINVAL);
	says("tp_shbad: state 'sh' (id 401): shadow type 'index'",
	     "is missing here", NULL);
}

/* Rows 17 and 18: they come and go with the module that the state is bound to. */
void test_17_shadow(void)
{
	pid_t pid;
	int i;

	setup("tp_shm1");
	finds_none("tp_shm1", "get index 1");
	for (i = 0; i < 2; i++) {
		check_ok(mod_load("tp_mod1", ""));
		finds_none("tp_shm1", "get plain 1");
		finds_none("tp_shm1", "get index 1");
		finds("tp_shm1", "alloc plain 1", "");
		finds("tp_shm1", "alloc index 1", "");
		kmsg_mark();
		check_ok(mod_unload("tp_mod1"));
		events("tp_shm1 sh pre_unpatch", DTORS("tp_shm1"),
		       "tp_shm1 sh post_unpatch", NULL);
	}

	/* It comes while the patch is replaced, with values of both. */
	pid = begin_load("tp_shm2");
	check_ok(mod_load("tp_mod1", ""));
	finds("tp_shm1", "alloc plain 1", "");
	finds("tp_shm1", "alloc index 1", "");
	finds_none("tp_shm2", "get index 1");
	release(pid);
	check_ok(klp_wait_gone("tp_shm1"));
	check_ok(mod_unload("tp_shm1"));
	finds("tp_shm2", "get plain 1", "buf=plain from=1");
	finds("tp_shm2", "get index 1", "buf=index from=1");
	check_ok(mod_unload("tp_mod1"));
	check_records();

	/* It is not there when the patch is replaced, and has no old values. */
	load_over("tp_shm1", "tp_shm2");
	check_ok(mod_load("tp_mod1", ""));
	finds("tp_shm1", "alloc index 1", "");
	check_ok(mod_unload("tp_mod1"));
	load_over("tp_shm2", "tp_shm1");
	check_ok(mod_load("tp_mod1", ""));
	finds_none("tp_shm2", "get index 1");
	finds("tp_shm2", "alloc index 1", "from=0");
	finds("tp_shm2", "alloc plain 1", "from=0");
	/* It goes while the patch is disabled. */
	pid = begin_disable("tp_shm2");
	check_ok(mod_unload("tp_mod1"));
	release(pid);
}

/*
 * Rows 20 and 21: a patch without the SDK finds plain values, and has some of its
 * own for the patch after it. Values that nobody has are gone when the state is
 * taken back.
 */
void test_20_shadow(void)
{
	static const char raw[] = "/sys/module/tp_rawsh/parameters/op";
	pid_t pid;

	check_ok(mod_load("tp_pool", ""));
	load("tp_rawsh");
	check_ok(file_write(raw, "1"));
	pid = begin_load("tp_sh1");
	finds_none("tp_sh1", "live state 0");
	reverse("tp_sh1", pid, true);
	check(file_int(raw) == 1000, "the raw patch lost its value");
	load_over("tp_sh1", "tp_rawsh");
	finds("tp_sh1", "get count 1", "count=1001");
	finds("tp_sh1", "alloc plain 1", "");
	load_over("tp_rawsh", "tp_sh1");
	check(file_int(raw) == 1001, "%ld", file_int(raw));
	check_ok(file_write(raw, "2"));
	load_over("tp_shdrop", "tp_rawsh");
	finds("tp_shdrop", "get count 1", "count=1002");
	finds("tp_shdrop", "get count 2", "count=1001");
	finds("tp_shdrop", "get plain 1", "buf=plain");
	call("tp_shdrop", "free plain 1");

	/* Nobody has the state any more, and it is introduced again. */
	load_over("tp_rawsh", "tp_shdrop");
	disable("tp_rawsh");
	load("tp_sh1");
	finds_none("tp_sh1", "get count 1");
	finds_none("tp_sh1", "get count 2");
}

/* Row 24, and what else does not fit: refused before anything is changed. */
void test_24_shadow(void)
{
	static const struct {
		const char *as, *says;
	} cases[] = {
		{ "as=size", "version 1 has 16 bytes in the system and 72 here; raise .version" },
		{ "as=version", "at the same version of the state; raise the state's .version" },
		{ "as=backend", "its values are not indexed" },
		{ "as=name", "the id belongs to shadow type 'plain'" },
		{ "as=room", "cannot grow to 72 bytes, the values have room for 32" },
		{ "as=convert", "no conversion from version 1" },
		{ "as=old", "version 1 has 16 bytes, but the conversion takes 72" },
		{ "as=newer", "conversion from version 2 is not from an older one" },
		{ "as=thief", "the id belongs to shadow type 'plain' of state 'sh'" },
		{ "as=twice", "of this patch has the same id" },
		{ "as=again", "state 'again' lists it, too" },
		{ "as=both", "state 'thief' lists it, too" },
	};
	unsigned int i;

	setup("tp_sh1");
	values_of_v1();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		refused("tp_shbad", cases[i].as, -EINVAL);
		check(kmsg_has("tp_shbad: state '"), "%s", kmsg_since());
		note("%s", cases[i].as);
		says(cases[i].says, NULL);
		finds("tp_sh1", "get plain 1", "buf=plain");
	}
	disable("tp_sh1");
	events("tp_sh1 sh pre_unpatch", DTORS_V1("tp_sh1"),
	       "tp_sh1 sh post_unpatch", NULL);
}

/* Are there @values after the call, each of them found by its parent alone? */
static void many(const char *patch, const char *op, int values)
{
	char text[64];

	call(patch, op);
	/* Waits until the index has its size: a walk may meet values twice before. */
	check_fronts();
	call(patch, "sum index 0");
	snprintf(text, sizeof(text), "values=%d bad=0 found=%d\n", values, values);
	check(!strcmp(seen, text), "%s: %s", op, seen);
}

/* So many that the index is resized and walked in many stretches. */
void test_shadow_many(void)
{
	setup("tp_sh1");
	many("tp_sh1", "fill index 4000", 4000);
	many("tp_sh1", "thin index 3", 1334);
	many("tp_sh1", "fill index 4000", 4000);
	load_over("tp_sh2", "tp_sh1");
	many("tp_sh2", "fill index 4000", 4000);
	finds("tp_sh2", "get index 0", "from=1");
	finds("tp_sh2", "get index 3999", "from=1");
	many("tp_sh2", "thin index 2", 2000);
	many("tp_sh2", "thin index 1000", 4);
	load_over("tp_nostate", "tp_sh2");
	load_over("tp_sh2", "tp_nostate");
	many("tp_sh2", "fill index 0", 0);
}

void test_shadow_ctor_fails(void)
{
	setup("tp_sh1");
	check_ok(file_write("/sys/module/tp_sh1/parameters/fail_ctor", "1"));
	kmsg_mark();
	finds_none("tp_sh1", "alloc plain 1");
	check(kmsg_has("Failed to construct shadow variable"), "%s", kmsg_since());
	kmsg_mark();
	finds_none("tp_sh1", "get_or_alloc index 1");
	says("shadow type 'index': its ctor failed with -5", NULL);
	check_ok(file_write("/sys/module/tp_sh1/parameters/fail_ctor", "0"));
	finds_none("tp_sh1", "get plain 1");
	finds_none("tp_sh1", "get index 1");
	finds("tp_sh1", "alloc plain 1", "");
	finds("tp_sh1", "alloc index 1", "");
}

/* Row 2 */
void test_02_shadow_no_memory(void)
{
	check_ok(mod_load("tp_pool", ""));
	/* 2 arrays, holder, record and root, 3 for each type, 1 more if indexed */
	exhaust("tp_sh1", 21);
	/* The one that was to fail next. */
	finds_none("tp_sh1", "alloc index 1");
	values_of_v1();
	/* Of those that failed none has left anything in the way of the last. */
	exhaust("tp_sh2", 7);
	check_ok(klp_wait_gone("tp_sh1"));
	finds("tp_sh2", "get plain 1", "from=1");
	finds("tp_sh2", "get index 1", "from=1");
}

/* Row 2: types that come to a state which another patch has. */
void test_02_shadow_added(void)
{
	setup("tp_shdrop");
	finds("tp_shdrop", "alloc plain 1", "");
	finds("tp_shdrop", "alloc index 1", "");
	/* 3 arrays, the holder, a part for each of 5 types, and 2 types */
	exhaust("tp_sh1", 11);
	check_ok(klp_wait_gone("tp_shdrop"));
	finds("tp_sh1", "get plain 1", "buf=plain");
	finds("tp_sh1", "get index 1", "buf=index");
	/* The one that was to fail next. */
	finds_none("tp_sh1", "alloc sleep 1");
	finds("tp_sh1", "alloc sleep 1", "buf=sleep");
	view("tp_sh1", "401 1 8 - vmlinux sh tp_sh1:live +plain:1 +index:1=1 ",
	     NULL);
}

/* Rows 2 and 17: a module is refused, and no table stays for what it would have. */
void test_17_shadow_no_memory(void)
{
	static const char fail[] = "/sys/module/tp_shm1/parameters/fail_alloc";
	char value[16];
	int n, ret;

	setup("tp_shm1");
	check_ok(mod_load("tp_mod1", ""));
	check_ok(mod_unload("tp_mod1"));
	for (n = 1; n < 20; n++) {
		snprintf(value, sizeof(value), "%d", n);
		check_ok(file_write(fail, value));
		ret = mod_load("tp_mod1", "");
		if (!ret)
			break;
		check(ret == -ENOMEM, "allocation %d: %d", n, ret);
		check_records();
	}
	check_ok(file_write(fail, "0"));
	check(n > 6 && n < 20, "only %d allocations", n - 1);
	finds("tp_shm1", "alloc index 1", "buf=index");
}

/* Row 19: nothing is freed any more; who comes next adopts it, or is refused. */
void test_19_shadow(void)
{
	pid_t pid;

	if (!mod_loaded("tp_pool"))
		check_ok(mod_load("tp_pool", ""));
	load("tp_shdrop");
	finds("tp_shdrop", "alloc plain 1", "");
	finds("tp_shdrop", "alloc plain 2", "");
	finds("tp_shdrop", "alloc plain 3", "");
	finds("tp_shdrop", "alloc index 1", "");
	pid = begin_disable("tp_shdrop");
	kmsg_mark();
	force_past("tp_shdrop", pid);
	check(!kmsg_has(" dtor"), "%s", kmsg_since());
	/* A task that is still in it finds what it did. */
	finds("tp_shdrop", "get plain 1", "buf=plain");
	finds("tp_shdrop", "get index 1", "buf=index");

	load("tp_sh2");
	finds("tp_sh2", "get plain 1", "buf=plain from=1");
	finds("tp_sh2", "get plain 2", "buf=plain from=1");
	/* What it was made from is still there, and must not come back. */
	kmsg_mark();
	call("tp_sh2", "free plain 2");
	events("tp_sh2 plain dtor", NULL);
	finds_none("tp_sh2", "get plain 2");
	call("tp_sh2", "free plain 3");
	events("tp_sh2 plain dtor", NULL);
	finds_none("tp_sh2", "get plain 3");
	finds("tp_sh2", "get index 1", "buf=index from=1");
	kmsg_mark();
	load("tp_nostate");
	check(!kmsg_has(" dtor"), "%s", kmsg_since());
	kmsg_mark();
	refused("tp_shs1", "", -EBUSY);
	says("tp_shs1: state 'sh'", "shadow type 'plain' (id 0x501)",
	     "left behind by a forced transition", NULL);
}

/*
 * Row 19: a state of a module, which is not there when it is forced. The values it
 * has then are not freed when the module is unloaded, nor found when it is loaded again.
 */
void test_19_shadow_absent(void)
{
	if (mod_loaded("tp_mod1"))
		skip("tp_mod1 was pinned by another test");
	if (!mod_loaded("tp_pool"))
		check_ok(mod_load("tp_pool", ""));
	load("tp_shm1");
	force_past("tp_shm2", begin_load("tp_shm2"));
	view("tp_shm2", " F tp_mod1 sh tp_shm2:idle", NULL);
	check_ok(mod_load("tp_mod1", ""));
	finds("tp_shm2", "alloc index 1", "");
	kmsg_mark();
	check_ok(mod_unload("tp_mod1"));
	events("tp_shm2 sh pre_unpatch", NULL);
	check_ok(mod_load("tp_mod1", ""));
	finds_none("tp_shm2", "get index 1");
	check_ok(mod_unload("tp_mod1"));
	disable("tp_shm2");
}

/* Row 13: nobody has asked yet for what is to be converted. */
void test_13_shadow_older(void)
{
	pid_t pid;

	setup("tp_sh1");
	values_of_v1();
	load_over("tp_sh2", "tp_sh1");
	pid = begin_load("tp_sh1");
	reverse("tp_sh1", pid, true);
	finds("tp_sh2", "get plain 1", "from=1");
	finds("tp_sh2", "get index 1", "from=1");
}

/*
 * Row 19: the same, and the newer patch is forced out in place of a reversal. Values of the
 * layout that both know are the older patch's, no patch finds the others.
 */
void test_19_shadow_older(void)
{
	if (!mod_loaded("tp_pool"))
		check_ok(mod_load("tp_pool", ""));
	load("tp_sho1");
	finds("tp_sho1", "alloc plain 1", "buf=plain");
	load_over("tp_sho2", "tp_sho1");
	kmsg_mark();
	force_past("tp_sho1", begin_load("tp_sho1"));
	view("tp_sho1", "408 1 8 F vmlinux sh tp_sho1:live", NULL);
	refused("tp_sho2b", "", -EBUSY);
	check(kmsg_has("values of version 2 were left behind"), "%s", kmsg_since());
	disable("tp_sho1");
	check(!kmsg_has(" dtor"), "%s", kmsg_since());
}

/*
 * Row 19: values of a forced-out patch whose layouts the older one does not know are
 * no business of its own ones, which are freed.
 */
void test_19_shadow_layout(void)
{
	if (!mod_loaded("tp_pool"))
		check_ok(mod_load("tp_pool", ""));
	load("tp_shf3");
	finds("tp_shf3", "alloc plain 1", "");
	finds("tp_shf3", "alloc count 1", "");
	kmsg_mark();
	force_past("tp_shf1", begin_load("tp_shf1"));
	view("tp_shf1", "406 1 8 - vmlinux sh tp_shf1:live", NULL);
	check(!kmsg_has(" dtor"), "%s", kmsg_since());
	finds_none("tp_shf1", "get plain 1");
	finds("tp_shf1", "alloc plain 2", "buf=plain");
	kmsg_mark();
	disable("tp_shf1");
	events("tp_shf1 sh pre_unpatch", "tp_shf1 plain dtor",
	       "tp_shf1 sh post_unpatch", NULL);
}

/* Row 19: the module of an orphan fails to load. Values go with the orphan. */
void test_19_shadow_lost(void)
{
	if (mod_loaded("tp_mod2"))
		skip("tp_mod2 was pinned by another test");
	if (!mod_loaded("tp_pool"))
		check_ok(mod_load("tp_pool", ""));
	load("tp_shl1");
	begin_coming("wait=1 fail=-7");
	finds("tp_shl1", "alloc index 1", "");
	force_past("tp_shl1", begin_disable("tp_shl1"));
	end_coming(1);
	load("tp_shl2");
	check_ok(mod_load("tp_mod2", ""));
	finds_none("tp_shl2", "get index 1");
	finds("tp_shl2", "alloc index 1", "");
	kmsg_mark();
	check_ok(mod_unload("tp_mod2"));
	events("tp_shl2 sh pre_unpatch", NULL);
	disable("tp_shl2");
}

/*
 * Row 19: going back by force. What the patch that was forced out has under an id
 * that the older patch has as well is not freed by that either.
 */
void test_19_shadow_downgrade(void)
{
	static const char raw[] = "/sys/module/tp_rawsh/parameters/op";
	pid_t pid;

	if (!mod_loaded("tp_pool"))
		check_ok(mod_load("tp_pool", ""));
	load("tp_sh3");
	finds("tp_sh3", "alloc count 1", "");
	pid = begin_load("tp_sh1");
	force_past("tp_sh1", pid);
	view("tp_sh1", "401 1 8 F vmlinux sh tp_sh1:live", NULL);
	kmsg_mark();
	disable("tp_sh1");
	check(!kmsg_has(" dtor"), "%s", kmsg_since());
	load("tp_rawsh");
	check(file_int(raw) >= 1, "the value of the forced-out patch is gone");
}
