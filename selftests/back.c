// SPDX-License-Identifier: GPL-2.0
/*
 * Rows 10 and 13: a patch takes the place of one that has a newer version of its
 * states, with a way back (tp_b2) and without one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"
#include "fields.h"
#include "vm/guest.h"

#define BACK	"tp_b2 alpha convert to=1 live=1 zeroed=1",		\
		"tp_a1 alpha adopt same=0 old_ok=1 live=1"

static bool is(const char *key, const char *value)
{
	return !strcmp(val(key), value);
}

/* Nothing is undone and nothing lost, in one direction and the other. */
void test_10_back(void)
{
	unsigned long beta;

	load("tp_a1");
	load_over("tp_b2", "tp_a1");
	show();
	beta = ptr("beta");
	kmsg_mark();
	load_over("tp_a1", "tp_b2");
	events(BACK, "tp_b2 beta shrink before=0", "tp_a1 beta adopt same=1",
	       "tp_a1 gamma adopt same=1", NULL);
	check_works("tp_a1");
	check(num("hits") == 2 && num("count") == 2 && ptr("beta") == beta,
	      "lost: %s", shown());
	view("tp_a1", "101 1 24 - vmlinux alpha tp_a1:live\n",
	     "102 1 8 - vmlinux beta tp_a1:live\n", NULL);

	/* As if it had never been newer. */
	load_over("tp_a1b", "tp_a1");
	kmsg_mark();
	disable("tp_a1b");
	check(kmsg_count(" pre_unpatch") == 3 && kmsg_count(" post_unpatch") == 3,
	      "%s", kmsg_since());
}

/*
 * Any of the patches that share the state may know the way: the first does not, and
 * the second has one to a size that the older patch does not have.
 */
void test_10_back_shared(void)
{
	unsigned long room;

	load("tp_room2");
	load("tp_room2_wrong");
	load("tp_room2_back");
	show();
	room = ptr("room");
	kmsg_mark();
	load("tp_room1");
	events("tp_room2_back room release", NULL);
	check_ok(klp_wait_gone("tp_room2"));
	check_ok(klp_wait_gone("tp_room2_wrong"));
	check_ok(klp_wait_gone("tp_room2_back"));
	show();
	check(is("patch", "tp_room1") && ptr("room") == room && num("uses") == 2,
	      "%s", shown());
}

/* Before completion both sides work on the newer object, and see its last values. */
void test_10_back_in_transition(void)
{
	char buf[4096];
	pid_t pid;

	load("tp_b2");
	kmsg_mark();
	pid = begin_load("tp_a1");
	events(NULL, NULL);
	check(console_level() == RAISED_LEVEL, "the change is reverted");
	show();
	check(is("patch", "tp_a1") && !*val("alpha"), "live too early: %s",
	      shown());
	check(num("count") == 1 && num("beta_live") == 1, "not shared: %s",
	      shown());
	check_ok(hold_release_all());
	check(!hold_finish(pid, buf, sizeof(buf)), "the held task failed");
	check(strstr(buf, "patch=tp_b2 ") && strstr(buf, "hits=1"), "%s", buf);
	check_ok(klp_settle(NULL));
	check_works("tp_a1");
	check(num("hits") == 2 && num("count") == 3, "lost: %s", shown());
}

/* A reader by klp_sdk_data() cannot wait: such a patch starts afresh. */
void test_10_back_reader(void)
{
	pid_t pid;

	load("tp_b2");
	kmsg_mark();
	pid = begin_load("tp_b1");
	events("tp_b2 alpha pre_unpatch live=0", "tp_b1 alpha pre_patch", NULL);
	show();
	check(num("data_magic") == 1, "%s", shown());
	release(pid);
	check_works("tp_b1");
	check(num("hits") == 1 && num("count") == 3, "%s", shown());
}

/* A state that went back can grow again, and its new fields are new. */
void test_10_back_again(void)
{
	pid_t pid;

	load("tp_b2");
	show();
	load_over("tp_a1", "tp_b2");
	check_ok(mod_load("tp_a2", "scribble=1"));
	check_ok(klp_settle("tp_a2"));
	check_ok(klp_wait_gone("tp_a1"));
	check_ok(mod_unload("tp_a1"));
	show();
	check(num("before") == 77, "%s", shown());
	load_over("tp_b2", "tp_a2");
	load_over("tp_a1", "tp_b2");
	pid = begin_load("tp_b2");
	show();
	check(num("before") == 0, "left by an earlier patch: %s", shown());
	release(pid);
	check_works("tp_b2");
	check(num("from") == 1 && num("before") > 0, "%s", shown());
}

/* Row 13 */
void test_13_back_reversed(void)
{
	unsigned long alpha, beta;
	int i;

	load("tp_b2");
	show();
	alpha = ptr("alpha");
	beta = ptr("beta");
	for (i = 0; i < 2; i++) {
		kmsg_mark();
		reverse("tp_a1", begin_load("tp_a1"), true);
		events(NULL, NULL);
		check_works("tp_b2");
		check(ptr("alpha") == alpha && ptr("beta") == beta,
		      "other objects: %s", shown());
	}
	load_over("tp_a1", "tp_b2");
	check_works("tp_a1");
}

void test_02_back_no_memory(void)
{
	load("tp_b2");
	show();
	kmsg_mark();
	/* 3 arrays, 3 holders, and alpha's older object */
	exhaust("tp_a1", 5);
	check(!kmsg_has("_unpatch"), "%s", kmsg_since());
	check_ok(klp_wait_gone("tp_b2"));
	check_ok(mod_unload("tp_b2"));
	check_works("tp_a1");
	check(num("hits") == 2, "%s", shown());
}

