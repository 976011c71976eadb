/* SPDX-License-Identifier: GPL-2.0 */
/*
 * System states: what a patch author declares about a state, and how patched
 * functions read it.
 */
#ifndef _KLP_SDK_STATE_H
#define _KLP_SDK_STATE_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include <klp-sdk/compat.h>
#include <klp-sdk/sparse.h>

/**
 * DOC: The life of a system state
 *
 * A state belongs to the system; patches only hold it. The SDK generates the
 * livepatch callbacks and calls the author's functions when the state is
 * really introduced or really removed, whichever patch does it:
 *
 * ==============  =========================  ===================================
 * function        when                       what it does
 * ==============  =========================  ===================================
 * pre_patch       the state is new           prepares the data; may fail
 * post_patch      all tasks run new code     makes the change
 * pre_unpatch     the state is going         reverts the change
 * post_unpatch    no patched function runs   undoes pre_patch
 * adopt           another patch held it      re-points what led into its module
 * ==============  =========================  ===================================
 *
 * A patch that replaces another one at the same version runs adopt only. A patch
 * that is older, or that does not declare the state, has the replaced patch's
 * own functions undo it: pre_unpatch before the transition, post_unpatch at its
 * completion, and post_patch again if the transition is reversed. A
 * disable that is reversed runs post_patch a second time on the same data and
 * without pre_patch: post_patch must be fit to run again after pre_unpatch.
 *
 * The older patch's pre_patch runs between that pre_unpatch and the transition. It
 * finds the system without the newer patch's change, and may save an original. But
 * what the newer patch's pre_patch has made is there until completion, so the older
 * one's cannot make it, too, if it can exist only once: a file, a device number, a
 * cpuhp state. Three ways out: make it in post_patch and undo it in pre_unpatch; give
 * it a name that has the version in it; or have the newer version declare a way back,
 * KLP_SDK_CONVERT_BACK() or KLP_SDK_GROW_BACK(), which hands the data to the older
 * patch as it is. The same holds for a state that another one in the new patch
 * stands in for.
 *
 * A state that is bound to a module goes through all of this each time the
 * module is loaded and unloaded, whether a transition is under way or not. All
 * states of a patch, whatever they are bound to, are prepared in the order of
 * KLP_SDK_STATES() and undone in reverse.
 *
 * All these functions run in process context under the core's klp_mutex. They
 * may sleep, but every load of a module on the system waits meanwhile. They
 * must not load or unload modules (that deadlocks on klp_mutex) and must not
 * write to the sysfs files of livepatches.
 *
 * The data is one zeroed kmalloc() object of the author's type. The SDK
 * allocates and frees it; the author owns only what the data points to, and allocates
 * that with klp_sdk_kzalloc() and the like, because it outlives the module.
 */

/**
 * typedef klp_sdk_state_id_t - Id of a system state
 *
 * The same number that struct klp_state has in @id, kept apart from plain
 * integers for sparse. Never 0. An id names one state on a system for ever.
 */
typedef unsigned long __bitwise klp_sdk_state_id_t;

/**
 * KLP_SDK_STATE_ID() - Make the id of a state from a number
 * @_n:		a constant other than 0
 *
 * Return: the id, as a constant.
 */
#define KLP_SDK_STATE_ID(_n)	((__force klp_sdk_state_id_t)(_n))

/* How many older versions one declaration can migrate from, and back to. */
#define KLP_SDK_MAX_FROM	8
#define KLP_SDK_MAX_BACK	8

/* How to get a state's data from one older version, for the engine. */
struct klp_sdk_migration {
	unsigned int version;
	size_t old_size;
	size_t new_size;
	void (*convert)(void *data, const void __klp_sdk_prev *old);
	void (*grow)(void *data);
	/* where klp_sdk_prev() finds the predecessor's object */
	void __klp_sdk_prev **prev;
};

