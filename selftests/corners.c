// SPDX-License-Identifier: GPL-2.0
/*
 * Corners of the contract: what only a mistake in one place of the engine would do,
 * found by making that mistake (mutants.txt).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract.h"
#include "fields.h"
#include "vm/guest.h"

#define MOD1	"tp_mod1"
#define VERSION	"/proc/version"

/* Start to disable @name while a task sleeps in the function of @path. */
static pid_t begin_disable_of(const char *name, const char *path)
{
	pid_t pid = hold_start(path);

	check(pid > 0, "no task could be held");
	check_ok(klp_write(name, "enabled", "0"));
	check(klp_transition(name) == 1, "%s is not in transition", name);
	return pid;
}

/*
 * Row 18: a module comes while one of two patches that share its state is being
 * disabled. Neither is live with the state when the core cannot patch the other's
 * function: what the first has introduced is undone once, by the first.
 */
void test_18_stacked_blocked(void)
{
	pid_t pid;
	int ret;

	load("tp_ms1");
	load("tp_ms2");
	pid = begin_disable_of("tp_ms1", VERSION);
	check_ok(mod_load("klp_sdk_block", "symbol=tp_mod1_show coming=1"));
	kmsg_mark();
	ret = mod_load(MOD1, "");
	check(ret == -EBUSY, "loading " MOD1 " gave %d", ret);
	events("tp_ms1 sm pre_patch", "tp_ms1 sm post_unpatch", NULL);
	check_ok(mod_unload("klp_sdk_block"));

	/* With the disable under way the other one makes the change. */
	check_ok(mod_load(MOD1, ""));
	events("tp_ms1 sm pre_patch", "tp_ms2 sm post_patch", NULL);
	release(pid);
	check_ok(klp_wait_gone("tp_ms1"));
	view("tp_ms2", "212 1 24 S tp_mod1 sm tp_ms2:live\n", NULL);
	disable("tp_ms2");
	events("tp_ms2 sm pre_unpatch", "tp_ms2 sv pre_unpatch",
	       "tp_ms2 sm post_unpatch", "tp_ms2 sv post_unpatch", NULL);
}

/*
 * Row 6: a patch that replaces others settles once. It must not take the state from
 * one that has come to share it when its own disable is reversed.
 */
void test_06_stacked_above(void)
{
	load("tp_ms3");
	load("tp_ms1");
	reverse("tp_ms3", begin_disable_of("tp_ms3", PROC), false);
	view("tp_ms1", "211 1 24 S vmlinux sv tp_ms3:live tp_ms1:live\n",
	     "212 1 24 S tp_mod1 sm tp_ms3:idle tp_ms1:idle\n", NULL);
	kmsg_mark();
	disable("tp_ms3");
	events(NULL, NULL);
	disable("tp_ms1");
	events("tp_ms1 sv pre_unpatch", "tp_ms1 sv post_unpatch", NULL);
}

/* Row 22, of shadow types. */
void test_22_shadow_parts(void)
{
	static const char *const pokes[][3] = {
		{ "type_abi", "2", "1" },
		{ "type_grown", "-8", "0" },
		{ "type_nr_older", "100", "0" },
		{ "type_flags", "0x100", "0x100" },
		{ "table_abi", "2", "1" },
		{ "part_abi", "2", "1" },
		{ "part_grown", "-8", "0" },
		{ "part_slots_size", "8", "16" },
	};
	size_t i;

	check_ok(mod_load("tp_pool", ""));
	load("tp_sh1");
	for (i = 0; i < ARRAY_SIZE(pokes); i++) {
		poke(pokes[i][0], pokes[i][1]);
		note("%s", pokes[i][0]);
		kmsg_mark();
		refused("tp_sh2", "", -EPROTO);
		says("tp_sh2: the system's records are of a release", NULL);
		poke(pokes[i][0], pokes[i][2]);
	}
	load_over("tp_sh2", "tp_sh1");
}

/* Row 2, with data that is another's: nothing of it stays in a record. */
void test_03_raw_no_memory(void)
{
	char params[32];
	int n;

	load("tp_raw");
	for (n = 4; n < 12; n++) {
		snprintf(params, sizeof(params), "fail_alloc=%d", n);
		refused("tp_a1", params, -ENOMEM);
	}
	check(console_level() == RAISED_LEVEL, "level %ld", console_level());
	disable("tp_raw");
}

