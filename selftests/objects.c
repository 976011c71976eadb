// SPDX-License-Identifier: GPL-2.0
/*
 * The contract for states that are bound to modules, and for patches with many
 * states over several objects: rows 17, 18, 23 and what 24 and 25 say of objects.
 *
 * The test patches are those of modules/tpm.h; the modules that they change are
 * tp_mod1 and tp_mod2.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"
#include "fields.h"
#include "vm/guest.h"

#define MOD1	"tp_mod1"
#define MOD2	"tp_mod2"
#define USERS	"/sys/module/" MOD1 "/refcnt"
#define PARAM	"/sys/module/%s/parameters/%s"

static void mod_in(const char *name)
{
	check_ok(mod_load(name, ""));
}

static void mod_out(const char *name)
{
	check_ok(mod_unload(name));
}

/* What the function of tp_mod1 shows is sound, and from @patch if that is set. */
static void check_mod1(const char *patch)
{
	struct fields f;
	char buf[64];

	check(file_read("/proc/" MOD1, f.text, sizeof(f.text)) > 0,
	      "cannot read /proc/" MOD1);
	if (patch)
		check(!strcmp(field(&f, "patch", buf, sizeof(buf)), patch),
		      "not %s: %s", patch, f.text);
	if (!strcmp(f.text, "original\n"))
		return;
	check(strstr(f.text, " data=1"), "no data: %s", f.text);
	if (strstr(f.text, "patch=tp_rawm "))
		return;
	check(!patch || strstr(f.text, " live=1"), "not live: %s", f.text);
	if (strstr(f.text, " live=1"))
		check(strstr(f.text, " magic=1 made=1 "), "not sound: %s",
		      f.text);
}

static void set_param(const char *patch, const char *param, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), PARAM, patch, param);
	check_ok(file_write(path, value));
}

#define MOD1_PREPARED(_p)	_p " ma pre_patch", _p " mb pre_patch", \
				_p " mc pre_patch"
#define MOD1_LIVE(_p)		_p " ma post_patch", _p " mb post_patch", \
				_p " mc post_patch"
#define MOD1_LEAVING(_p)	_p " mc pre_unpatch", _p " mb pre_unpatch", \
				_p " ma pre_unpatch"
#define MOD1_UNDONE(_p)		_p " mc post_unpatch", _p " mb post_unpatch", \
				_p " ma post_unpatch"

/* Row 17 */
void test_17_comes_and_goes(void)
{
	int i;

	load("tp_m1");
	events("tp_m1 va pre_patch", "tp_m1 vb pre_patch", "tp_m1 vc pre_patch",
	       "tp_m1 va post_patch", "tp_m1 vb post_patch",
	       "tp_m1 vc post_patch", NULL);
	view("tp_m1", "202 1 24 - tp_mod1 ma tp_m1:idle\n", NULL);
	for (i = 0; i < 2; i++) {
		mod_in(MOD1);
		events(MOD1_PREPARED("tp_m1"), MOD1_LIVE("tp_m1"), NULL);
		check_mod1("tp_m1");
		view("tp_m1", "202 1 24 - tp_mod1 ma tp_m1:live\n", NULL);
		mod_out(MOD1);
		events(MOD1_LEAVING("tp_m1"), MOD1_UNDONE("tp_m1"), NULL);
	}
}

void test_17_loaded_before(void)
{
	mod_in(MOD1);
	mod_in(MOD2);
	load("tp_m1");
	check_mod1("tp_m1");
	kmsg_mark();
	mod_out(MOD1);
	events(MOD1_LEAVING("tp_m1"), MOD1_UNDONE("tp_m1"), NULL);
	mod_in(MOD1);
	check_mod1("tp_m1");
	disable("tp_m1");
	check_mod1("");
	load("tp_m1");
	check_mod1("tp_m1");
	mod_out(MOD2);
	kmsg_mark();
	disable("tp_m1");
	check(kmsg_count(" post_unpatch") == 6, "%s", kmsg_since());
}

void test_17_init_fails(void)
{
	int ret;

	load("tp_m1");
	kmsg_mark();
	ret = mod_load(MOD1, "fail=-7");
	check(ret == -7, "the module's init gave %d", ret);
	events(MOD1_PREPARED("tp_m1"), MOD1_LIVE("tp_m1"),
	       MOD1_LEAVING("tp_m1"), MOD1_UNDONE("tp_m1"), NULL);
	mod_in(MOD1);
	check_mod1("tp_m1");
}

