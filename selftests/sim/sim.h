/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the simulation have in common: events, what can be seen after
 * each, and the pool of patches. The kernel's side (kernel headers) and the driver's
 * side (libc) both include this file, so it needs nothing but the compiler.
 *
 *	kernel side	the engine, the core and the stand-ins: they do an event
 *	model		says from docs/contract.md what an event must do
 *	driver		chooses events, compares, shortens
 */
#ifndef _KLP_SDK_SIM_H
#define _KLP_SDK_SIM_H

/* The patches, sources in selftests/modules. In the sim they are numbered in this order. */
#define SIM_PATCHES(X)							\
	X(a1) X(a1b) X(a2) X(a3) X(b1) X(b2) X(e1) X(e2) X(e3) X(delta)	\
	X(drop) X(modonly) X(nogamma) X(nomig) X(nostate) X(perm)	\
	X(retire) X(retire2) X(s1) X(s2) X(s2p) X(s3) X(stack) X(swap)	\
	X(m1) X(m1b) X(m2) X(m3) X(mb2) X(mp) X(mr) X(mx)		\
	X(ms1) X(ms2) X(ms3) X(mw1) X(mw1b) X(mw2)			\
	X(orphan1) X(orphan2) X(orphan3) X(orphan_v2) X(orphan_mod1)	\
	X(named1) X(named1b) X(named2) X(named2_back)			\
	X(sh1) X(sh2) X(sh3) X(shdrop) X(shret)				\
	X(raw) X(rawm)

enum sim_patch {
#define X(_name) SIM_##_name,
	SIM_PATCHES(X)
#undef X
	SIM_NR_PATCHES,
};

/* Patches that the model does not know, for stories.txt only; numbered behind tp_pool */
#define SIM_OTHERS(X)							\
	X(bad) X(shbad) X(size) X(huge) X(dup) X(noterm) X(twice) X(newer)	\
	X(s4) X(my) X(ms4) X(retire3) X(retire4) X(shl1) X(shl2) X(shm1) X(shm2)	\
	X(shs1) X(shs2) X(room1) X(room2) X(room2_wrong) X(room_large) X(rawmem)

/* The modules that patches change */
enum sim_target {
	SIM_MOD1,		/* tp_mod1 */
	SIM_MOD2,		/* tp_mod2 */
	SIM_NR_TARGETS,
};

#define SIM_POOL	(SIM_NR_PATCHES + SIM_NR_TARGETS)	/* tp_pool */

enum sim_other {
	SIM_BEFORE_OTHERS = SIM_POOL,
#define X(_name) SIM_##_name,
	SIM_OTHERS(X)
#undef X
	SIM_NR_MODULES,
};

/* The functions that patches change */
enum sim_func {
	SIM_CMDLINE,		/* cmdline_proc_show() of vmlinux */
	SIM_VERSION,		/* version_proc_show() of vmlinux */
	SIM_MOD1_SHOW,		/* tp_mod1_show() of tp_mod1 */
	SIM_NR_FUNCS,
};

/*
 * Events. One that is impossible at its moment (to unload what is not loaded) is
 * answered by the kernel side as the kernel's own user interface would, so that any
 * sequence may be fed in.
 */
enum sim_op {
	SIM_LOAD,		/* insmod of patch @arg, @par: see below */
	SIM_UNLOAD,		/* rmmod of patch @arg */
	SIM_ENABLE,		/* writes 1 into its file enabled */
	SIM_DISABLE,		/* writes 0 */
	SIM_FORCE,		/* writes 1 into its file force */
	SIM_TICK,		/* the worker looks whether the transition is complete */
	SIM_ENTER,		/* the task enters function @arg, which sleeps in it */
	SIM_LEAVE,		/* and returns from it */
	SIM_COMING,		/* target @arg comes: its notifiers run, @par see below */
	SIM_INIT,		/* the init of target @arg that is coming returns, @par 0
				 * or -ENODEV if 1 */
	SIM_RMMOD,		/* rmmod of target @arg */
	SIM_GRACE,		/* a grace period passes: RCU callbacks run */
	SIM_SHADOW,		/* patch @arg does what it would do to a value, @par below */
	SIM_READ,		/* the list of states is read from patch @arg */
	SIM_CALL,		/* function @arg is called and returns */
	SIM_NR_OPS,
};