/* Row 9: what the migration takes is not what the data has. */
void test_09_other_size(void)
{
	load("tp_a1");
	poke("record_data_size", "25");
	kmsg_mark();
	refused("tp_a2", "", -EINVAL);
	says("tp_a2: state 'alpha' (id 101): version 1 has 25 bytes in tp_a1",
	     "the migration takes 24", NULL);
}

/* Row 10: what the way back makes is not what the older patch has. */
void test_10_back_other_size(void)
{
	load("tp_b2");
	kmsg_mark();
	refused("tp_size", "", -EINVAL);
	says("tp_size: state 'alpha' (id 101): version 1 has 32 bytes here",
	     "the way back of tp_b2 gives 24", NULL);
	check_works("tp_b2");
}

/* Row 12, for the version after the one that is retired. */
void test_12_retire_newer(void)
{
	load("tp_perm");
	kmsg_mark();
	refused("tp_retire", "", -EINVAL);
	says("tp_retire: state 'alpha' (id 101): tp_perm has version 2, version 1 is retired",
	     NULL);
	check_works("tp_perm");
}

/* Row 14: both must say that they share. */
void test_14_one_stackable(void)
{
	load("tp_a1");
	kmsg_mark();
	refused("tp_s1", "", -EBUSY);
	says("tp_s1: state 'alpha' (id 101): held by tp_a1 already", NULL);
	disable("tp_a1");
	load("tp_s1");
	kmsg_mark();
	refused("tp_stack", "", -EBUSY);
	says("tp_stack: state 'alpha' (id 101): held by tp_s1 already", NULL);
	check_works("tp_s1");
}

/* Row 15: the core refuses what is older, and we say why. */
void test_15_stacked_older(void)
{
	load("tp_s4");
	kmsg_mark();
	refused("tp_s1", "", -EINVAL);
	says("tp_s1: state 'alpha' (id 101): version 2 is held by tp_s4, version 1 is here",
	     "set .replace or disable that patch first", NULL);
	check_works("tp_s4");
}

/* Row 17: the data that comes has less room than the record has said. */
void test_17_no_room(void)
{
	pid_t pid;
	int ret;

	load("tp_m0");
	poke("record_room", "64");
	pid = begin_load("tp_m2");
	kmsg_mark();
	ret = mod_load(MOD1, "");
	check(ret == -EINVAL, "loading " MOD1 " gave %d", ret);
	says("tp_m2: state 'mb' (id 203): cannot grow to 32 bytes", "room for 24",
	     NULL);
	release(pid);
	check_ok(mod_load(MOD1, ""));
	view("tp_m2", "203 2 32 - tp_mod1 mb tp_m2:live\n", NULL);
}

/* Row 18: a patch's functions see nothing of data that goes with its module. */
void test_18_prev_gone(void)
{
	pid_t pid;

	check_ok(mod_load(MOD1, ""));
	load("tp_m1");
	pid = begin_load("tp_m2");
	show();
	check(num("prev_ma") == 1, "%s", shown());
	check_ok(mod_unload(MOD1));
	show();
	check(num("prev_ma") == 0, "%s", shown());
	check_ok(mod_load(MOD1, ""));
	show();
	check(num("prev_ma") == 1, "%s", shown());
	release(pid);
	show();
	check(num("prev_ma") == 0, "%s", shown());
}

/*
 * Row 20: a raw patch has data of a module that is not loaded. The advice
 * helps.
 */
void test_20_raw_absent(void)
{
	check_ok(mod_load("tp_rawm", "early=1"));
	check_ok(klp_settle("tp_rawm"));
	kmsg_mark();
	refused("tp_mw1", "", -EAGAIN);
	says("tp_mw1: state 'rm' (id 221): the data of a livepatch without klp-sdk cannot be taken over while "
	     MOD1 " is not loaded; load that module first", NULL);
	check_ok(mod_load(MOD1, ""));
	kmsg_mark();
	load_over("tp_mw1", "tp_rawm");
	events("tp_mw1 rm adopt", NULL);
	view("tp_mw1", "221 1 24 - " MOD1 " rm tp_mw1:live\n", NULL);
}

