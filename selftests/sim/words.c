// SPDX-License-Identifier: GPL-2.0
/*
 * The words by which test patches, and the list of states, say what they do: both the
 * simulation and the replay in a VM read them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"

const char *const fn_names[SIM_NR_FNS] = {
	"pre_patch", "post_patch", "pre_unpatch", "post_unpatch", "adopt", "convert",
	"grow", "shrink", "frees", "inherits",
};

const char *const phase_names[SIM_NR_PHASES] = { "none", "idle", "prepared", "live", "leaving" };

const char *const call_names[SIM_NR_SHADOW_CALLS] = {
	"get", "get_or_alloc", "alloc", "free", "prev", "again", "some",
};

const char *const type_names[SIM_NR_TYPES] = { "plain", "index", "count", "quiet", "sleep" };
const char *const some_names[SIM_NR_SOME] = { "fill", "thin", "sum" };
const unsigned short sim_bulk[SIM_NR_PARENTS] = { 2, 20, 100, 1000 };

void value_call(int par, char *buf, unsigned long size)
{
	int call = SIM_SHADOW_CALL(par), type = SIM_SHADOW_TYPE(par);
	int parent = SIM_SHADOW_PARENT(par);

	if (call == SIM_SOME)
		snprintf(buf, size, "%s index %u", some_names[type], sim_bulk[parent]);
	else
		snprintf(buf, size, "%s %s %d", call_names[call], type_names[type], parent);
}

/* The number behind "NAME=", 0 if it is not there */
static unsigned int number(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

static int one_seen(const char *text, const char *type, struct sim_value *value)
{
	const char *buf = strstr(text, "buf=");

	if (!strcmp(text, "none\n"))
		return 1;
	value->there = 1;
	value->born = number(text, "born=");
	value->from = number(text, "from=");
	value->nr = number(text, "count=");
	return number(text, "magic=") == 1 && !(buf && strncmp(buf + 4, type, strlen(type)));
}

int value_seen(int par, const char *text, struct sim_value *value)
{
	int type = SIM_SHADOW_TYPE(par);
	unsigned int sum;

	if (SIM_SHADOW_CALL(par) != SIM_SOME)
		return one_seen(text, type_names[type], value);
	if (type != SIM_SUM)
		return 1;
	sum = number(text, "values=");
	value->nr = sum;
	return !number(text, "bad=") && number(text, "found=") == sum;
}
