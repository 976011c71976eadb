// SPDX-License-Identifier: GPL-2.0
/*
 * Pools: a few patches that have to do with each other, and what else may happen to them.
 * A pool is small, so that all sequences of some depth can be tried.
 */
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "pool.h"

/*
 * Patches and words: mod1 and mod2 (the target comes and leaves), force, fail (a pre_patch
 * fails), core (the core fails), nomem (each allocation fails in turn), grace (a grace
 * period is an event of its own; otherwise one passes after each event), values (patches
 * attach shadow variables).
 */
static const struct {
	const char *name, *text;
} named[] = {
	/* Versions one after the other, and what may fail on the way */
	{ "versions",	"a1,a2,a3,fail,core" },
	{ "twins",	"a1,a1b,a2,fail" },
	{ "nomem",	"a1,a2,b2,nomem" },
	{ "grace",	"a1,a2,grace" },
	{ "back",	"a1,a2,b2,fail,core" },
	{ "back-read",	"b1,b2,a3" },
	{ "early",	"e1,e2,e3,core" },
	{ "early-older", "e1,e2,a1,a2" },
	{ "retire",	"a1,a2,retire,retire2" },
	{ "drop",	"a1,drop,nogamma,delta" },
	{ "perm",	"a1,perm,retire2,stack" },
	{ "swap",	"a1,swap,drop,nomig" },
	{ "no-state",	"a1,a2,nostate,modonly" },

	/* Several at a time */
	{ "stacked",	"s1,s2,s3,fail" },
	{ "stacked-perm", "s1,s2p,s2,s3,nostate" },
	{ "stacked-other", "a1,stack,s1,a2" },

	/* Without the SDK */
	{ "raw",	"a1,raw,a2,core" },
	{ "raw-back",	"b2,raw,a1" },
	{ "raw-module",	"mw1,rawm,mw2,mod1" },
	{ "raw-forced",	"a1,raw,a2,force" },
	{ "raw-forced-drop", "a1,raw,nostate,force" },
	{ "raw-forced-module", "mw1,mw1b,rawm,mod1,force" },

	/* States of modules that come and leave */
	{ "modules",	"m1,m2,mod1,core" },
	{ "modules-two", "m1,m2,mod1,mod2" },
	{ "modules-back", "m1,mb2,mod1,mod2" },
	{ "modules-drop", "m1,m3,mr,mod1" },
	{ "modules-perm", "m1,mp,mx,mod1" },
	{ "modules-twins", "m1,m1b,m2,mod1" },
	{ "modules-fail", "m1,mod1,mod2,fail,core" },
	{ "modules-drop-fail", "m1,m3,mr,mod1,fail" },
	{ "modules-nomem", "m1,m2,mod1,nomem" },
	{ "modules-stacked", "ms1,ms2,ms3,mod1" },
	{ "modules-lone", "mw1,mw1b,mw2,mod1" },

	/* What a force leaves behind */
	{ "forced",	"a1,a2,drop,force" },
	{ "forced-back", "a1,b2,retire,force" },
	{ "forced-stacked", "s1,s2,s3,force" },
	{ "forced-modules", "mw1,mw1b,mw2,mod1,force" },
	{ "forced-modules-back", "m1,mb2,mod1,force" },
	{ "orphans",	"orphan1,orphan2,orphan_v2,mod2,force" },
	{ "orphans-moved", "orphan1,orphan2,orphan_mod1,mod1,mod2,force" },

	{ "named",	"named1,named2,named2_back" },
	{ "named-twins", "named1,named1b,named2_back,core" },
	{ "shadows",	"sh1,sh2,sh3,core" },
	{ "shadows-drop", "sh1,sh2,shdrop,shret" },
	{ "values",	"sh1,sh2,values" },
	{ "values-drop", "sh1,shdrop,values" },
	{ "values-nomem", "sh1,sh2,values,nomem" },
	{ "shadows-forced", "sh1,sh2,sh3,force" },
	{ "shadows-drop-forced", "sh1,sh2,shdrop,shret,force" },
	{ "values-forced", "sh1,sh2,values,force" },
};

static int wrong(const char *what, int len, const char *word)
{
	fprintf(stderr, "sim: '%.*s' %s: sim --list shows pools, patches and words\n", len, word,
		what);
	return -1;
}

static bool *flag(struct spec *spec, const char *word)
{
	static const char *const words[] = {
		"mod1", "mod2", "force", "fail", "core", "nomem", "grace", "values",
	};
	bool *const flags[] = {
		&spec->targets[SIM_MOD1], &spec->targets[SIM_MOD2], &spec->force, &spec->fail,
		&spec->core, &spec->nomem, &spec->grace, &spec->values,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], word))
			return flags[i];
	return NULL;
}

static int add_word(struct spec *spec, const char *text, int len)
{
	char word[32];
	int i;

	if (len >= (int)sizeof(word))
		return wrong("is no patch", len, text);
	memcpy(word, text, len);
	word[len] = '\0';
	if (flag(spec, word)) {
		*flag(spec, word) = true;
		return 0;
	}
	for (i = 0; i < SIM_NR_PATCHES; i++) {
		if (strcmp(sim_pool[i].name, word))
			continue;
		if (memchr(spec->patches, i, spec->nr))
			return wrong("is there twice", len, text);
		spec->patches[spec->nr++] = i;
		return 0;
	}
	return wrong("is neither a pool nor a patch nor a word", len, text);
}

int spec_parse(const char *text, struct spec *spec)
{
	const char *at = text;
	size_t i;
	int len;

	*spec = (struct spec){ 0 };
	snprintf(spec->name, sizeof(spec->name), "%s", text);
	for (i = 0; i < ARRAY_SIZE(named); i++)
		if (!strcmp(named[i].name, text))
			at = named[i].text;
	for (;; at += len + 1) {
		len = strcspn(at, ",");
		if (add_word(spec, at, len))
			return -1;
		if (!at[len])
			break;
	}
	return spec->nr ? 0 : wrong("has no patch", strlen(text), text);
}

int spec_nr_named(void)
{
	return ARRAY_SIZE(named);
}

void spec_named(int nr, struct spec *spec)
{
	spec_parse(named[nr].name, spec);
}

bool spec_func(const struct spec *spec, int func)
{
	int i;

	if (func == SIM_MOD1_SHOW && !spec->targets[SIM_MOD1])
		return false;
	for (i = 0; i < spec->nr; i++)
		if (sim_pool[spec->patches[i]].funcs & SIM_FUNC_BIT(func))
			return true;
	return false;
}

void spec_list(void)
{
	size_t i;

	printf("pools:\n");
	for (i = 0; i < ARRAY_SIZE(named); i++)
		printf("  %-16s %s\n", named[i].name, named[i].text);
	printf("patches:");
	for (i = 0; i < SIM_NR_PATCHES; i++)
		printf("%s%s", i % 10 ? " " : "\n  ", sim_pool[i].name);
	printf("\nwords:\n"
	       "  mod1 mod2  the target comes and leaves\n"
	       "  force      a transition may be forced\n"
	       "  fail       a pre_patch may fail\n"
	       "  core       the core may fail to patch an object\n"
	       "  nomem      each allocation may fail\n"
	       "  grace      grace periods are events; otherwise one passes after each event\n"
	       "  values     patches attach shadow variables, find and free them\n");
}