/*
 * Made by KLP_SDK_CONVERT() and KLP_SDK_GROW(). Two types, so that one cannot
 * stand in the other's list.
 */
struct klp_sdk_convert {
	struct klp_sdk_migration migration;
};

struct klp_sdk_grow {
	struct klp_sdk_migration migration;
};

/*
 * How to get an older version's data from a state's, for the engine. Made by
 * KLP_SDK_CONVERT_BACK() and KLP_SDK_GROW_BACK().
 */
struct klp_sdk_back {
	unsigned int version;
	size_t size;
	void (*convert)(void *data, const void __klp_sdk_prev *newer);
	void (*release)(void *data);
};

struct klp_sdk_shadow;

/*
 * The properties of a state that the engine reads. They stand twice in the
 * union that KLP_SDK_STATE() makes: typed for the author, so that the compiler
 * checks each migration's target, and with void for the engine.
 */
#define KLP_SDK_STATE_PROPS(_type)					\
	klp_sdk_state_id_t id;						\
	unsigned int version;						\
	const char *object;						\
	size_t reserve;							\
	bool permanent;							\
	bool stackable;							\
	bool retire;							\
	struct klp_sdk_shadow *const *shadows;				\
	unsigned int nr_shadows;					\
	struct {							\
		const struct klp_sdk_convert *how;			\
		_type *type;						\
	} convert[KLP_SDK_MAX_FROM];					\
	struct {							\
		const struct klp_sdk_grow *how;				\
		_type *type;						\
	} grow[KLP_SDK_MAX_FROM];					\
	struct {							\
		const struct klp_sdk_back *how;				\
		_type *type;						\
	} back[KLP_SDK_MAX_BACK]

struct klp_sdk_state_props {
	KLP_SDK_STATE_PROPS(void);
};

/*
 * The author's functions behind prototypes that do not depend on the type.
 * The thunks are generated: a cast of the function's pointer would panic on
 * kernels with kCFI. Part of the binary interface between patches: a successor
 * calls them, so that the order of the fields must be the same everywhere.
 */
struct klp_sdk_state_fns {
	int (*pre_patch)(void *data);
	void (*post_patch)(void *data);
	void (*pre_unpatch)(void *data);
	void (*post_unpatch)(void *data);
	void (*adopt)(void *data, const void __klp_sdk_prev *old);
} __no_randomize_layout;

/*
 * What patched functions read. Part of the binary interface between patches:
 * a successor clears the slots of a patch whose object it frees.
 */
struct klp_sdk_slots {
	void *live;
	void *data;
} __no_randomize_layout;

struct klp_object;
struct klp_sdk_back_entry;
struct klp_sdk_holder;
struct klp_sdk_record;
struct klp_state;

/**
 * struct klp_sdk_state - A system state as one patch declares it
 * @name:	name of the state, the same in every version
 * @props:	id, version, reserve and migrations
 * @size:	size of the author's type in bytes
 * @fns:	the author's functions
 *
 * Made by KLP_SDK_STATE(). All fields are internal to the SDK.
 */
struct klp_sdk_state {
	const char *name;
	const struct klp_sdk_state_props *props;
	size_t size;
	const struct klp_sdk_state_fns *fns;

	/* private: run time, guarded by klp_mutex but for the slots */

	/*
	 * what klp_sdk_live() and klp_sdk_data() read; a variable of its own, so
	 * that the compiler warns of a state that no patch lists as unused
	 */
	struct klp_sdk_slots *slots;
	/*
	 * not NULL if a function of the patch calls klp_sdk_data(), in whichever of its
	 * files: a state of the same name in another one counts, too
	 */
	const char *reads_data;
	/* the object that the state is bound to */
	struct klp_object *obj;
	/* the system's record while this patch holds the state, and its place */
	struct klp_sdk_record *record;
	struct klp_sdk_holder *holder;
	/* how this patch gets data that is there, from which version, and how it did */
	int plan;
	int how;
	const struct klp_sdk_migration *from;
	/* in the replaced patch's holder: the way back to this patch's version */
	const struct klp_sdk_back_entry *back;
	/* the state of a patch without the SDK that this one takes over */
	struct klp_state __klp_sdk_prev *raw;
	/* the record that such a patch has made stale */
	struct klp_sdk_record *stale;
	/* that patch's data is no object of its own, and is never freed */
	bool borrowed;
	/* the object that a conversion fills, later the one it replaced */
	void *spare;
};