/*
 * @par of SIM_LOAD and SIM_COMING: 0 nothing, 1 to 63 the n-th allocation during the event
 * fails, whoever asks for memory: the engine, the core or a function of a state
 */
#define SIM_PAR_CORE	64	/* the core fails to patch the last function */
/* Of SIM_LOAD only */
#define SIM_PAR_STATE	65	/* and up: pre_patch of its n-th state fails, as listed */
#define SIM_PAR_RAW_STACKED 128	/* tp_raw only: its parameter stacked is set */

/*
 * @par of SIM_SHADOW: the call, the type of the value and its parent. What tp_pool calls
 * again is a call of its own: the parent's address has another object.
 */
#define SIM_SHADOW_PAR(_call, _type, _parent)				\
	((_parent) | (_type) << 2 | (_call) << 5)
#define SIM_SHADOW_PARENT(_par)	((_par) & 3)
#define SIM_SHADOW_TYPE(_par)	((_par) >> 2 & 7)
#define SIM_SHADOW_CALL(_par)	((_par) >> 5)

enum sim_shadow_call {
	SIM_GET, SIM_GET_OR_ALLOC, SIM_ALLOC, SIM_FREE, SIM_PREV, SIM_AGAIN,
	SIM_SOME,		/* of many parents at once, the type says what */
	SIM_NR_SHADOW_CALLS,
};

enum sim_shadow_type {
	SIM_PLAIN, SIM_INDEX, SIM_COUNT, SIM_QUIET, SIM_SLEEP, SIM_NR_TYPES,
	/* With SIM_SOME, all of type index; the parent says how many, see sim_bulk[] */
	SIM_FILL = 0, SIM_THIN, SIM_SUM, SIM_NR_SOME,
};

#define SIM_NR_PARENTS	4	/* those that have a name */
extern const unsigned short sim_bulk[SIM_NR_PARENTS];

struct sim_event {
	unsigned char op, arg, par;
};

/* The functions of a state and what else a patch says in the kernel log, in order */
enum sim_fn {
	SIM_PRE_PATCH, SIM_POST_PATCH, SIM_PRE_UNPATCH, SIM_POST_UNPATCH, SIM_ADOPT,
	SIM_CONVERT,		/* also back */
	SIM_GROW,
	SIM_SHRINK,
	SIM_RAW_FREES,		/* tp_raw: "frees" */
	SIM_RAW_INHERITS,	/* tp_raw: "inherits" */
	SIM_NR_FNS,
};

#define SIM_MAX_CALLS	96

/* "tp: tp_a1 alpha pre_patch": patch a1, state "alpha", SIM_PRE_PATCH */
struct sim_call {
	unsigned char patch, fn;
	char state[6];
};

/* Phase of a holder of a state, as klp_sdk_states prints it */
enum sim_phase {
	SIM_NONE, SIM_IDLE, SIM_PREPARED, SIM_IS_LIVE, SIM_LEAVING, SIM_NR_PHASES,
};

/* The value that SIM_SHADOW has found */
struct sim_value {
	unsigned char there, born, from, unused;
	unsigned short nr;	/* the count, or how many values were found */
};

#define SIM_MAX_RECORDS	32

struct sim_record {
	char name[8];		/* "alpha" */
	signed char target;	/* of enum sim_target, -1 is vmlinux */
	unsigned char version;
	unsigned char forced;	/* "F" in the list */
	unsigned char phase[SIM_NR_PATCHES];	/* of each patch that holds it */
};