void test_17_pre_patch_fails(void)
{
	load("tp_m1");
	set_param("tp_m1", "fail_state", "mb");
	kmsg_mark();
	check(mod_load(MOD1, "") == -ENODEV, "the module was loaded");
	check(kmsg_count("klp-sdk: ") == 1 &&
	      kmsg_has("tp_m1: state 'mb' (id 203): pre_patch failed with -19"),
	      "%s", kmsg_since());
	events("tp_m1 ma pre_patch", "tp_m1 mb pre_patch",
	       "tp_m1 ma post_unpatch", NULL);
	show();
	check(num("made") == 1, "%s", shown());
	/* Another module is none of that. */
	mod_in(MOD2);
	events("tp_m1 na pre_patch", "tp_m1 nb pre_patch", "tp_m1 na post_patch",
	       "tp_m1 nb post_patch", NULL);
	set_param("tp_m1", "fail_state", "-");
	mod_in(MOD1);
	check_mod1("tp_m1");
}

static void check_paired(const char *make, const char *undo)
{
	check(kmsg_count(make) == kmsg_count(undo), "%d x%s, %d x%s",
	      kmsg_count(make), make, kmsg_count(undo), undo);
}

/* Every allocation of @patch fails once when tp_mod1 comes. */
static void exhaust_coming(const char *patch, int least)
{
	char value[16];
	int n, ret;

	for (n = 1; n < 32; n++) {
		snprintf(value, sizeof(value), "%d", n);
		set_param(patch, "fail_alloc", value);
		kmsg_mark();
		ret = mod_load(MOD1, "");
		if (!ret)
			break;
		check(ret == -ENOMEM, "allocation %d: error %d", n, ret);
		check(kmsg_count("klp-sdk: ") == 1, "%s", kmsg_since());
	}
	set_param(patch, "fail_alloc", "0");
	check(n > least && n < 32, "only %d allocations", n - 1);
}

void test_17_no_memory(void)
{
	load("tp_m1");
	/* the data of three states */
	exhaust_coming("tp_m1", 3);
	check_mod1("tp_m1");
}

void test_17_after_replace(void)
{
	load("tp_m1");
	load_over("tp_m2", "tp_m1");
	kmsg_mark();
	/* Nothing to convert: the states are new with each load. */
	mod_in(MOD1);
	events(MOD1_PREPARED("tp_m2"), MOD1_LIVE("tp_m2"), NULL);
	view("tp_m2", "202 2 32 - tp_mod1 ma tp_m2:live\n",
	     "203 2 32 - tp_mod1 mb tp_m2:live\n", NULL);
	mod_out(MOD1);
	load_over("tp_m1", "tp_m2");
	kmsg_mark();
	mod_in(MOD1);
	events(MOD1_PREPARED("tp_m1"), MOD1_LIVE("tp_m1"), NULL);
	load_over("tp_m3", "tp_m1");
	kmsg_mark();
	mod_out(MOD1);
	events("tp_m3 mc pre_unpatch", "tp_m3 mb pre_unpatch",
	       "tp_m3 mc post_unpatch", "tp_m3 mb post_unpatch", NULL);
}

/* What does not fit is refused with the module absent as with it present. */
void test_17_refused_while_absent(void)
{
	load("tp_m1");
	kmsg_mark();
	refused("tp_mo", "", -EINVAL);
	says("tp_mo: state 'ma' (id 202)", "bound to 'tp_mod1' in tp_m1",
	     "to 'tp_mod2' here", NULL);
	refused("tp_mv", "", -EINVAL);
	says("tp_mv: state 'ma' (id 202)", "to 'vmlinux' here", NULL);
	load_over("tp_mp", "tp_m1");
	kmsg_mark();
	refused("tp_m1", "", -EINVAL);
	says("tp_m1: state 'ma' (id 202)", "permanent at version 2 in tp_mp",
	     NULL);
	refused("tp_m3", "", -EINVAL);
	says("tp_m3: state 'ma' (id 202)", "permanent", NULL);
	mod_in(MOD1);
	check_mod1("tp_mp");
}