/* Row 20: what a raw patch has is live on both sides from the start. */
void test_20_raw_live(void)
{
	char path[] = "/sys/module/tp_raw/parameters/alpha";
	pid_t pid;

	load("tp_raw");
	pid = begin_load("tp_a1");
	show();
	check(*val("alpha") && num("magic") == 1 && num("beta_live") == 1, "%s",
	      shown());
	release(pid);
	check_ok(klp_wait_gone("tp_raw"));
	check_ok(mod_unload("tp_raw"));
	load_over("tp_raw", "tp_a1");
	check(file_int(path) == 1, "it has lost its data");
	load("tp_perm");
	check_ok(klp_wait_gone("tp_raw"));
	/* It was converted and is freed: nothing of the other patch leads there. */
	check(file_int(path) == 0, "it keeps what was freed");
}

/* Row 20: what is copied is what klp_sdk_data() shows afterwards. */
void test_20_raw_reader(void)
{
	check_ok(mod_load("tp_rawmem", "where=vmalloc"));
	check_ok(klp_settle("tp_rawmem"));
	load_over("tp_b1", "tp_rawmem");
	show();
	check(ptr("data") && ptr("data") == ptr("alpha"), "%s", shown());
	check_works("tp_b1");
}

static void poke_from(const char *name, const char *path)
{
	char value[32];

	check(file_read(path, value, sizeof(value)) > 0, "cannot read %s", path);
	poke(name, value);
}

/* Row 21: nor if another patch is at the address of one that is gone. */
void test_21_patch_address(void)
{
	load("tp_mw1");
	load_over("tp_rawm", "tp_mw1");
	poke_from("holder_kstate", "/sys/module/tp_rawm/parameters/state");
	poke_from("holder_patch", "/sys/module/tp_rawm/parameters/patch");
	kmsg_mark();
	refused("tp_nostate", "", -EINVAL);
	says("tp_nostate: state 'rm' (id 221) is held by a livepatch without", NULL);
	/* The name of that one does not help, if the version is lower. */
	poke("holder_renamed", "1");
	poke("holder_version", "2");
	refused("tp_nostate", "", -EINVAL);
	says("tp_nostate: state 'rm' (id 221) is held by a livepatch without", NULL);
	poke("holder_patch", "0");
	load_over("tp_mw2", "tp_rawm");
	view("tp_mw2", "221 2 32 - tp_mod1 rm tp_mw2:idle\n", NULL);
}

/* Not even if its name is the same as well: the data is another's. */
void test_21_patch_forged(void)
{
	check_ok(mod_load(MOD1, ""));
	load("tp_mw1");
	load_over("tp_rawm", "tp_mw1");
	/* From here on the raw patch has data of its own. */
	check_ok(mod_unload(MOD1));
	check_ok(mod_load(MOD1, ""));
	poke_from("holder_kstate", "/sys/module/tp_rawm/parameters/state");
	poke_from("holder_patch", "/sys/module/tp_rawm/parameters/patch");
	poke("holder_renamed", "1");
	kmsg_mark();
	refused("tp_mw2", "", -EBUSY);
	says("tp_mw2: state 'rm' (id 221): held by tp_rawm, and by a livepatch without",
	     NULL);
	poke("holder_patch", "0");
	load_over("tp_mw2", "tp_rawm");
	view("tp_mw2", "221 2 32 - tp_mod1 rm tp_mw2:live\n", NULL);
}

static void check_reads(const char *patch, const char *want)
{
	char path[64], got[64];

	check_ok(klp_wait_gone(patch));
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/reads", patch);
	check(file_read(path, got, sizeof(got)) > 0, "cannot read %s", path);
	check(!strcmp(got, want), "%s sees %s", patch, got);
	check_ok(mod_unload(patch));
}

/*
 * Row 26: a patch that is gone sees nothing of what was freed, if there is code in its
 * module that the core does not know of.
 */
void test_26_reads_nothing(void)
{
	load("tp_a1");
	load("tp_a2");
	/* Only alpha was converted. */
	check_reads("tp_a1", "live=0 data=1 listed=0\n");
	load("tp_nostate");
	check_reads("tp_a2", "live=0 data=0 listed=0\n");
	load("tp_a1");
	check_ok(klp_wait_gone("tp_nostate"));
	check_ok(klp_write("tp_a1", "enabled", "0"));
	check_ok(klp_settle("tp_a1"));
	check_reads("tp_a1", "live=0 data=0 listed=0\n");
}