/* What can be seen after an event; of calls and records only the first ones are set. */
struct sim_seen {
	int ret;		/* 0 or -errno of the event */
	int injected;		/* an allocation was made to fail */
	int warned;		/* WARN(), BUG(), a lock held wrongly, memory used after free */
	int nr_calls;
	struct sim_call calls[SIM_MAX_CALLS];
	/*
	 * All from here to nr_records is cleared, and compared, as bytes. The first two are
	 * for model-shadow.c to say, after model.c has said the rest.
	 */
	struct sim_value value;
	unsigned short dtors[SIM_NR_TYPES];	/* values that were released */
	unsigned char loaded[SIM_NR_PATCHES];	/* the module is there */
	signed char refs[SIM_NR_PATCHES];	/* its module's references, without base */
	unsigned char present[SIM_NR_PATCHES];	/* in /sys/kernel/livepatch */
	unsigned char enabled[SIM_NR_PATCHES], transition[SIM_NR_PATCHES];
	unsigned char target[SIM_NR_TARGETS];	/* 0 not there, 1 coming, 2 live */
	signed char target_refs[SIM_NR_TARGETS];
	signed char runs[SIM_NR_FUNCS];	/* the patch whose function a new task runs; -1 the
					 * original, -2 not there */
	int level;		/* console_loglevel: 7, or 15 while alpha's change is made */
	int nr_records;		/* -1: no SDK patch is loaded, nothing shows them */
	struct sim_record records[SIM_MAX_RECORDS];
};

/* The kernel side */
void kern_boot(void);
void kern_event(const struct sim_event *event, struct sim_seen *seen);
/* Allocations that are there now; to find what is left at the end of a sequence */
int kern_allocated(void);
/* Keep all that the kernel says, which takes time; without it, only mistakes */
extern _Bool sim_verbose;
/* What the log says since the event began, for a person who reads a difference */
const char *kern_log(void);
/* All of the kernel side, modules and memory, to come back to */
unsigned long kern_save_size(void);
void kern_save(void *to);
void kern_restore(const void *from);
/* Equal for states that differ by addresses only */
unsigned long long kern_hash(void);
/* For stories: "NAME=VALUE ..." for the next SIM_LOAD, and for a module that is there */
void kern_params(const char *params);
void kern_nomem(int nr);		/* the @nr-th allocation in the next event fails */
void kern_set_param(int nr, const char *name, const char *val, struct sim_seen *seen);
int kern_find(const char *name);	/* number of a patch, also of SIM_OTHERS, or -1 */
/* Makes part @name of all records look as if another release had made it; -ENOENT */
int kern_poke(const char *name, long long val);

/* The model. It is plain data without pointers: copy it with memcpy(), compare it likewise. */
struct sim_model;
unsigned long model_size(void);
void model_boot(struct sim_model *model);
/*
 * What @event must do. Of @got only ret, injected, nr_calls and calls may be read, and only
 * to learn which allocation it was that failed.
 */
void model_event(struct sim_model *model, const struct sim_event *event,
		 const struct sim_seen *got, struct sim_seen *want);
/* Memory may be left over: something went through a force */
int model_may_leave(const struct sim_model *model);
/*
 * @event must not be done: it would end in a mistake of others, of the core when the disable
 * of a patch below others is reversed, or of tp_raw, which follows pointers that are not there
 */
int model_harmful(const struct sim_model *model, const struct sim_event *event);
/* 0 if @event can do nothing now but be refused by the user interface, or is harmful */
int model_sensible(const struct sim_model *model, const struct sim_event *event);

/* Kinds of differences */
enum sim_diff {
	SIM_DIFF_NONE, SIM_DIFF_WARNED, SIM_DIFF_RET, SIM_DIFF_CALLS, SIM_DIFF_LOADED,
	SIM_DIFF_REFS, SIM_DIFF_PRESENT, SIM_DIFF_ENABLED, SIM_DIFF_TRANSITION,
	SIM_DIFF_TARGET, SIM_DIFF_TARGET_REFS, SIM_DIFF_RUNS, SIM_DIFF_LEVEL,
	SIM_DIFF_RECORDS, SIM_DIFF_VALUE, SIM_DIFF_DTORS,
};

/* Text: "load a1 nomem=3; enter cmdline; load a2; disable a2; leave; tick" */
int text_parse(const char *text, struct sim_event *events, int max);	/* number, or -1 */
void text_event(const struct sim_event *event, char *buf, unsigned long size);
/* The first difference in one line; its kind, or 0 if there is none */
int text_differs(const struct sim_seen *want, const struct sim_seen *got, char *buf,
		 unsigned long size);
/* All of it in a few lines that can be compared with diff */
void text_seen(const struct sim_seen *seen, char *buf, unsigned long size);

#endif /* _KLP_SDK_SIM_H */