/* Rows 9, 14 and 15 for states of a module that is not there, or is. */
static void test_refusals(void)
{
	load("tp_m1");
	kmsg_mark();
	refused("tp_mx", "", -EINVAL);
	says("tp_mx: state 'ma' (id 202)", "no migration from version 1",
	     "held by tp_m1, to version 3", NULL);
	refused("tp_mh", "", -EBUSY);
	says("tp_mh: state 'va' (id 201)", "held by tp_m1 already", NULL);
	disable("tp_m1");
	load("tp_ms1");
	kmsg_mark();
	refused("tp_ms4", "", -EBUSY);
	says("tp_ms4: state 'sm' (id 212)", "version 1 is held by tp_ms1",
	     "version 2 is here", NULL);
	disable("tp_ms1");
}

void test_09_module(void)
{
	test_refusals();
	mod_in(MOD1);
	test_refusals();
}

/* Row 3: the core fails to patch the module, after vmlinux was. */
void test_03_module(void)
{
	mod_in(MOD1);
	check_ok(mod_load("klp_sdk_block", "symbol=tp_mod1_show"));
	refused("tp_m1", "", -EBUSY);
	check_paired(" pre_patch", " post_unpatch");
	check(kmsg_count(" pre_patch") == 6 && !kmsg_has(" post_patch"), "%s",
	      kmsg_since());
	check_ok(mod_unload("klp_sdk_block"));
	load("tp_m1");
	check_mod1("tp_m1");
}

/* The room of an object that went with its module is not the next one's. */
void test_17_room(void)
{
	mod_in(MOD1);
	load("tp_m0");
	load_over("tp_m1", "tp_m0");
	mod_out(MOD1);
	load_over("tp_m2", "tp_m1");
	mod_in(MOD1);
	check_mod1("tp_m2");
}

void test_17_stacked(void)
{
	load("tp_ms1");
	load("tp_ms2");
	kmsg_mark();
	mod_in(MOD1);
	events("tp_ms1 sm pre_patch", "tp_ms1 sm post_patch", NULL);
	view("tp_ms1", "212 1 24 S tp_mod1 sm tp_ms1:live tp_ms2:live\n", NULL);
	mod_out(MOD1);
	check(kmsg_count(" pre_unpatch") == 1 &&
	      kmsg_count(" post_unpatch") == 1, "%s", kmsg_since());
	/* Neither sees anything of it any more. */
	check_records();
	mod_in(MOD1);
	check_mod1("tp_ms2");
	/* The one that introduced it leaves first. */
	kmsg_mark();
	disable("tp_ms1");
	events(NULL, NULL);
	check_mod1("tp_ms2");
	load("tp_ms1");
	check_mod1("tp_ms2");
	disable("tp_ms1");
	disable("tp_ms2");
	events("tp_ms2 sm pre_unpatch", "tp_ms2 sv pre_unpatch",
	       "tp_ms2 sm post_unpatch", "tp_ms2 sv post_unpatch", NULL);
}

/*
 * Row 18: a transition of each kind is held open while tp_mod1 comes and goes,
 * and is completed or reversed; whatever the order, each change is made once and
 * undone once, and the states are those of the patches that are enabled.
 */
struct scenario {
	const char *below[2];	/* enabled before */
	const char *patch;	/* enabled, or disabled if it is one of these */
	int done, back;		/* how many states there are afterwards */
	const char *proc;	/* where a task is held */
};

static bool is_below(const struct scenario *s)
{
	return s->below[0] && (!strcmp(s->patch, s->below[0]) ||
			       (s->below[1] && !strcmp(s->patch, s->below[1])));
}

/* All states are listed once, and are live if their object is there. */
static void check_states(const char *patch, int states)
{
	char path[128], list[4096], *line, *save, *pos;
	const char *want, *object;
	int n = 0;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/klp_sdk_states",
		 patch);
	check(file_read(path, list, sizeof(list)) > 0, "cannot read %s", path);
	strtok_r(list, "\n", &save);
	while ((line = strtok_r(NULL, "\n", &save))) {
		n++;
		object = strstr(line, " " MOD1 " ") ? MOD1 :
			 strstr(line, " " MOD2 " ") ? MOD2 : NULL;
		want = !object || mod_loaded(object) ? ":live" : ":idle";
		for (pos = line; (pos = strchr(pos, ':')); pos++)
			check(!strncmp(pos, want, 5), "not %s: %s", want, line);
	}
	check(n == states, "%d states, not %d, in %s", n, states, path);
}

