/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the model knows of the pool of patches: states, functions, and what each patch
 * declares. Written from the sources of the patches in selftests/modules.
 */
#ifndef _KLP_SDK_MODEL_POOL_H
#define _KLP_SDK_MODEL_POOL_H

#include "sim.h"

#define BIT(_nr)	(1u << (_nr))
#define MAX_STATES	8	/* of a patch */

/* The states. One under the id of another, or bound to another module, is one of its own. */
enum kind {
	NO_STATE, ALPHA, BETA, GAMMA, DELTA, ALPHA_111, ALPHA_103, VA, MA, MB, NA, VB, NB, MC,
	VC, SV, SM, RM, LEFT_MOD2, LEFT_MOD1, NUMBER, ROOM, SH, LATE, NR_KINDS,
};

#define FOUR	(BIT(SIM_PRE_PATCH) | BIT(SIM_POST_PATCH) | BIT(SIM_PRE_UNPATCH) | \
		 BIT(SIM_POST_UNPATCH))
#define ADOPTS	BIT(SIM_ADOPT)
#define CHANGES	BIT(SIM_CONVERT)
#define GROWS	(BIT(SIM_GROW) | BIT(SIM_SHRINK))

static const struct {
	char name[6];
	unsigned short id;
	signed char target;	/* the module that it is bound to, -1 is vmlinux */
	unsigned char says;	/* functions that tell the log */
	unsigned char level;	/* its change is that of the console's level */
	unsigned char grows;	/* migrates in place */
	unsigned char takes;	/* pre_patch allocates */
} kinds[NR_KINDS] = {
	[ALPHA]	    = { "alpha",  101, -1, FOUR | ADOPTS | CHANGES, .level = 1, .takes = 1 },
	[BETA]	    = { "beta",	  102, -1, FOUR | ADOPTS | GROWS, .grows = 1 },
	[GAMMA]	    = { "gamma",  103, -1, FOUR | ADOPTS, .takes = 1 },
	[DELTA]	    = { "delta",  104, -1, FOUR, .takes = 1 },
	[ALPHA_111] = { "alpha",  111, -1, FOUR | ADOPTS, .level = 1, .takes = 1 },
	[ALPHA_103] = { "alpha",  103, -1, FOUR | ADOPTS, .level = 1, .takes = 1 },
	[VA]	    = { "va",	  201, -1, FOUR | ADOPTS, .takes = 1 },
	[MA]	    = { "ma",	  202, SIM_MOD1, FOUR | ADOPTS, .takes = 1 },
	[MB]	    = { "mb",	  203, SIM_MOD1, FOUR | ADOPTS, .grows = 1, .takes = 1 },
	[NA]	    = { "na",	  204, SIM_MOD2, FOUR | ADOPTS, .takes = 1 },
	[VB]	    = { "vb",	  205, -1, FOUR | ADOPTS, .grows = 1, .takes = 1 },
	[NB]	    = { "nb",	  206, SIM_MOD2, FOUR | ADOPTS, .takes = 1 },
	[MC]	    = { "mc",	  207, SIM_MOD1, FOUR | ADOPTS, .takes = 1 },
	[VC]	    = { "vc",	  208, -1, FOUR | ADOPTS, .takes = 1 },
	[SV]	    = { "sv",	  211, -1, FOUR, .takes = 1 },
	[SM]	    = { "sm",	  212, SIM_MOD1, FOUR, .takes = 1 },
	[RM]	    = { "rm",	  221, SIM_MOD1, FOUR | ADOPTS, .takes = 1 },
	[LEFT_MOD2] = { "left",	  231, SIM_MOD2, FOUR | ADOPTS | CHANGES, .takes = 1 },
	[LEFT_MOD1] = { "left",	  231, SIM_MOD1, FOUR | ADOPTS | CHANGES, .takes = 1 },
	/* Its device number is what pre_patch takes. */
	[NUMBER]    = { "number", 232, -1, BIT(SIM_POST_UNPATCH) | ADOPTS | CHANGES, .takes = 1 },
	[ROOM]	    = { "room",	  233, -1, 0, .grows = 1 },
	[SH]	    = { "sh",	  401, -1, FOUR, .grows = 1 },
	[LATE]	    = { "late",	  402, -1, 0 },
};

/* What a patch declares of a state */
struct decl {
	unsigned char kind, version;
	unsigned char from;	/* versions that it migrates from */
	unsigned char back;	/* to which it has a way back */
	unsigned char flags;
};