/* A thing that exists only once is passed on, or the older patch is told why not. */
void test_10_named(void)
{
	load("tp_named1");
	load_over("tp_named2_back", "tp_named1");
	kmsg_mark();
	load_over("tp_named1", "tp_named2_back");
	events("tp_named2_back number convert to=1 zeroed=1",
	       "tp_named2_back number release",
	       "tp_named1 number adopt owners=2", NULL);
	show();
	check(num("owners") == 2 && num("dev") == 1, "%s", shown());

	load_over("tp_named2", "tp_named1");
	kmsg_mark();
	refused("tp_named1", "", -EBUSY);
	says("tp_named1: state 'number' (id 232): pre_patch failed with -16",
	     "nothing was changed", "give the newer version a way back", NULL);
	show();
	check(is("patch", "tp_named2") && num("owners") == 3, "%s", shown());
	kmsg_mark();
	disable("tp_named2");
	events("tp_named2 number post_unpatch owners=3", NULL);
}

/*
 * Without a way back: what the older patch saves in pre_patch is the original, for
 * the newer one's change has been reverted.
 */
void test_10_saved_early(void)
{
	load("tp_e1");
	load_over("tp_e2", "tp_e1");
	reverse("tp_e1", begin_load("tp_e1"), true);
	check_works("tp_e2");
	load_over("tp_e1", "tp_e2");
	check_works("tp_e1");
	disable("tp_e1");
	check(console_level() == BASE_LEVEL, "level %ld", console_level());
}

/* Another state of the new patch does the job of one that it drops. */
void test_11_saved_early(void)
{
	load("tp_e1");
	load_over("tp_e3", "tp_e1");
	check_works("tp_e3");
	load_over("tp_e1", "tp_e3");
	check_works("tp_e1");
	disable("tp_e1");
	check(console_level() == BASE_LEVEL, "level %ld", console_level());
}

/* The older patch's pre_patch fails: the newer one makes its change again. */
void test_10_pre_patch_fails(void)
{
	load("tp_e2");
	kmsg_mark();
	refused("tp_e1", "fail_state=beta", -ENODEV);
	check(kmsg_count("klp-sdk: ") == 1 &&
	      kmsg_has("state 'beta' (id 102): pre_patch failed with -19"), "%s",
	      kmsg_since());
	events("tp_e2 beta pre_unpatch", "tp_e2 alpha pre_unpatch live=0",
	       "tp_e1 alpha pre_patch", "tp_e1 beta pre_patch",
	       "tp_e1 alpha post_unpatch", "tp_e2 alpha post_patch live=0",
	       "tp_e2 beta post_patch", NULL);
	check_works("tp_e2");
	/* Memory is taken before that: not even the change is reverted. */
	refused("tp_e1", "fail_alloc=9", -ENOMEM);
	events(NULL, NULL);
	check_works("tp_e2");
}

/* The advice of a refusal is not refused in turn. */
void test_15_advice(void)
{
	load("tp_named1");
	load_over("tp_named2_back", "tp_named1");
	kmsg_mark();
	/* With .replace it is let in, by the way back. */
	refused("tp_named1_stack", "", -EINVAL);
	check(kmsg_has("tp_named1_stack: state 'number' (id 232): version 2 is held by tp_named2_back, version 1 is here; set .replace or disable"),
	      "%s", kmsg_since());
	load_over("tp_named1", "tp_named2_back");
	disable("tp_named1");

	load("tp_perm");
	kmsg_mark();
	/* With .replace it is refused. */
	refused("tp_stack", "", -EINVAL);
	says("tp_stack: state 'alpha' (id 101): version 2 is held by tp_perm, version 1 is here; disable that patch first",
	     NULL);
	refused("tp_a1", "", -EINVAL);
	disable("tp_perm");
	load("tp_stack");
	check_works("tp_stack");
}

/* A patch that replaces others asks the latest of them for the way. */
void test_16_back_several(void)
{
	load("tp_b2");
	check_ok(mod_load("tp_ms1", ""));
	check_ok(klp_settle("tp_ms1"));
	kmsg_mark();
	load("tp_a1");
	check(kmsg_has("tp_b2 alpha convert to=1") &&
	      kmsg_has("tp_ms1 sv post_unpatch"), "%s", kmsg_since());
	check_ok(klp_wait_gone("tp_b2"));
	check_ok(klp_wait_gone("tp_ms1"));
	check_works("tp_a1");
}

/*
 * A way back that is forced: what a task in the newer patch may use is not released,
 * nor is its room used again.
 */
void test_19_back_forced(void)
{
	char buf[4096];
	pid_t pid;

	load("tp_named2_back");
	pid = begin_load("tp_named1b");
	kmsg_mark();
	force("tp_named1b");
	check(!kmsg_has("release"), "%s", kmsg_since());
	check(kmsg_count("tp_named2_back: state ") == 2 &&
	      kmsg_count("the module stays until a reboot") == 2, "%s",
	      kmsg_since());
	show();
	check(num("owners") == 1 && num("uses") == 1, "%s", shown());
	kmsg_mark();
	refused("tp_named2b_back", "", -EINVAL);
	says("tp_named2b_back: state 'room' (id 233): cannot grow to 16 bytes",
	     "room for 8", NULL);
	check_ok(hold_release_all());
	check(!hold_finish(pid, buf, sizeof(buf)), "the held task failed");
	check(strstr(buf, "note=number") && strstr(buf, "room=room"), "%s", buf);
}