/* tp_mod1 comes or goes. */
static void toggle(void)
{
	if (mod_loaded(MOD1)) {
		mod_out(MOD1);
	} else {
		mod_in(MOD1);
		check_mod1(NULL);
	}
}

/* What must hold when no transition runs. */
static void check_settled(int states)
{
	static const char *const all[] = {
		"tp_m1", "tp_m1b", "tp_m2", "tp_mb2", "tp_m3", "tp_mr",
		"tp_ms1", "tp_ms2", "tp_ms3", "tp_mw1", "tp_mw2",
	};
	const char *found = NULL;
	size_t i;
	int n = 0;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (klp_enabled(all[i]) == 1 && ++n)
			found = all[i];
	check(!found == !states, "%d patches and %d states", n, states);
	check_records();
	if (found)
		check_states(found, states);
	if (klp_enabled("tp_rawm") == 1)
		found = "tp_rawm";
	/* tp_ms1 changes another function. */
	if (mod_loaded(MOD1))
		check_mod1(n > 1 ? NULL :
			   found && strcmp(found, "tp_ms1") ? found : "");
}

static void clean_up(void)
{
	static const char *const all[] = {
		"tp_ms2", "tp_ms1", "tp_ms3", "tp_m1", "tp_m1b", "tp_m2",
		"tp_mb2", "tp_m3", "tp_mr", "tp_mw1", "tp_mw2", "tp_rawm",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		if (!mod_loaded(all[i]))
			continue;
		if (klp_enabled(all[i]) == 1)
			check_ok(klp_write(all[i], "enabled", "0"));
		check_ok(klp_settle(NULL));
		check_ok(klp_wait_gone(all[i]));
		check_ok(mod_unload(all[i]));
	}
}

static void begin(const struct scenario *s)
{
	int i;

	for (i = 0; i < 2 && s->below[i]; i++)
		load(s->below[i]);
}

/* Back to where @s begins: if possible, the old patch replaces the new one. */
static void again(const struct scenario *s)
{
	const char *old = s->below[0];

	if (!old || s->below[1] || is_below(s) || klp_enabled(old) == 1 ||
	    klp_wait_gone(old) || mod_unload(old) || mod_load(old, "")) {
		clean_up();
		begin(s);
		return;
	}
	check_ok(klp_settle(old));
	check_ok(klp_wait_gone(s->patch));
	mod_out(s->patch);
}

/* One transition, from and to a system that has settled. */
static void play(const struct scenario *s, bool loaded, int toggles, bool back)
{
	bool disables = is_below(s);
	pid_t pid;
	int i;

	note("%s: " MOD1 " is %s at first, %d x in or out, then %s", s->patch,
	     loaded ? "there" : "not there", toggles,
	     back ? "reversed" : "completed");
	if (mod_loaded(MOD1) != loaded)
		toggle();

	pid = hold_start(s->proc);
	check(pid > 0, "no task could be held");
	if (disables)
		check_ok(klp_write(s->patch, "enabled", "0"));
	else
		check_ok(mod_load(s->patch, ""));
	for (i = 0; i < toggles; i++)
		toggle();
	check(klp_transition(s->patch) == 1, "%s is not in transition",
	      s->patch);
	if (back)
		check_ok(klp_write(s->patch, "enabled", disables ? "1" : "0"));
	release(pid);
	check_ok(klp_settle(NULL));
	if (back && !disables) {
		check_ok(klp_wait_gone(s->patch));
		mod_out(s->patch);
	}
	check_settled(back ? s->back : s->done);
	check(!kmsg_has(" BAD "), "%s", kmsg_since());
}

/* All that tp_mod1 can do in three steps; tp_mod2 is just there. */
static void play_all(const struct scenario *s)
{
	static const struct {
		bool loaded;
		int toggles;
	} orders[] = { { false, 1 }, { true, 1 }, { false, 2 }, { true, 2 },
		       { false, 3 } };
	size_t i;

	kmsg_mark();
	mod_in(MOD2);
	begin(s);
	/* On the way back three steps are no more than two. */
	for (i = 0; i < ARRAY_SIZE(orders) - 1; i++)
		play(s, orders[i].loaded, orders[i].toggles, true);
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		play(s, orders[i].loaded, orders[i].toggles, false);
		if (i + 1 < ARRAY_SIZE(orders))
			again(s);
	}
	clean_up();
	mod_out(MOD2);
	if (mod_loaded(MOD1))
		mod_out(MOD1);
	check_paired(" pre_patch", " post_unpatch");
	check_paired(" post_patch", " pre_unpatch");
}