#define STACKABLE	BIT(0)	/* without adopt, then */
#define PERMANENT	BIT(1)
#define RETIRES		BIT(2)
#define READS_DATA	BIT(3)	/* calls klp_sdk_data() */
#define EARLY		BIT(4)	/* pre_patch saves the console's level */
#define RELEASES	BIT(5)	/* the way back has a function that releases */

struct patch {
	unsigned char flags;
	unsigned char funcs;	/* that it changes */
	unsigned char nr;
	struct decl states[MAX_STATES];
};

#define SDK		BIT(0)
#define REPLACES	BIT(1)
#define CAN_FAIL	BIT(2)	/* has the parameter fail_state */
#define NORMAL		(SDK | REPLACES | CAN_FAIL)
#define TWIN		(SDK | REPLACES)

#define CMDLINE		BIT(SIM_CMDLINE)
#define VERSION		BIT(SIM_VERSION)
#define BOTH		(BIT(SIM_CMDLINE) | BIT(SIM_MOD1_SHOW))

#define V1	BIT(1)
#define V2	BIT(2)
#define A1	{ ALPHA, 1 }
#define A2	{ ALPHA, 2, V1 }
#define A3	{ ALPHA, 3, V1 | V2 }
#define B1	{ BETA, 1 }
#define B2	{ BETA, 2, V1 }
#define G1	{ GAMMA, 1 }
#define AS	{ ALPHA, 1, 0, 0, STACKABLE }
#define BS	{ BETA, 1, 0, 0, STACKABLE }
#define M_1(_ma)							\
	{ VA, 1 }, _ma, { MB, 1 }, { NA, 1 }, { VB, 1 }, { NB, 1 }, { MC, 1 }, { VC, 1 }
#define M_2(_ma, _to, _how)						\
	{ VA, 2, V1, _to }, _ma, { MB, 2, V1, _to, _how }, { NA, 1 },	\
	{ VB, 2, V1, _to, _how }, { NB, 2, V1, _to }, { MC, 1 }, { VC, 1 }
/* An argument of the two above; braces would end it at the first comma */
#define MA_(...)	{ __VA_ARGS__ }
#define SHARED	{ SV, 1, 0, 0, STACKABLE }, { SM, 1, 0, 0, STACKABLE }

#define PATCH(_flags, _funcs, ...)					\
	{ _flags, _funcs, sizeof((struct decl []){ __VA_ARGS__ }) /	\
	  sizeof(struct decl), { __VA_ARGS__ } }

