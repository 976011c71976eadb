// SPDX-License-Identifier: GPL-2.0
/*
 * Row 19, for states of modules: each reference to the module that an orphan is in is
 * dropped once, in whatever order the orphan, patches, and the module come and go.
 *
 * A patch that leaves such a state stays loaded for good, so each is a twin of the
 * same source, modules/orphan.c, and is used once.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract.h"
#include "fields.h"
#include "vm/guest.h"

#define MOD2	"tp_mod2"
#define USERS	"/sys/module/" MOD2 "/refcnt"
#define GO	"/sys/module/" MOD2 "/parameters/go"

#define MADE(_p)	_p " left pre_patch", _p " left post_patch"
#define ADOPTED(_p)	_p " left post_patch", _p " left adopt"

/* Once forced, nothing but this runs when the module is unloaded. */
#define LEFT(_p)	_p " left pre_unpatch"

static pid_t coming;

static void interrupted(int sig)
{
	(void)sig;
}

/* The program that loads the module; its exit status says how that ended. */
static void load_slowly(void *params)
{
	signal(SIGUSR1, interrupted);
	_exit(mod_load(MOD2, params) ? 1 : 0);
}

static void wait_coming(void)
{
	int i;

	for (i = 0; i < 100 && access(GO, F_OK); i++)
		sleep_ms(20);
	/* The file is there before the init runs. */
	sleep_ms(100);
	check(!access(GO, F_OK), MOD2 " does not come");
}

/* The module has begun to load, and waits in its init. */
void begin_coming(char *params)
{
	coming = spawn(load_slowly, params);
	wait_coming();
}

void end_coming(int status)
{
	int ret;

	check_ok(file_write(GO, "1"));
	ret = reap(coming);
	coming = 0;
	check(ret == status, "loading " MOD2 " ended with %d", ret);
}

/* The state was forced once: it is left behind, and so is the module. */
static void leave(const char *name)
{
	long users = file_int(USERS);

	check_ok(klp_write(name, "enabled", "0"));
	check_ok(klp_settle(name));
	check(file_int(USERS) == users + 1, "%ld users", file_int(USERS));
}

/* It has no part in what was forced. */
static void leave_nothing(const char *name)
{
	disable(name);
	check_ok(klp_wait_gone(name));
	check_ok(mod_unload(name));
}

static void check_unload(void)
{
	check(!file_int(USERS), "%ld users", file_int(USERS));
	check_ok(mod_unload(MOD2));
}

/* The orphan is adopted, and its module fails, or not, when it has been coming. */
static void orphan_coming(void)
{
	begin_coming("wait=1 fail=-7");
	force_past("tp_orphan1", begin_disable("tp_orphan1"));
	kmsg_mark();
	load("tp_orphan2");
	events(ADOPTED("tp_orphan2"), NULL);
	end_coming(1);
	events(LEFT("tp_orphan2"), NULL);

	begin_coming("wait=1");
	events(MADE("tp_orphan2"), NULL);
	leave("tp_orphan2");
	kmsg_mark();
	load("tp_orphan3");
	events(ADOPTED("tp_orphan3"), NULL);
	end_coming(0);
	check_unload();
	events(LEFT("tp_orphan3"), NULL);
}

/* The orphan's module fails and comes again, and nobody was told. */
static void orphan_lost(void)
{
	begin_coming("wait=1 fail=-7");
	leave("tp_orphan3");
	end_coming(1);
	check_ok(mod_load(MOD2, ""));
	kmsg_mark();
	load("tp_orphan4");
	events(MADE("tp_orphan4"), NULL);
	check_unload();
	check_ok(mod_load(MOD2, ""));
	events(LEFT("tp_orphan4"), MADE("tp_orphan4"), NULL);
}

