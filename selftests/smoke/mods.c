// SPDX-License-Identifier: GPL-2.0
/* The patch author's modules: loading, unloading, transitions that are held open. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "smoke.h"

struct mod mods[MODS_MAX];
int nr_mods;

int loaded_since(const char *mod)
{
	const struct mod *m;

	for_each_mod(m)
		if (m->loaded && !strcmp(m->name, mod))
			return m->since;
	return INT_MAX;
}

int try_load(struct mod *m)
{
	char path[100];
	int err;

	/* Not with our own test modules, of which one may have the same name. */
	snprintf(path, sizeof(path), "../smoke/%s", m->file);
	err = mod_load(path, "");
	m->loaded = !err;
	m->since = step_number();
	return err;
}

void load_mod(struct mod *m)
{
	int err = try_load(m);

	must(!err, "%s does not load: %s", m->name, strerror(-err));
	must(!m->livepatch || klp_present(m->name),
	     "%s has loaded without a livepatch: does its init call klp_enable_patch()?",
	     m->name);
}

/* To refuse an older patch, or one without the states, is right for some patches. */
const char *refusal(void)
{
	if (kmsg_has("is not compatible with the already installed livepatches"))
		return "the core refuses it because of the states' versions";
	if (kmsg_has("is permanent") || kmsg_has("permanent at version"))
		return "a state is permanent";
	return NULL;
}

static long references(const struct mod *m)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", m->name);
	return file_int(path);
}

void unload(struct mod *m)
{
	int err;

	if (m->livepatch && klp_wait_gone(m->name))
		must(!klp_present(m->name), "%s does not leave /sys/kernel/livepatch", m->name);
	err = mod_unload(m->name);
	must(!err, "%s cannot be unloaded: %s, reference count %ld", m->name,
	     err == -EAGAIN ? "it is in use" :
	     err == -EBUSY ? "it has no exit function" : strerror(-err), references(m));
	must(!mod_loaded(m->name), "%s is still loaded", m->name);
	m->loaded = false;
}

void settle(const struct mod *m)
{
	must(!klp_settle(m->name), "the transition of %s does not end", m->name);
}

void still_enabled(const struct mod *except)
{
	const struct mod *m;

	for_each_mod(m)
		must(m == except || !m->livepatch || !m->loaded || klp_enabled(m->name) == 1,
		     "%s is no longer enabled", m->name);
}

/* A transition that stays open until it is released */

static pid_t held;

/* The module stays no longer than needed, for what ftrace keeps of it. */
void hold(void)
{
	must(!mod_load("klp_sdk_hold", ""), "klp_sdk_hold does not load");
	held = hold_start(NULL);
	must(held > 0, "no task could be held");
}

/* All tasks but the held one are in the new state when this returns. */
void in_transition(const struct mod *m)
{
	sleep_ms(2500);
	must(klp_transition(m->name) == 1, "the transition of %s cannot be held open", m->name);
}

void turn(const struct mod *m, const char *enabled)
{
	int err = klp_write(m->name, "enabled", enabled);

	must(!err, "writing %s to enabled of %s: %s", enabled, m->name, strerror(-err));
}

void release(void)
{
	must(!hold_release_all() && !hold_finish(held, NULL, 0), "the held task has failed");
	must(!mod_unload("klp_sdk_hold"), "klp_sdk_hold cannot be unloaded");
}
