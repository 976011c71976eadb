// SPDX-License-Identifier: GPL-2.0
/* The patches of the pool as their sources in selftests/modules declare them. */
#include "pool.h"

#define CMDLINE		SIM_FUNC_BIT(SIM_CMDLINE)
#define VERSION		SIM_FUNC_BIT(SIM_VERSION)
#define MOD1		SIM_FUNC_BIT(SIM_MOD1_SHOW)

#define ALL_TP		{ "alpha", "beta", "gamma" }
#define ALL_TPM		{ "va", "ma", "mb", "na", "vb", "nb", "mc", "vc" }

#define PATCH(_name, _funcs, _replace, _fails, ...)			\
	[SIM_##_name] = {						\
		.name = #_name, .states = __VA_ARGS__, .funcs = _funcs,	\
		.replace = _replace, .fails = _fails,			\
	}
/* Those of tp.h and of tpm.h */
#define TP(_name, ...)	PATCH(_name, CMDLINE, 1, 1, __VA_ARGS__)
#define TPM(_name, ...)	PATCH(_name, CMDLINE | MOD1, 1, 1, __VA_ARGS__)
/* Those without the parameter fail_state */
#define OTHER(_name, ...) PATCH(_name, CMDLINE, 1, 0, __VA_ARGS__)
/* Those of tps.h */
#define SHADOWS(_name, ...)						\
	[SIM_##_name] = {						\
		.name = #_name, .states = __VA_ARGS__, .funcs = CMDLINE,	\
		.replace = 1, .values = 1,				\
	}

const struct sim_pool_patch sim_pool[SIM_NR_PATCHES] = {
	TP(a1, ALL_TP),
	TP(a1b, ALL_TP),
	TP(a2, ALL_TP),
	TP(a3, ALL_TP),
	TP(b1, ALL_TP),
	TP(b2, ALL_TP),
	TP(e1, ALL_TP),
	TP(e2, ALL_TP),
	TP(e3, ALL_TP),
	TP(delta, { "alpha", "beta", "delta", "gamma" }),
	TP(drop, { "beta", "alpha" }),
	PATCH(modonly, 0, 1, 1, ALL_TP),
	TP(nogamma, { "alpha", "beta" }),
	TP(nomig, ALL_TP),
	PATCH(nostate, 0, 1, 0, { }),
	TP(perm, ALL_TP),
	TP(retire, ALL_TP),
	TP(retire2, ALL_TP),
	PATCH(s1, CMDLINE, 0, 1, { "alpha", "beta" }),
	PATCH(s2, CMDLINE, 0, 1, { "alpha", "beta" }),
	PATCH(s2p, CMDLINE, 0, 1, { "alpha", "beta" }),
	TP(s3, { "alpha", "beta" }),
	PATCH(stack, CMDLINE, 0, 1, ALL_TP),
	TP(swap, { "alpha", "beta" }),
	TPM(m1, ALL_TPM),
	TPM(m1b, ALL_TPM),
	TPM(m2, ALL_TPM),
	TPM(m3, { "va", "mb", "vb", "nb", "mc" }),
	TPM(mb2, ALL_TPM),
	TPM(mp, ALL_TPM),
	TPM(mr, ALL_TPM),
	TPM(mx, ALL_TPM),
	PATCH(ms1, VERSION, 0, 1, { "sv", "sm" }),
	PATCH(ms2, CMDLINE | MOD1, 0, 1, { "sv", "sm" }),
	TPM(ms3, { "sv", "sm" }),
	TPM(mw1, { "rm" }),
	TPM(mw1b, { "rm" }),
	TPM(mw2, { "rm" }),
	OTHER(orphan1, { "left" }),
	OTHER(orphan2, { "left" }),
	OTHER(orphan3, { "left" }),
	OTHER(orphan_v2, { "left" }),
	OTHER(orphan_mod1, { "left" }),
	OTHER(named1, { "number", "room" }),
	OTHER(named1b, { "number", "room" }),
	OTHER(named2, { "number", "room" }),
	OTHER(named2_back, { "number", "room" }),
	SHADOWS(sh1, { "sh" }),
	SHADOWS(sh2, { "sh", "late" }),
	SHADOWS(sh3, { "sh" }),
	SHADOWS(shdrop, { "sh" }),
	SHADOWS(shret, { "sh" }),
	OTHER(raw, ALL_TP),
	PATCH(rawm, CMDLINE | MOD1, 1, 0, { "rm" }),
};

int sim_nr_states(int patch)
{
	int n = 0;

	while (sim_pool[patch].states[n])
		n++;
	return n;
}

static int odd_load(const struct sim_event *event)
{
	if (event->arg >= SIM_NR_PATCHES)
		return 1;
	if (event->par <= SIM_PAR_CORE)
		return 0;
	if (event->par == SIM_PAR_RAW_STACKED)
		return event->arg != SIM_raw;
	return !sim_pool[event->arg].fails || event->par > SIM_PAR_RAW_STACKED ||
		event->par - SIM_PAR_STATE >= sim_nr_states(event->arg);
}

static int odd_shadow(int par)
{
	int call = SIM_SHADOW_CALL(par), type = SIM_SHADOW_TYPE(par);

	if (call == SIM_AGAIN)
		return type;
	if (call == SIM_PREV)
		return type >= SIM_COUNT;
	return call >= SIM_NR_SHADOW_CALLS ||
		type >= (call == SIM_SOME ? (int)SIM_NR_SOME : (int)SIM_NR_TYPES);
}

int sim_event_odd(const struct sim_event *event)
{
	switch (event->op) {
	case SIM_LOAD:
		return odd_load(event);
	case SIM_UNLOAD:
	case SIM_ENABLE:
	case SIM_DISABLE:
	case SIM_FORCE:
		return event->arg >= SIM_NR_PATCHES || event->par;
	case SIM_ENTER:
		return event->arg >= SIM_NR_FUNCS || event->par;
	case SIM_COMING:
		return event->arg >= SIM_NR_TARGETS || event->par > SIM_PAR_CORE;
	case SIM_INIT:
		return event->arg >= SIM_NR_TARGETS || event->par > 1;
	case SIM_RMMOD:
		return event->arg >= SIM_NR_TARGETS || event->par;
	case SIM_READ:
		return event->arg >= SIM_NR_PATCHES || event->par;
	case SIM_CALL:
		return event->arg >= SIM_NR_FUNCS || event->par;
	case SIM_SHADOW:
		return event->arg >= SIM_NR_PATCHES || odd_shadow(event->par);
	default:
		return event->op >= SIM_NR_OPS || event->arg || event->par;
	}
}