/* A patch that does not adopt the orphan leaves it as it is. */
static void orphan_stays(void)
{
	long users;

	leave("tp_orphan4");
	users = file_int(USERS);
	kmsg_mark();
	check(mod_load("tp_orphan5", "fail_alloc=3") == -ENOMEM, "was loaded");
	reverse("tp_orphan5", begin_load("tp_orphan5"), true);
	load("tp_nostate");
	leave_nothing("tp_nostate");
	check_ok(mod_load("tp_rawmem", "id=231"));
	check_ok(klp_settle("tp_rawmem"));
	kmsg_mark();
	/* The orphan must not make this one look as if it had the raw patch's state. */
	refused("tp_nostate", "", -EINVAL);
	kmsg_mark();
	refused("tp_orphan_mod1", "", -EINVAL);
	says("tp_orphan_mod1: state 'left' (id 231)", "bound to 'tp_mod2'",
	     "to 'tp_mod1' here", NULL);
	leave_nothing("tp_rawmem");
	check(file_int(USERS) == users, "%ld users", file_int(USERS));
	check(mod_unload(MOD2) == -EAGAIN, "the module went");
	kmsg_mark();
	/* A patch that does not replace others takes it over, too: nobody has it. */
	load("tp_orphan5");
	events(ADOPTED("tp_orphan5"), NULL);
	check_unload();
}

/*
 * It is a newer version's: what is said then can be done, and helps. When it is gone with
 * its module nothing stands in the way but that it was forced.
 */
static void orphan_newer(void)
{
	begin_coming("wait=1 fail=-7");
	leave("tp_orphan6");
	kmsg_mark();
	load("tp_orphan_v2");
	events("tp_orphan_v2 left convert", ADOPTED("tp_orphan_v2"), NULL);
	leave("tp_orphan_v2");
	kmsg_mark();
	refused("tp_orphan7", "", -EINVAL);
	says("tp_orphan7: state 'left' (id 231): version 2 was left behind by a forced transition",
	     "load a patch with version 2 or later, or reboot", NULL);
	end_coming(1);
	check(mod_load("tp_orphan7", "fail_alloc=4") == -ENOMEM, "was loaded");
	load("tp_nostate");
	leave_nothing("tp_nostate");
	load("tp_orphan7");
	view("tp_orphan7", "231 1 16 F tp_mod2 left tp_orphan7:idle\n", NULL);
	leave_nothing("tp_orphan7");
}

/* In a transition that adopts the orphan its module fails, and comes again. */
static void orphan_gone_meanwhile(void)
{
	pid_t pid;

	begin_coming("wait=1 fail=-7");
	leave("tp_orphan5");
	pid = begin_load("tp_orphan6");
	kmsg_mark();
	end_coming(1);
	check_ok(mod_load(MOD2, ""));
	events("tp_orphan6 left pre_patch", NULL);
	release(pid);
	events("tp_orphan6 left post_patch", NULL);
	check_unload();
}

void test_19_orphan_of_module(void)
{
	forced = true;
	if (mod_loaded(MOD2))
		skip(MOD2 " was pinned by another test");
	load("tp_orphan1");
	orphan_coming();
	orphan_lost();
	orphan_stays();
	orphan_gone_meanwhile();
	orphan_newer();
}

/*
 * The module has begun to load so recently that another load of it could not be told
 * from this one: the state is given up, and the module kept for what may lead there.
 */
void test_19_given_up(void)
{
	char buf[4096];
	pid_t pid;
	int i;

	if (mod_loaded(MOD2))
		skip(MOD2 " was pinned by another test");
	load("tp_orphan8");
	kmsg_mark();
	coming = spawn(load_slowly, "early=1 wait=1 fail=-7");
	for (i = 0; i < 100 && !kmsg_has("tp_orphan8 left post_patch"); i++)
		sleep_ms(20);
	events(MADE("tp_orphan8"), NULL);
	pid = begin_disable("tp_orphan8");
	kmsg_mark();
	force("tp_orphan8");
	check(kmsg_has("klp-sdk: state 'left' (id 231) was forced once and is not undone; " MOD2 " stays") &&
	      !kmsg_has("is left behind"), "%s", kmsg_since());
	events(NULL, NULL);
	check_ok(hold_release_all());
	check(!hold_finish(pid, buf, sizeof(buf)), "the held task failed");
	check(strstr(buf, "magic=1"), "the data is gone: %s", buf);

	check(!kill(coming, SIGUSR1), "no program loads " MOD2);
	wait_coming();
	/* One is the load's. */
	check(file_int(USERS) == 2, "%ld users", file_int(USERS));
	kmsg_mark();
	load("tp_orphan9");
	events(MADE("tp_orphan9"), NULL);
	view("tp_orphan9", "231 1 16 - " MOD2 " left tp_orphan9:live\n", NULL);
	end_coming(1);
	events(LEFT("tp_orphan9"), "tp_orphan9 left post_unpatch", NULL);
	leave_nothing("tp_orphan9");
}