static void read_once(void *arg)
{
	struct fields f;

	(void)arg;
	_exit(fields_read(&f) > 0 ? 0 : 1);
}

/*
 * The object that klp_sdk_prev() has shown stays until its reader is done, on another CPU, though
 * the transition is complete meanwhile.
 */
void test_smp_grace(void)
{
	pid_t old, reader;

	load("tp_a1");
	old = hold_start(PROC);
	check(old > 0, "no task could be held");
	check_ok(mod_load("tp_a2", "spin=3000"));
	/* New tasks run the new function from now on. */
	sleep_ms(1500);
	reader = spawn(read_once, NULL);
	sleep_ms(300);
	release(old);
	check(!reap(reader), "the reader failed");
	check_ok(klp_wait_gone("tp_a1"));
	check_works("tp_a2");
	check(!kmsg_has(" BAD"), "%s", kmsg_since());
}

/* The modules are kept that states lead to which nobody has any more. */
static void check_kept(const char *patch, long users)
{
	char path[64];

	snprintf(path, sizeof(path), "%s: state 'sm' (id 212) was forced once", patch);
	check(kmsg_has(path), "%s", kmsg_since());
	check(!kmsg_has(" post_unpatch"), "%s", kmsg_since());
	check(file_int("/sys/module/" MOD1 "/refcnt") == users + 1,
	      MOD1 " has %ld users", file_int("/sys/module/" MOD1 "/refcnt"));
}

static long users_of_mod1(void)
{
	if (!mod_loaded(MOD1))
		check_ok(mod_load(MOD1, ""));
	return file_int("/sys/module/" MOD1 "/refcnt");
}

/* Row 19: states go in the very transition that is forced. */
void test_19_forced_dropped(void)
{
	long users = users_of_mod1();

	load("tp_ms3");
	kmsg_mark();
	force_past("tp_nostate", begin_load("tp_nostate"));
	check_kept("tp_ms3", users);
}

/* Row 19: the way back of a transition is forced. */
void test_19_forced_back(void)
{
	long users = users_of_mod1();
	pid_t old, new;

	old = begin_load("tp_ms4");
	new = hold_start(PROC);
	check(new > 0, "no task could be held in the new function");
	kmsg_mark();
	check_ok(klp_write("tp_ms4", "enabled", "0"));
	sleep_ms(2500);
	check(klp_transition("tp_ms4") == 1, "is not held on the way back");
	force_past("tp_ms4", old);
	check(!hold_finish(new, NULL, 0), "the held task failed");
	check_kept("tp_ms4", users);
}

/* Row 19: one of two patches that share a state is forced out, the later one. */
void test_19_forced_together(void)
{
	load("tp_ms1");
	load("tp_ms2");
	force_past("tp_ms2", begin_disable("tp_ms2"));
	view("tp_ms1", "211 1 24 SF vmlinux sv tp_ms1:live\n", NULL);
}

/*
 * Row 19: a state of a module has gone back in the transition that is forced. Nothing
 * of it is released, and the module is kept that this may lead to.
 */
void test_19_forced_shrunk(void)
{
	long users = users_of_mod1();
	unsigned long room;
	char buf[4096];
	pid_t pid;

	load("tp_roomm2");
	show();
	room = ptr("room");
	pid = begin_load("tp_roomm1");
	kmsg_mark();
	force("tp_roomm1");
	check(kmsg_has("tp_roomm2: state 'room' (id 235) was forced once and is not undone; the module stays") &&
	      kmsg_has("klp-sdk: state 'room' (id 235) was forced once and is not undone; " MOD1 " stays"),
	      "%s", kmsg_since());
	events(NULL, NULL);
	check(file_int("/sys/module/" MOD1 "/refcnt") == users + 1,
	      MOD1 " has %ld users", file_int("/sys/module/" MOD1 "/refcnt"));
	show();
	check(!strcmp(val("patch"), "tp_roomm1") && ptr("room") == room, "%s",
	      shown());
	check_ok(hold_release_all());
	check(!hold_finish(pid, buf, sizeof(buf)), "the held task failed");
	check(strstr(buf, "note=room"), "%s", buf);
}