void test_18_enable(void)
{
	static const struct scenario s = {
		{ NULL }, "tp_m1", 8, 0, PROC,
	};

	play_all(&s);
}

void test_18_disable(void)
{
	static const struct scenario s = {
		{ "tp_m1" }, "tp_m1", 0, 8, PROC,
	};

	play_all(&s);
}

void test_18_replace_same_version(void)
{
	static const struct scenario s = {
		{ "tp_m1" }, "tp_m1b", 8, 8, PROC,
	};

	play_all(&s);
}

void test_18_replace_older(void)
{
	static const struct scenario s = {
		{ "tp_m1" }, "tp_m2", 8, 8, PROC,
	};

	play_all(&s);
}

void test_18_downgrade(void)
{
	static const struct scenario s = {
		{ "tp_m2" }, "tp_m1", 8, 8, PROC,
	};

	play_all(&s);
}

/* Row 10 with a way back: a hand-over in either direction. */
void test_18_back(void)
{
	static const struct scenario s = {
		{ "tp_mb2" }, "tp_m1", 8, 8, PROC,
	};

	play_all(&s);
}

void test_10_back_module(void)
{
	load("tp_mb2");
	mod_in(MOD1);
	mod_in(MOD2);
	kmsg_mark();
	load_over("tp_m1", "tp_mb2");
	check(kmsg_count(" adopt") == 8 && !kmsg_has("_patch") &&
	      !kmsg_has("_unpatch"), "%s", kmsg_since());
	check_mod1("tp_m1");
	view("tp_m1", "202 1 24 - tp_mod1 ma tp_m1:live\n", NULL);
	load_over("tp_mb2", "tp_m1");
	/* What the data has is known while the module is away, too. */
	mod_out(MOD1);
	kmsg_mark();
	load_over("tp_m1", "tp_mb2");
	mod_in(MOD1);
	events("tp_m1 va adopt", "tp_m1 na adopt", "tp_m1 vb adopt",
	       "tp_m1 nb adopt", "tp_m1 vc adopt", MOD1_PREPARED("tp_m1"),
	       MOD1_LIVE("tp_m1"), NULL);
	check_mod1("tp_m1");
}

void test_18_undeclared(void)
{
	static const struct scenario s = {
		{ "tp_m1" }, "tp_m3", 5, 8, PROC,
	};

	play_all(&s);
}

void test_18_retire(void)
{
	static const struct scenario s = {
		{ "tp_m1" }, "tp_mr", 7, 8, PROC,
	};

	play_all(&s);
}

void test_18_stacked(void)
{
	static const struct scenario s = {
		{ "tp_ms1" }, "tp_ms2", 2, 2, PROC,
	};

	play_all(&s);
}

void test_18_stacked_leave(void)
{
	static const struct scenario first = {
		{ "tp_ms1", "tp_ms2" }, "tp_ms1", 2, 2, "/proc/version",
	};
	static const struct scenario second = {
		{ "tp_ms1", "tp_ms2" }, "tp_ms2", 2, 2, PROC,
	};

	play_all(&first);
	play_all(&second);
}

void test_18_replace_several(void)
{
	static const struct scenario s = {
		{ "tp_ms1", "tp_ms2" }, "tp_ms3", 2, 2, PROC,
	};

	play_all(&s);
}

/* Row 20: what a patch without the SDK has, or gets meanwhile. */
void test_20_module(void)
{
	static const struct scenario s = {
		{ "tp_rawm" }, "tp_mw1", 1, 0, PROC,
	};

	play_all(&s);
}

void test_20_module_older(void)
{
	static const struct scenario s = {
		{ "tp_rawm" }, "tp_mw2", 1, 0, PROC,
	};

	play_all(&s);
}

/* Row 21, and back */
void test_21_module(void)
{
	static const struct scenario s = {
		{ "tp_mw1" }, "tp_rawm", 0, 1, PROC,
	};

	play_all(&s);
	/* The record that nobody has is forgotten by the next patch of the SDK. */
	load("tp_nostate");
}

void test_21_module_between(void)
{
	mod_in(MOD1);
	load("tp_mw1");
	load_over("tp_rawm", "tp_mw1");
	mod_out(MOD1);
	mod_in(MOD1);
	load_over("tp_mw2", "tp_rawm");
	check_mod1("tp_mw2");
	check_states("tp_mw2", 1);
	mod_out(MOD1);
	check_states("tp_mw2", 1);
}