static const struct patch pool[SIM_NR_PATCHES] = {
	[SIM_a1]	= PATCH(NORMAL, CMDLINE, A1, B1, G1),
	[SIM_a1b]	= PATCH(NORMAL, CMDLINE, A1, B1, G1),
	[SIM_a2]	= PATCH(NORMAL, CMDLINE, A2, B2, G1),
	[SIM_a3]	= PATCH(NORMAL, CMDLINE, A3, B2, G1),
	[SIM_b1]	= PATCH(NORMAL, CMDLINE, { ALPHA, 1, 0, 0, READS_DATA }, B1, G1),
	[SIM_b2]	= PATCH(NORMAL, CMDLINE, { ALPHA, 2, V1, V1 },
				{ BETA, 2, V1, V1, RELEASES }, G1),
	[SIM_e1]	= PATCH(NORMAL, CMDLINE, { ALPHA, 1, 0, 0, EARLY }, B1, G1),
	[SIM_e2]	= PATCH(NORMAL, CMDLINE, { ALPHA, 2, V1, 0, EARLY }, B2, G1),
	[SIM_e3]	= PATCH(NORMAL, CMDLINE, { ALPHA_111, 1, 0, 0, EARLY }, B1, G1),
	[SIM_delta]	= PATCH(NORMAL, CMDLINE, A2, B2, { DELTA, 1 }, G1),
	[SIM_drop]	= PATCH(NORMAL, CMDLINE, B1, A1),
	[SIM_modonly]	= PATCH(NORMAL, 0, A1, B1, G1),
	[SIM_nogamma]	= PATCH(NORMAL, CMDLINE, A1, B1),
	[SIM_nomig]	= PATCH(NORMAL, CMDLINE, { ALPHA, 3, V2 }, B2, G1),
	[SIM_nostate]	= { TWIN },
	[SIM_perm]	= PATCH(NORMAL, CMDLINE, { ALPHA, 2, V1, 0, PERMANENT }, B1, G1),
	[SIM_retire]	= PATCH(NORMAL, CMDLINE, { ALPHA, 1, 0, 0, RETIRES }, B1, G1),
	[SIM_retire2]	= PATCH(NORMAL, CMDLINE, { ALPHA, 2, V1, 0, RETIRES }, B2, G1),
	[SIM_s1]	= PATCH(SDK | CAN_FAIL, CMDLINE, AS, BS),
	[SIM_s2]	= PATCH(SDK | CAN_FAIL, CMDLINE, AS, BS),
	[SIM_s2p]	= PATCH(SDK | CAN_FAIL, CMDLINE,
				{ ALPHA, 1, 0, 0, STACKABLE | PERMANENT }, BS),
	[SIM_s3]	= PATCH(NORMAL, CMDLINE, AS, BS),
	[SIM_stack]	= PATCH(SDK | CAN_FAIL, CMDLINE, A1, B1, G1),
	[SIM_swap]	= PATCH(NORMAL, CMDLINE, { ALPHA_103, 1 }, B1),
	[SIM_m1]	= PATCH(NORMAL, BOTH, M_1(MA_(MA, 1))),
	[SIM_m1b]	= PATCH(NORMAL, BOTH, M_1(MA_(MA, 1))),
	[SIM_m2]	= PATCH(NORMAL, BOTH, M_2(MA_(MA, 2, V1), 0, 0)),
	[SIM_m3]	= PATCH(NORMAL, BOTH, { VA, 1 }, { MB, 1 }, { VB, 1 }, { NB, 1 },
				{ MC, 1 }),
	[SIM_mb2]	= PATCH(NORMAL, BOTH, M_2(MA_(MA, 2, V1, V1), V1, RELEASES)),
	[SIM_mp]	= PATCH(NORMAL, BOTH, M_2(MA_(MA, 2, V1, 0, PERMANENT), 0, 0)),
	[SIM_mr]	= PATCH(NORMAL, BOTH, M_1(MA_(MA, 1, 0, 0, RETIRES))),
	[SIM_mx]	= PATCH(NORMAL, BOTH, M_1(MA_(MA, 3))),
	[SIM_ms1]	= PATCH(SDK | CAN_FAIL, VERSION, SHARED),
	[SIM_ms2]	= PATCH(SDK | CAN_FAIL, BOTH, SHARED),
	[SIM_ms3]	= PATCH(NORMAL, BOTH, SHARED),
	[SIM_mw1]	= PATCH(NORMAL, BOTH, { RM, 1 }),
	[SIM_mw1b]	= PATCH(NORMAL, BOTH, { RM, 1 }),
	[SIM_mw2]	= PATCH(NORMAL, BOTH, { RM, 2, V1 }),
	[SIM_orphan1]	= PATCH(TWIN, CMDLINE, { LEFT_MOD2, 1 }),
	[SIM_orphan2]	= PATCH(TWIN, CMDLINE, { LEFT_MOD2, 1 }),
	[SIM_orphan3]	= PATCH(TWIN, CMDLINE, { LEFT_MOD2, 1 }),
	[SIM_orphan_v2]	= PATCH(TWIN, CMDLINE, { LEFT_MOD2, 2, V1 }),
	[SIM_orphan_mod1] = PATCH(TWIN, CMDLINE, { LEFT_MOD1, 1 }),
	[SIM_named1]	= PATCH(TWIN, CMDLINE, { NUMBER, 1 }, { ROOM, 1 }),
	[SIM_named1b]	= PATCH(TWIN, CMDLINE, { NUMBER, 1 }, { ROOM, 1 }),
	[SIM_named2]	= PATCH(TWIN, CMDLINE, { NUMBER, 2, V1 }, { ROOM, 2, V1 }),
	[SIM_named2_back] = PATCH(TWIN, CMDLINE, { NUMBER, 2, V1, V1, PERMANENT | RELEASES },
				  { ROOM, 2, V1, V1, RELEASES }),
	[SIM_sh1]	= PATCH(TWIN, CMDLINE, { SH, 1 }),
	/* Its way back is never taken, for the values have none. */
	[SIM_sh2]	= PATCH(TWIN, CMDLINE, { SH, 2, V1 }, { LATE, 1 }),
	/* One of its types cannot be converted from version 1. */
	[SIM_sh3]	= PATCH(TWIN, CMDLINE, { SH, 3, V2 }),
	[SIM_shdrop]	= PATCH(TWIN, CMDLINE, { SH, 1 }),
	[SIM_shret]	= PATCH(TWIN, CMDLINE, { SH, 1, 0, 0, RETIRES }),
	/* Without the SDK */
	[SIM_raw]	= PATCH(REPLACES, CMDLINE, A1, B1, G1),
	[SIM_rawm]	= PATCH(REPLACES, BOTH, { RM, 1 }),
};

#endif /* _KLP_SDK_MODEL_POOL_H */