#define __KLP_SDK_MIGRATION_CHECK(_name, _version)			\
	static_assert((_version) > 0,					\
		      "klp-sdk: migration " #_name ": version must not be 0")

/**
 * KLP_SDK_CONVERT() - Declare how to convert an older layout into a new object
 * @_name:	name of the migration, e.g. loglevel_v1
 * @_version:	the state's version that has the old layout; a constant, not 0
 * @_old:	C type of the state's data at that version
 * @_new:	C type of the state's data now
 * @_fn:	void (@_new \*data, const @_old \*old), fills the new object
 *
 * The new object is zeroed and allocated before the transition; @_fn runs at
 * its completion and sees the last values of the old object. Until then both
 * patches work on the old object: the functions of the new patch reach it
 * through klp_sdk_prev(). A reversed transition never runs @_fn. Each state that
 * is converted needs a migration of its own.
 *
 * Context of @_fn: process context, under klp_mutex, may sleep. No function
 * of the replaced patch runs any more; functions of the new patch do, and so
 * may whatever the kernel's stack checks do not see (timers, work items).
 * Ownership: what @_old points to passes to @_new. The old object itself is
 * freed by the SDK after a grace period of RCU.
 */
#define KLP_SDK_CONVERT(_name, _version, _old, _new, _fn)		\
	__KLP_SDK_MIGRATION_CHECK(_name, _version);			\
	static_assert(__builtin_types_compatible_p(typeof(_fn),		\
				void (_new *, const _old *)),		\
		      "klp-sdk: migration " #_name ": " #_fn		\
		      " must be void (" #_new " *, const " #_old " *)"); \
	typedef _new _name##_klp_sdk_new;				\
	static void __klp_sdk_prev *_name##_klp_sdk_slot;		\
	static void							\
	_name##_klp_sdk_convert(void *__data, const void __klp_sdk_prev *__old) \
		__klp_sdk_callback					\
	{								\
		_fn(__data, (const void __force *)__old);		\
	}								\
	static const struct klp_sdk_convert _name##_klp_sdk = {		\
		.migration = {						\
			.version	= (_version),			\
			.old_size	= sizeof(_old),			\
			.new_size	= sizeof(_new),			\
			.convert	= _name##_klp_sdk_convert,	\
			.prev		= &_name##_klp_sdk_slot,	\
		},							\
	};								\
	static __always_inline __maybe_unused _old __klp_sdk_prev *	\
	_name##_klp_sdk_prev(void)					\
	{								\
		RCU_LOCKDEP_WARN(!rcu_read_lock_held(),			\
				 "klp_sdk_prev(" #_name ") outside RCU"); \
		return READ_ONCE(_name##_klp_sdk_slot);			\
	}								\
	static_assert(1, "")

/**
 * KLP_SDK_GROW() - Declare that a state's data grows in place
 * @_name:	name of the migration, e.g. drops_v1
 * @_version:	the state's version that has the old layout; a constant, not 0
 * @_old:	C type of the state's data at that version, a prefix of @_new
 * @_new:	C type of the state's data now
 * @_first:	the first field of @_new that @_old does not have
 * @_fn:	void (@_new \*data), fills the new fields
 *
 * The object stays where it is, so both sides of the transition share it:
 * right for locks, counters and whatever new code needs meanwhile. The version
 * that introduced the state must have kept room with .reserve; where it did
 * not, loading the patch is refused.
 *
 * @_fn runs at completion of the transition. When the transition starts the
 * new fields are zero, also if an earlier one was reversed. They must lie behind
 * @_old as a whole, not in its padding, which old code may overwrite.
 *
 * Context of @_fn: as for KLP_SDK_CONVERT(). Functions of the new patch read
 * the object meanwhile: write a field that they use with WRITE_ONCE() or under
 * the lock that guards it.
 */
#define KLP_SDK_GROW(_name, _version, _old, _new, _first, _fn)		\
	__KLP_SDK_MIGRATION_CHECK(_name, _version);			\
	static_assert(sizeof(_old) <= sizeof(_new),			\
		      "klp-sdk: migration " #_name ": " #_new		\
		      " is smaller than " #_old "; use KLP_SDK_CONVERT()"); \
	static_assert(offsetof(_new, _first) >= sizeof(_old),		\
		      "klp-sdk: migration " #_name ": " #_first		\
		      " lies within " #_old "; put it behind, aligned");	\
	static_assert(__builtin_types_compatible_p(typeof(_fn),		\
						   void (_new *)),	\
		      "klp-sdk: migration " #_name ": " #_fn		\
		      " must be void (" #_new " *)");			\
	typedef _new _name##_klp_sdk_new;				\
	static void _name##_klp_sdk_grow(void *__data) __klp_sdk_callback \
	{								\
		_fn(__data);						\
	}								\
	static const struct klp_sdk_grow _name##_klp_sdk = {		\
		.migration = {						\
			.version	= (_version),			\
			.old_size	= sizeof(_old),			\
			.new_size	= sizeof(_new),			\
			.grow		= _name##_klp_sdk_grow,		\
		},							\
	};								\
	static_assert(1, "")

/**
 * KLP_SDK_CONVERT_BACK() - Declare how to convert a state back to an older layout
 * @_name:	name of the way back, e.g. loglevel_to_v1
 * @_version:	the state's older version; a constant, not 0
 * @_old:	C type of the state's data at that version
 * @_new:	C type of the state's data now
 * @_fn:	void (@_old \*data, const @_new \*newer), fills the older object
 *
 * With it a patch that has the older version takes the state over, as a newer one
 * would by KLP_SDK_CONVERT(): nothing is undone, and nothing has to be made a second
 * time. The older patch need not know of it. The object that is filled is zeroed and
 * allocated before the transition; @_fn runs at its completion and sees the last values,
 * then the older patch's .adopt runs. A reversed transition never runs @_fn.
 *
 * The state is undone and introduced afresh as if no way back were declared
 * if the older patch calls klp_sdk_data() for the state, if its shadow types have
 * another layout there, or if the state went through a forced transition.
 *
 * Context of @_fn: as for KLP_SDK_CONVERT(), in the module that is replaced.
 * Ownership: what @_new points to passes to @_old. @_fn releases nothing: after a
 * forced transition a task may use it. If @_old has no place for something, declare
 * KLP_SDK_CONVERT_BACK_RELEASE(). The newer object itself is freed by the SDK.
 */
#define KLP_SDK_CONVERT_BACK(_name, _version, _old, _new, _fn)		\
	__KLP_SDK_CONVERT_BACK(_name, _version, _old, _new, _fn);	\
	__KLP_SDK_BACK(_name, _version, _old, _new, _name##_klp_sdk_convert, NULL)

/**
 * KLP_SDK_CONVERT_BACK_RELEASE() - The same, and release what has no place there
 * @_name:	name of the way back, e.g. loglevel_to_v1
 * @_version:	the state's older version; a constant, not 0
 * @_old:	C type of the state's data at that version
 * @_new:	C type of the state's data now
 * @_fn:	void (@_old \*data, const @_new \*newer), fills the older object
 * @_release:	void (@_new \*newer), releases what @_fn has not passed on
 *
 * @_release runs behind @_fn. After a forced transition it never runs, and the module
 * that contains it is pinned.
 *
 * Context of both: as for KLP_SDK_CONVERT_BACK().
 */
#define KLP_SDK_CONVERT_BACK_RELEASE(_name, _version, _old, _new, _fn, _release) \
	__KLP_SDK_CONVERT_BACK(_name, _version, _old, _new, _fn);	\
	__KLP_SDK_BACK_RELEASE(_name, _new, _release);			\
	__KLP_SDK_BACK(_name, _version, _old, _new, _name##_klp_sdk_convert, \
		       _name##_klp_sdk_release)

#define __KLP_SDK_BACK(_name, _version, _old, _new, _convert, _release)	\
	typedef _new _name##_klp_sdk_back_new;				\
	static const struct klp_sdk_back _name##_klp_sdk_back = {	\
		.version	= (_version),				\
		.size		= sizeof(_old),				\
		.convert	= _convert,				\
		.release	= _release,				\
	};								\
	static_assert(1, "")

#define __KLP_SDK_BACK_RELEASE(_name, _new, _release)			\
	static_assert(__builtin_types_compatible_p(typeof(_release),	\
						   void (_new *)),	\
		      "klp-sdk: way back " #_name ": " #_release	\
		      " must be void (" #_new " *)");			\
	static void _name##_klp_sdk_release(void *__data) __klp_sdk_callback \
	{								\
		_release(__data);					\
	}								\
	static_assert(1, "")

#define __KLP_SDK_CONVERT_BACK(_name, _version, _old, _new, _fn)	\
	__KLP_SDK_MIGRATION_CHECK(_name, _version);			\
	static_assert(__builtin_types_compatible_p(typeof(_fn),		\
				void (_old *, const _new *)),		\
		      "klp-sdk: way back " #_name ": " #_fn		\
		      " must be void (" #_old " *, const " #_new " *)"); \
	static void							\
	_name##_klp_sdk_convert(void *__data, const void __klp_sdk_prev *__new) \
		__klp_sdk_callback					\
	{								\
		_fn(__data, (const void __force *)__new);		\
	}								\
	static_assert(1, "")

/**
 * KLP_SDK_GROW_BACK() - Declare that a state's data can go back to a prefix
 * @_name:	name of the way back, e.g. drops_to_v1
 * @_version:	the state's older version; a constant, not 0
 * @_old:	C type of the state's data at that version, a prefix of @_new
 * @_new:	C type of the state's data now
 * @_first:	the first field of @_new that @_old does not have
 * @_fn:	void (@_new \*data), releases what the newer fields have
 *
 * The way back for KLP_SDK_GROW(): the object stays where it is, and both sides of the
 * transition share it. @_fn runs at completion, before the older patch's .adopt;
 * a reversed transition never runs it. The newer fields are zero when a later patch
 * grows the state again. After a forced transition @_fn never runs, and the state cannot
 * grow in place any more. The rules of KLP_SDK_CONVERT_BACK() for shadow types
 * and forced transitions hold here, too.
 *
 * Context of @_fn: as for KLP_SDK_CONVERT_BACK().
 */
#define KLP_SDK_GROW_BACK(_name, _version, _old, _new, _first, _fn)	\
	__KLP_SDK_MIGRATION_CHECK(_name, _version);			\
	static_assert(offsetof(_new, _first) >= sizeof(_old),		\
		      "klp-sdk: way back " #_name ": " #_first		\
		      " lies within " #_old);				\
	__KLP_SDK_BACK_RELEASE(_name, _new, _fn);			\
	__KLP_SDK_BACK(_name, _version, _old, _new, NULL, _name##_klp_sdk_release)

/**
 * KLP_SDK_TO() - Name a way back in a state's .back list
 * @_back:	name given to KLP_SDK_CONVERT_BACK() or KLP_SDK_GROW_BACK()
 *
 * It is a compile error if the way back starts from another type than the state's.
 */
#define KLP_SDK_TO(_back)						\
	{ &_back##_klp_sdk_back, (_back##_klp_sdk_back_new *)NULL }

/**
 * KLP_SDK_FROM() - Name a migration in a state's .convert or .grow list
 * @_migration:	name given to KLP_SDK_CONVERT() or KLP_SDK_GROW()
 *
 * It is a compile error if the migration makes another type than the state's.
 */
#define KLP_SDK_FROM(_migration)					\
	{ &_migration##_klp_sdk, (_migration##_klp_sdk_new *)NULL }

/**
 * KLP_SDK_STATE() - Declare a system state
 * @_name:	name of the state, a C identifier, the same in every version
 * @_type:	C type of the data, e.g. struct loglevel
 *
 * What follows are designated initialisers, in any order:
 *
 * * .id: klp_sdk_state_id_t, required.
 * * .version: unsigned int, required, not 0. Raise it when the meaning or the
 *   layout of the data changes.
 * * .object: name of the module that the state is bound to, with '_' for '-'.
 *   Default: vmlinux. The state then comes and goes with the module: each load of it is
 *   an introduction, before the module's init, and each unload a removal,
 *   after its exit. Only functions that the patch puts in place of that module's
 *   may read the state. The patch needs no KLP_SDK_OBJECT() for the module.
 * * .reserve: bytes to allocate at least, so that later versions can grow in
 *   place. Default: the size of @_type.
 * * .permanent: true if the state must not be undone by going back to an older
 *   version without .back, or to a patch without it; such a patch is then refused. If
 *   patches share the state, each one that is enabled can ask for it.
 * * .stackable: true if patches that do not replace each other may hold the
 *   state together, at the same version. They share the data; the last one to
 *   be disabled undoes the state. Nothing in the data may point to code, and
 *   there is no .adopt.
 * * .retire: true if this patch takes the state away for good. Its own
 *   .pre_unpatch and .post_unpatch undo what the replaced patch of the same
 *   version made, in place of that patch's; nothing else of it runs. Should the
 *   transition be reversed, the replaced patch's .post_patch runs again.
 * * .shadows: KLP_SDK_SHADOWS(), the shadow types that belong to the state, see
 *   KLP_SDK_SHADOW(). A type that the replaced patch has and this one does not
 *   is dropped: its shadow variables are freed. Patches that share a state list the
 *   same types.
 * * .convert, .grow: the older versions that can be migrated from, at most 8
 *   each: ``{ KLP_SDK_FROM(...), ... }``.
 * * .back: the older versions to whose patches the state can be handed over, at
 *   most 8: ``{ KLP_SDK_TO(...), ... }``. To any other one it goes by being undone.
 * * .pre_patch: int (@_type \*). The state is new: prepare the zeroed data. No
 *   patched function has run, and the change of a replaced patch's newer version is
 *   reverted, but not its .pre_patch. 0, or an error, which refuses the patch; not
 *   -EEXIST, which modprobe takes for success. Undone
 *   by .post_unpatch, which is not called for a pre_patch that failed.
 * * .post_patch: void (@_type \*). The whole system runs the new code: make
 *   the change. Runs again after a disable that was reversed.
 * * .pre_unpatch: void (@_type \*). The state is going: revert the change.
 *   Functions that read the state as live may still be running.
 * * .post_unpatch: void (@_type \*). No patched function runs any more, and
 *   the shadow variables are freed: undo pre_patch. The SDK frees the data
 *   afterwards. After a forced transition it never runs, and the module that
 *   contains it is pinned.
 * * .adopt: void (@_type \*, const void \*old). The data came from a replaced
 *   patch: re-point whatever refers to that patch's module, which may be
 *   unloaded next. @old is the data itself, or the object that it was converted
 *   from, to be compared with addresses only: it may have any other version's layout,
 *   on a way back a newer one. It is there until adopt returns.
 *
 * Every function is optional and has the context that "The life of a system
 * state" gives. Types are checked by the compiler, without casts. The state is
 * a static variable called @_name in this file.
 *
 * A mistake in the declaration (id or version 0, an empty type, a function of
 * another type) is a compile error that names the state.
 */
#define KLP_SDK_STATE(_name, _type, ...)				\
	static_assert(sizeof(_type) > 0,				\
		      "klp-sdk: state " #_name ": " #_type " is empty"); \
	struct _name##_klp_sdk_decl {					\
		union {							\
			struct klp_sdk_state_props props;		\
			struct {					\
				KLP_SDK_STATE_PROPS(_type);		\
			};						\
		};							\
		int (*pre_patch)(_type *data);				\
		void (*post_patch)(_type *data);			\
		void (*pre_unpatch)(_type *data);			\
		void (*post_unpatch)(_type *data);			\
		void (*adopt)(_type *data, const void *old);		\
	};								\
	static const struct _name##_klp_sdk_decl _name##_klp_sdk_decl = { \
		__VA_ARGS__						\
	};								\
	static int _name##_klp_sdk_pre_patch(void *data)		\
	{								\
		BUILD_BUG_ON_MSG(!(__force unsigned long)_name##_klp_sdk_decl.id, \
				 "klp-sdk: state " #_name ": .id must not be 0"); \
		BUILD_BUG_ON_MSG(!_name##_klp_sdk_decl.version,		\
				 "klp-sdk: state " #_name ": .version must not be 0"); \
		BUILD_BUG_ON_MSG(_name##_klp_sdk_decl.stackable &&	\
				 _name##_klp_sdk_decl.adopt,		\
				 "klp-sdk: state " #_name		\
				 " is stackable and cannot have .adopt"); \
		BUILD_BUG_ON_MSG(_name##_klp_sdk_decl.stackable &&	\
				 _name##_klp_sdk_decl.retire,		\
				 "klp-sdk: state " #_name		\
				 " is stackable and cannot have .retire"); \
		if (_name##_klp_sdk_decl.pre_patch)			\
			return _name##_klp_sdk_decl.pre_patch(data);	\
		return 0;						\
	}								\
	static void _name##_klp_sdk_post_patch(void *data)		\
	{								\
		if (_name##_klp_sdk_decl.post_patch)			\
			_name##_klp_sdk_decl.post_patch(data);		\
	}								\
	static void _name##_klp_sdk_pre_unpatch(void *data)		\
	{								\
		if (_name##_klp_sdk_decl.pre_unpatch)			\
			_name##_klp_sdk_decl.pre_unpatch(data);		\
	}								\
	static void _name##_klp_sdk_post_unpatch(void *data)		\
	{								\
		if (_name##_klp_sdk_decl.post_unpatch)			\
			_name##_klp_sdk_decl.post_unpatch(data);	\
	}								\
	static void							\
	_name##_klp_sdk_adopt(void *data, const void __klp_sdk_prev *old) \
	{								\
		if (_name##_klp_sdk_decl.adopt)				\
			_name##_klp_sdk_decl.adopt(data,		\
						   (const void __force *)old); \
	}								\
	static const struct klp_sdk_state_fns _name##_klp_sdk_fns = {	\
		.pre_patch	= _name##_klp_sdk_pre_patch,		\
		.post_patch	= _name##_klp_sdk_post_patch,		\
		.pre_unpatch	= _name##_klp_sdk_pre_unpatch,		\
		.post_unpatch	= _name##_klp_sdk_post_unpatch,		\
		.adopt		= _name##_klp_sdk_adopt,		\
	};								\
	static struct klp_sdk_slots _name##_klp_sdk_slots;		\
	extern const char _name##_klp_sdk_reads_data[] __weak;		\
	static struct klp_sdk_state _name = {				\
		.name	= #_name,					\
		.props	= &_name##_klp_sdk_decl.props,			\
		.size	= sizeof(_type),				\
		.fns	= &_name##_klp_sdk_fns,				\
		.slots	= &_name##_klp_sdk_slots,			\
		.reads_data = _name##_klp_sdk_reads_data,		\
	};								\
	static __always_inline __maybe_unused _type *			\
	_name##_klp_sdk_live(void)					\
	{								\
		return READ_ONCE(_name##_klp_sdk_slots.live);			\
	}								\
	static __always_inline __maybe_unused _type *			\
	_name##_klp_sdk_data(void)					\
	{								\
		BUILD_BUG_ON_MSG(_name##_klp_sdk_decl.convert[0].how,	\
				 "klp-sdk: state " #_name		\
				 " is converted; use klp_sdk_live()");	\
		/* Tells the engine that it is read; see reads_data. */	\
		asm(".set " #_name "_klp_sdk_reads_data, 1");		\
		return READ_ONCE(_name##_klp_sdk_slots.data);			\
	}								\
	static_assert(1, "")

/**
 * klp_sdk_live() - Read a state that the whole system knows
 * @_state:	name of a state declared in this file
 *
 * Read it once per operation and keep the pointer: it turns to NULL when the
 * state starts to go away, but what was read stays valid until the patched
 * function returns. One load; test the result for NULL.
 *
 * Context: any, in a function that this patch puts in place of another one.
 * Code that the kernel's stack checks do not see (timers, work items,
 * kthreads) must be stopped in pre_unpatch before it may use this. Ownership:
 * stays with the SDK.
 *
 * Return: the data, or NULL while the state is being introduced, taken away, or
 * converted, or while it gets a new shadow type or one whose values are to be
 * converted. With .grow the new fields are zero until the transition is done.
 */
#define klp_sdk_live(_state)	_state##_klp_sdk_live()

/**
 * klp_sdk_data() - Read a state's data at any time that patched functions run
 * @_state:	name of a state declared in this file, without .convert
 *
 * For what both sides of a transition must share, such as a lock: this is the
 * replaced patch's object from the first moment that a function of this patch
 * can run. Things that post_patch sets up may not exist yet, or may already be gone.
 * If a patch without the SDK has the data in memory that is no kmalloc() object of its
 * own, this is that memory until completion and a copy afterwards: use it under
 * rcu_read_lock() in a patch that replaces such a one.
 *
 * Context: as for klp_sdk_live(). Ownership: stays with the SDK.
 *
 * Return: the data, never NULL in a patched function. A compile error for a
 * state that is converted.
 */
#define klp_sdk_data(_state)	_state##_klp_sdk_data()

/**
 * klp_sdk_prev() - Read the replaced patch's object by its older type
 * @_migration:	name given to KLP_SDK_CONVERT()
 *
 * Until a conversion is done the replaced patch and this one both work on the
 * older object, and klp_sdk_live() gives NULL in this patch.
 *
 * Context: under rcu_read_lock(), and no longer: the object is freed a grace
 * period after it was converted, while functions of this patch may be running.
 * Values written after the conversion has read them are lost.
 *
 * Return: the older object while the transition from that version is under
 * way, otherwise NULL. To be tested for NULL, and read with klp_sdk_dereference().
 */
#define klp_sdk_prev(_migration)					\
	(klp_sdk_compat_under_rcu(), _migration##_klp_sdk_prev())

/**
 * KLP_SDK_STATES() - List the states of a patch for KLP_SDK_PATCH()
 *
 * Takes the addresses of states in the order in which they are prepared; they
 * are undone in reverse. The list ends itself. It is two initialisers, the list and the
 * number of its entries, so that a NULL among them is refused.
 */
#define KLP_SDK_STATES(...)						\
	((struct klp_sdk_state *const []){ __VA_ARGS__, NULL }),	\
	.nr_listed = ARRAY_SIZE(((struct klp_sdk_state *const []){ __VA_ARGS__ }))

#endif /* _KLP_SDK_STATE_H */