/*
 * A record that nobody has is not trusted because an address came again: there is
 * no data to tell by while the module is not loaded.
 */
void test_21_module_address(void)
{
	static const char state[] = "/sys/module/tp_rawm/parameters/state";
	char value[32];

	load("tp_mw1");
	load_over("tp_rawm", "tp_mw1");
	check(file_read(state, value, sizeof(value)) > 0, "cannot read %s",
	      state);
	if (!mod_loaded("klp_sdk_poke"))
		mod_in("klp_sdk_poke");
	set_param("klp_sdk_poke", "holder_kstate", value);
	load_over("tp_mw2", "tp_rawm");
	check_states("tp_mw2", 1);
	mod_in(MOD1);
	check_mod1("tp_mw2");
}

/* Whose functions run, and when. */
void test_18_order(void)
{
	pid_t pid;

	load("tp_m1");
	pid = begin_load("tp_m2");
	kmsg_mark();
	mod_in(MOD1);
	events(MOD1_PREPARED("tp_m1"), MOD1_LIVE("tp_m1"), NULL);
	view("tp_m2", "202 1 24 - tp_mod1 ma tp_m1:live tp_m2:prepared\n",
	     NULL);
	release(pid);
	events("tp_m2 va adopt", "tp_m2 ma adopt", "tp_m2 mb adopt",
	       "tp_m2 vb adopt", "tp_m2 mc adopt", "tp_m2 vc adopt", NULL);

	/* Back to the older one: the newer one's functions undo its own. */
	mod_out(MOD1);
	pid = begin_load("tp_m1b");
	kmsg_mark();
	mod_in(MOD1);
	events(MOD1_PREPARED("tp_m2"), MOD1_LIVE("tp_m2"),
	       "tp_m2 mb pre_unpatch", "tp_m2 ma pre_unpatch",
	       "tp_m1b ma pre_patch", "tp_m1b mb pre_patch", NULL);
	mod_out(MOD1);
	events("tp_m2 mc pre_unpatch",
	       MOD1_UNDONE("tp_m2"),
	       "tp_m1b mb post_unpatch", "tp_m1b ma post_unpatch", NULL);
	release(pid);

	/* Retired: the new patch's functions, also if the module goes. */
	mod_in(MOD1);
	pid = begin_load("tp_mr");
	check(kmsg_has("tp_mr ma pre_unpatch"), "%s", kmsg_since());
	kmsg_mark();
	mod_out(MOD1);
	events("tp_m1b mc pre_unpatch", "tp_m1b mb pre_unpatch",
	       "tp_m1b mc post_unpatch", "tp_m1b mb post_unpatch",
	       "tp_mr ma post_unpatch", NULL);
	release(pid);
}

/* The new patch refuses the module; the old one and the transition go on. */
void test_18_module_refused(void)
{
	pid_t pid;

	load("tp_m2");
	pid = begin_load("tp_m1");
	set_param("tp_m1", "fail_state", "mb");
	kmsg_mark();
	check(mod_load(MOD1, "") == -ENODEV, "the module was loaded");
	events(MOD1_PREPARED("tp_m2"), MOD1_LIVE("tp_m2"),
	       "tp_m2 mb pre_unpatch", "tp_m2 ma pre_unpatch",
	       "tp_m1 ma pre_patch", "tp_m1 mb pre_patch",
	       "tp_m1 ma post_unpatch", "tp_m2 mc pre_unpatch",
	       MOD1_UNDONE("tp_m2"), NULL);
	set_param("tp_m1", "fail_state", "-");
	mod_in(MOD1);
	check_mod1(NULL);
	release(pid);
	check_mod1("tp_m1");
	check_states("tp_m1", 8);
	check_ok(klp_wait_gone("tp_m2"));
	mod_out("tp_m2");
	mod_out(MOD1);

	pid = begin_load("tp_m2");
	/* The new data of one state. */
	exhaust_coming("tp_m2", 1);
	release(pid);
	check_mod1("tp_m2");
}

#define PREPARED(_p)	_p " va pre_patch", _p " ma pre_patch",		\
			_p " mb pre_patch", _p " na pre_patch",		\
			_p " vb pre_patch", _p " nb pre_patch",		\
			_p " mc pre_patch", _p " vc pre_patch"

/* Row 23: eight states over three objects. */
void test_23_many(void)
{
	mod_in(MOD1);
	mod_in(MOD2);
	load("tp_m1");
	events(PREPARED("tp_m1"), "tp_m1 va post_patch", "tp_m1 ma post_patch",
	       "tp_m1 mb post_patch", "tp_m1 na post_patch",
	       "tp_m1 vb post_patch", "tp_m1 nb post_patch",
	       "tp_m1 mc post_patch", "tp_m1 vc post_patch", NULL);
	load_over("tp_m2", "tp_m1");
	events("tp_m2 va adopt", "tp_m2 ma adopt", "tp_m2 mb adopt",
	       "tp_m2 na adopt", "tp_m2 vb adopt", "tp_m2 nb adopt",
	       "tp_m2 mc adopt", "tp_m2 vc adopt", NULL);
	check_mod1("tp_m2");
	load_over("tp_m1", "tp_m2");
	/* na, mc and vc are the same in both. */
	check(kmsg_count("tp_m2 ") >= 10 &&
	      kmsg_count("tp_m2 ma pre_unpatch") == 1 &&
	      kmsg_count("tp_m2 nb post_unpatch") == 1 &&
	      kmsg_count("tp_m1 ma pre_patch") == 1 &&
	      kmsg_count(" adopt") == 3, "%s", kmsg_since());
	check_mod1("tp_m1");
	kmsg_mark();
	disable("tp_m1");
	events("tp_m1 vc pre_unpatch", "tp_m1 mc pre_unpatch",
	       "tp_m1 nb pre_unpatch", "tp_m1 vb pre_unpatch",
	       "tp_m1 na pre_unpatch", "tp_m1 mb pre_unpatch",
	       "tp_m1 ma pre_unpatch", "tp_m1 va pre_unpatch",
	       "tp_m1 vc post_unpatch", "tp_m1 mc post_unpatch",
	       "tp_m1 nb post_unpatch", "tp_m1 vb post_unpatch",
	       "tp_m1 na post_unpatch", "tp_m1 mb post_unpatch",
	       "tp_m1 ma post_unpatch", "tp_m1 va post_unpatch", NULL);
}

/* A failure in one undoes all before it, in reverse. */
void test_23_each_fails(void)
{
	static const char *const order[] = {
		"va", "ma", "mb", "na", "vb", "nb", "mc", "vc",
	};
	char params[32], want[64];
	const char *pos;
	size_t i, k;

	mod_in(MOD1);
	mod_in(MOD2);
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		snprintf(params, sizeof(params), "fail_state=%s", order[i]);
		kmsg_mark();
		refused("tp_m1", params, -ENODEV);
		check(kmsg_count("klp-sdk: ") == 1, "%s", kmsg_since());
		pos = kmsg_since();
		for (k = i; k-- > 0;) {
			snprintf(want, sizeof(want), "tp_m1 %s post_unpatch\n",
				 order[k]);
			pos = strstr(pos, want);
			check(pos, "no %s after the one before it:\n%s", want,
			      kmsg_since());
		}
		check(kmsg_count(" post_unpatch") == (int)i, "%s", kmsg_since());
	}
	load("tp_m1");
	check_mod1("tp_m1");
}

void test_23_no_memory(void)
{
	mod_in(MOD1);
	mod_in(MOD2);
	/* 2 arrays, the root, 8 states of 3 each */
	exhaust("tp_m1", 26);
	check_mod1("tp_m1");
	/* 3 arrays, 8 holders, 3 new objects */
	exhaust("tp_m2", 13);
	check_ok(klp_wait_gone("tp_m1"));
	check_ok(mod_unload("tp_m1"));
	/* 5 of the states are undone and made anew. */
	exhaust("tp_m1", 20);
	check_ok(klp_wait_gone("tp_m2"));
	check_mod1("tp_m1");
}

void test_23_reversed(void)
{
	mod_in(MOD1);
	mod_in(MOD2);
	reverse("tp_m1", begin_load("tp_m1"), true);
	load("tp_m1");
	reverse("tp_m2", begin_load("tp_m2"), true);
	check_mod1("tp_m1");
	reverse("tp_m3", begin_load("tp_m3"), true);
	check_mod1("tp_m1");
	reverse("tp_m1", begin_disable("tp_m1"), false);
	check_mod1("tp_m1");
	check_states("tp_m1", 8);
}

/* Row 24 */
void test_24_object(void)
{
	refused("tp_my", "", -EINVAL);
	says("tp_my: state 'nb' (id 206)", "'ma' has the same KLP_SDK_CONVERT()",
	     NULL);
	refused("tp_mn", "", -EINVAL);
	says("tp_mn: ma: 'tp-mod1' is no name of a module", NULL);
	mod_in(MOD1);
	load("tp_m1");
	kmsg_mark();
	refused("tp_mo", "", -EINVAL);
	says("tp_mo: state 'ma' (id 202)", "to 'tp_mod2' here", NULL);
	check_mod1("tp_m1");
}

/* Row 25: a patch that says nothing of the modules has their states leave. */
void test_25_objects_added(void)
{
	pid_t pid;

	load("tp_m1");
	pid = begin_load("tp_nostate");
	kmsg_mark();
	mod_in(MOD1);
	events(MOD1_PREPARED("tp_m1"), MOD1_LIVE("tp_m1"),
	       MOD1_LEAVING("tp_m1"), NULL);
	release(pid);
	check(kmsg_count(" post_unpatch") == 6, "%s", kmsg_since());
	mod_out(MOD1);
	mod_in(MOD1);
	check(kmsg_count(" pre_patch") == 0, "%s", kmsg_since());
	check_mod1("");
}

/*
 * Row 19: what is left behind by a force may point into the module, which stays
 * until a patch has taken it over.
 */
void test_19_module_pinned(void)
{
	pid_t pid;

	mod_in(MOD1);
	load("tp_m1");
	pid = begin_disable("tp_m1");
	kmsg_mark();
	force("tp_m1");
	check(!kmsg_has(" post_unpatch"), "%s", kmsg_since());
	check(kmsg_count("left behind; tp_mod1 cannot be unloaded") == 3, "%s",
	      kmsg_since());
	check(mod_unload(MOD1) == -EAGAIN, "the module went");
	check_ok(hold_release_all());
	check(!hold_finish(pid, NULL, 0), "the held task failed");
	kmsg_mark();
	load("tp_m1b");
	check(kmsg_has("tp_m1b ma adopt") && !kmsg_has(" pre_patch"), "%s",
	      kmsg_since());
	check_mod1("tp_m1b");
	/* A cycle per load as ever, but nothing of it is freed. */
	kmsg_mark();
	mod_out(MOD1);
	events(MOD1_LEAVING("tp_m1b"), NULL);
	mod_in(MOD1);
	check_mod1("tp_m1b");
	/* Its own module is kept once for all of them. */
	kmsg_mark();
	mod_out(MOD1);
	check(!kmsg_has("the module stays"), "%s", kmsg_since());
	mod_in(MOD1);
	disable("tp_m1b");
}

/* Row 19: sticky also over a patch without the SDK that had the data meanwhile. */
void test_19_forced_then_raw(void)
{
	long users;

	/* The test before may have left it pinned. */
	if (!mod_loaded(MOD1))
		mod_in(MOD1);
	load("tp_mw1");
	force_past("tp_mw1b", begin_load("tp_mw1b"));
	view("tp_mw1b", "221 1 24 F tp_mod1 rm tp_mw1b:live\n", NULL);
	load_over("tp_rawm", "tp_mw1b");
	load_over("tp_mw2", "tp_rawm");
	view("tp_mw2", "221 2 32 F tp_mod1 rm tp_mw2:live\n", NULL);
	kmsg_mark();
	users = file_int(USERS);
	disable("tp_mw2");
	check(!kmsg_has(" post_unpatch"), "%s", kmsg_since());

	/* The orphan keeps the module, of which a raw patch knows nothing. */
	check(file_int(USERS) == users + 1, "%ld users", file_int(USERS));
	load("tp_rawm");
	load_over("tp_mw1b", "tp_rawm");
	check(file_int(USERS) == users + 1, "%ld users", file_int(USERS));

	/* The data is a raw patch's, which frees it: no orphan. */
	load_over("tp_rawm", "tp_mw1b");
	disable("tp_rawm");
	check_ok(klp_wait_gone("tp_rawm"));
	kmsg_mark();
	load("tp_mw1b");
	events("tp_mw1b rm pre_patch", "tp_mw1b rm post_patch", NULL);
}
