/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shadow variables with types, which belong to states: what a patch author
 * declares, and the calls of patched functions.
 */
#ifndef _KLP_SDK_SHADOW_H
#define _KLP_SDK_SHADOW_H

#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include <klp-sdk/compat.h>
#include <klp-sdk/sparse.h>

/**
 * DOC: The life of a shadow variable
 *
 * A shadow variable is a value that a patch attaches to an object of the kernel,
 * its parent. A shadow type says of what type the parents and the values are; it
 * belongs to a state, which lists it in .shadows, and lives and dies with it:
 *
 * ==============================  ============================================
 * what happens to the state       what happens to its shadow variables
 * ==============================  ============================================
 * introduced                      may be allocated once it is live
 * handed to the next patch        stay where they are
 * the next patch drops the type   are freed when the transition is complete
 * undone: disabled, replaced by   are freed, before .post_unpatch, by the dtor
 * an older patch, retired, or     of the patch whose functions undo the state
 * the state's module goes
 * a transition was forced         are not freed any more
 * ==============================  ============================================
 *
 * So a patch never finds a shadow variable that an earlier life of the state left
 * at an address which the kernel has used again. While the state lives that is the
 * patch's part: it must replace the function that frees the parents, and free the
 * shadow there. For the same reason allocate only while klp_sdk_live() is not
 * NULL: before that some tasks still run the function without the change, and
 * free a parent without its shadow.
 *
 * A disable, or another undoing of the state, that is reversed leaves the shadows
 * of parents that tasks without the patch freed meanwhile. A function that makes
 * parents should call klp_sdk_shadow_free() for each one before it allocates, or
 * klp_sdk_shadow_alloc() finds such a shadow and refuses; and what
 * klp_sdk_shadow_each() passes as the parent may be gone.
 *
 * A type has one of two backends, with the same calls:
 *
 * ==================  =========================  ============================
 * \                   plain                      .indexed = true
 * ==================  =========================  ============================
 * what it is          klp_shadow_*() as it is    an rhashtable for each type
 * speed               falls with the number of   does not depend on the number
 *                     all shadow variables
 * ctor and dtor       under a spinlock,          in the caller's context,
 *                     interrupts off             may sleep if that may
 * freeing them all    interrupts off all along   interrupts on, lets others run
 * alloc and free      from any context but NMI   from process and softirq,
 *                                                interrupts on; with PREEMPT_RT
 *                                                preemption on, too
 * all can be listed   no                         klp_sdk_shadow_each()
 * conversion          one by one, by the first   all, when the transition is
 *                     call that meets them       complete
 * ==================  =========================  ============================
 *
 * A value is zeroed memory with an alignment of 8 bytes. It is freed a grace
 * period of RCU after it was detached, its dtor runs at once.
 */

/**
 * typedef klp_sdk_shadow_id_t - Id of a shadow type
 *
 * At most 48 bits. The first layout has the same number in the kernel, where raw
 * patches find it; later layouts add their version above these bits.
 */
typedef unsigned long __bitwise klp_sdk_shadow_id_t;

/**
 * KLP_SDK_SHADOW_ID() - Make the id of a shadow type from a number
 * @_n:		a constant from 1 to 2^48 - 1, unique on the system
 *
 * Return: the id, as a constant.
 */
#define KLP_SDK_SHADOW_ID(_n)	((__force klp_sdk_shadow_id_t)(_n))

#define KLP_SDK_SHADOW_BITS	48

/* The highest version of a layout: above are the SDK's own ids. */
#define KLP_SDK_SHADOW_VERSIONS	4095

/* The kernel's id for one layout of a shadow type. */
#define __klp_sdk_shadow_key(_id, _version)				\
	((__force unsigned long)(_id) |					\
	 (unsigned long)((_version) - 1) << KLP_SDK_SHADOW_BITS)

/* How many older layouts one declaration can take over. */
#define KLP_SDK_SHADOW_MAX_FROM	8

/* Made by KLP_SDK_SHADOW_CONVERT(), for the engine. */
struct klp_sdk_shadow_convert {
	u32 version;
	size_t old_size;
	size_t new_size;
	void (*convert)(void *parent, void *data, void __klp_sdk_prev *old);
	void (*dtor)(void *parent, void *old);
};

/*
 * The properties of a shadow type that the engine reads, twice in the union that
 * KLP_SDK_SHADOW() makes: typed for the compiler to check, and with void. The
 * functions are called by their own type only, the engine asks if there are any.
 */
#define KLP_SDK_SHADOW_PROPS(_parent, _type)				\
	klp_sdk_shadow_id_t id;						\
	u32 version;							\
	size_t reserve;							\
	bool indexed;							\
	int (*ctor)(_parent *parent, _type *value, void *arg);		\
	void (*dtor)(_parent *parent, _type *value);			\
	struct {							\
		const struct klp_sdk_shadow_convert *how;		\
		_parent *parent;					\
		_type *type;						\
	} convert[KLP_SDK_SHADOW_MAX_FROM];				\
	struct {							\
		size_t size;						\
		_type *type;						\
	} grow[KLP_SDK_SHADOW_MAX_FROM]

struct klp_sdk_shadow_props {
	KLP_SDK_SHADOW_PROPS(void, void);
};

struct klp_sdk_shadow_table;

/*
 * What patched functions read. Part of the binary interface between patches: a
 * successor clears them.
 */
struct klp_sdk_shadow_slots {
	struct klp_sdk_shadow_table *table;
	unsigned long live;
} __no_randomize_layout;

/*
 * A shadow type as the calls need it. The functions stand behind prototypes that
 * do not depend on the types, see struct klp_sdk_state_fns.
 */
struct klp_sdk_shadow_type {
	const char *name;
	const struct klp_sdk_shadow_props *props;
	size_t size;
	int (*ctor)(void *parent, void *data, void *arg);
	void (*dtor)(void *parent, void *data);
	struct klp_sdk_shadow_slots *slots;
};

struct klp_sdk_shadow_node;
struct klp_sdk_shadow_record;

/**
 * struct klp_sdk_shadow - A shadow type as one patch declares it
 * @type:	what the calls need
 *
 * Made by KLP_SDK_SHADOW(). All fields are internal to the SDK.
 */
struct klp_sdk_shadow {
	const struct klp_sdk_shadow_type *type;

	/* private: run time, guarded by klp_mutex */

	/* the system's record while a patch holds the state, and its place */
	struct klp_sdk_shadow_record *record;
	/* made for this patch; goes if the patch fails or is reversed */
	bool fresh;
	/* how the values get their layout, NULL if they have it */
	const struct klp_sdk_shadow_convert *from;
	/* memory for the conversion at completion, nodes chained by @parent */
	struct klp_sdk_shadow_node *spare;
};

/**
 * KLP_SDK_SHADOW_CONVERT() - Declare how values of an older layout are converted
 * @_name:	name of the conversion, e.g. conn_v1
 * @_version:	the older layout's .version; a constant, not 0
 * @_parent:	C type of the parents
 * @_old:	C type of the values at that version
 * @_new:	C type of the values now
 * @_fn:	void (@_parent \*, @_new \*new, @_old \*old), fills the new value
 * @_dtor:	void (@_parent \*, @_old \*), the older layout's dtor, for values
 *		that go before they were converted; NULL if it had none
 *
 * @_fn gets a zeroed new value. What @_old points to passes to it: no dtor runs for the
 * old value, which is freed after a grace period.
 *
 * Until the transition is complete nothing is converted. The replaced patch's
 * functions find the old values and those of the new patch none; these reach
 * the old ones with klp_sdk_shadow_prev() and may free them. Then the plain backend
 * converts a value in the first call that asks for it, and the indexed one
 * all of them, with memory that was taken before the transition began.
 *
 * The new patch's functions run when values are converted. What they write
 * to an old value after @_fn has read it is lost, and a lock in it cannot be
 * converted: let locks and counters grow, see .grow.
 *
 * The plain backend cannot know when the last old value is gone: declare the
 * conversion in all later patches, until the state was undone once. A patch that lacks
 * it is refused.
 *
 * Context of @_fn: atomic; under a spinlock, with the plain backend with interrupts off.
 * It must not call functions for shadow variables, nor take a lock under which others
 * call them for this type.
 */
#define KLP_SDK_SHADOW_CONVERT(_name, _version, _parent, _old, _new, _fn, _dtor) \
	static_assert((_version) > 0,					\
		      "klp-sdk: conversion " #_name ": version must not be 0"); \
	static_assert(__builtin_types_compatible_p(typeof(_fn),		\
				void (_parent *, _new *, _old *)),	\
		      "klp-sdk: conversion " #_name ": " #_fn		\
		      " must be void (" #_parent " *, " #_new " *, "	\
		      #_old " *)");					\
	typedef _parent _name##_klp_sdk_parent;				\
	typedef _new _name##_klp_sdk_new;				\
	static void _name##_klp_sdk_convert(void *__parent, void *__data, \
					    void __klp_sdk_prev *__old)	\
	{								\
		_fn(__parent, __data, (void __force *)__old);		\
	}								\
	static void (*const _name##_klp_sdk_old_dtor)(_parent *, _old *) = _dtor; \
	static void _name##_klp_sdk_dtor(void *parent, void *old)	\
	{								\
		if (_name##_klp_sdk_old_dtor)				\
			_name##_klp_sdk_old_dtor(parent, old);		\
	}								\
	static const struct klp_sdk_shadow_convert _name##_klp_sdk = {	\
		.version	= (_version),				\
		.old_size	= sizeof(_old),				\
		.new_size	= sizeof(_new),				\
		.convert	= _name##_klp_sdk_convert,		\
		.dtor		= _name##_klp_sdk_dtor,			\
	};								\
	static __always_inline __maybe_unused _old __klp_sdk_prev *	\
	_name##_klp_sdk_prev(const struct klp_sdk_shadow_type *type,	\
			     _parent *parent)				\
	{								\
		RCU_LOCKDEP_WARN(!rcu_read_lock_held(),			\
				 "klp_sdk_shadow_prev(" #_name ") outside RCU"); \
		return klp_sdk_shadow_find_old(type, parent, (_version)); \
	}								\
	static_assert(1, "")

/**
 * KLP_SDK_SHADOW_FROM() - Name a conversion in a shadow type's .convert list
 * @_conversion:	name given to KLP_SDK_SHADOW_CONVERT()
 *
 * It is a compile error if it is for other types.
 */
#define KLP_SDK_SHADOW_FROM(_conversion)				\
	{ &_conversion##_klp_sdk,					\
	  (_conversion##_klp_sdk_parent *)NULL,				\
	  (_conversion##_klp_sdk_new *)NULL }

/**
 * KLP_SDK_SHADOW_GREW() - Name an older, shorter layout in .grow
 * @_old:	C type of the values in an older patch, a prefix of @_new
 * @_new:	C type of the values now
 * @_first:	the first field of @_new that @_old does not have
 *
 * A compile error if @_first lies within @_old.
 */
#define KLP_SDK_SHADOW_GREW(_old, _new, _first)				\
	{ sizeof(_old) + BUILD_BUG_ON_ZERO(offsetof(_new, _first) < sizeof(_old)), \
	  (_new *)NULL }

/**
 * KLP_SDK_SHADOW() - Declare a shadow type
 * @_name:	name of the shadow type, a C identifier, the same in every patch
 * @_parent:	C type of the parents, e.g. struct sock
 * @_type:	C type of the values
 *
 * What follows are designated initialisers, in any order:
 *
 * * .id: klp_sdk_shadow_id_t, required, the same in every patch.
 * * .version: of the layout, required, 1 at first. Raise it, and the state's
 *   .version, when the layout changes otherwise than by growing.
 * * .indexed: true for the backend that finds, converts and frees them fast when
 *   there are many. The same in every patch.
 * * .reserve: bytes to allocate at least for a value, so that it can grow in
 *   place in later patches. Default: the size of @_type.
 * * .grow: the shorter layouts of the same .version: ``{ KLP_SDK_SHADOW_GREW(...),
 *   ... }``. The values stay where they are, and both sides of a transition
 *   use them: right for locks and counters. The new fields are zero where an
 *   older patch made the value, or what a patch left in them whose transition was
 *   reversed; either must do. The first patch must have kept room with .reserve. Raise
 *   the state's .version, so that the older patch can come back.
 * * .convert: the older layouts: ``{ KLP_SDK_SHADOW_FROM(...), ... }``.
 * * .ctor: int (@_parent \*, @_type \*, void \*arg). Prepares a zeroed value; an
 *   error throws it away without .dtor.
 * * .dtor: void (@_parent \*, @_type \*). Releases what the value has. When the
 *   state goes the parent may be gone already: unpatched code may have freed it
 *   before or after. It must not follow its parent but in klp_sdk_shadow_free().
 *
 * Neither may call functions for shadow variables. With the plain backend they
 * run under a spinlock with interrupts off: no sleeping, no GFP_KERNEL. With the
 * indexed one .ctor may run for a value that another one was faster than:
 * .dtor follows at once.
 *
 * List it in the .shadows of its state. A mistake in the declaration is a compile
 * error that names the shadow type, or refused with a message when the patch is
 * loaded: an id of another state's, a changed layout without .version, an older
 * layout without its conversion.
 */
#define KLP_SDK_SHADOW(_name, _parent, _type, ...)			\
	static_assert(sizeof(_type) > 0,				\
		      "klp-sdk: shadow type " #_name ": " #_type " is empty"); \
	static_assert(__alignof__(_type) <= 8,				\
		      "klp-sdk: shadow type " #_name ": " #_type	\
		      " needs an alignment of more than 8");		\
	struct _name##_klp_sdk_decl {					\
		union {							\
			struct klp_sdk_shadow_props props;		\
			struct {					\
				KLP_SDK_SHADOW_PROPS(_parent, _type);	\
			};						\
		};							\
	};								\
	static const struct _name##_klp_sdk_decl _name##_klp_sdk_decl = { \
		__VA_ARGS__						\
	};								\
	static int _name##_klp_sdk_ctor(void *parent, void *data, void *arg) \
	{								\
		BUILD_BUG_ON_MSG(!(__force unsigned long)_name##_klp_sdk_decl.id, \
				 "klp-sdk: shadow type " #_name		\
				 ": .id must not be 0");		\
		BUILD_BUG_ON_MSG((__force unsigned long)_name##_klp_sdk_decl.id >> \
				 KLP_SDK_SHADOW_BITS,			\
				 "klp-sdk: shadow type " #_name		\
				 ": .id has more than 48 bits");	\
		BUILD_BUG_ON_MSG(!_name##_klp_sdk_decl.version ||	\
				 _name##_klp_sdk_decl.version >		\
				 KLP_SDK_SHADOW_VERSIONS,		\
				 "klp-sdk: shadow type " #_name		\
				 ": .version must be from 1 to 4095");	\
		if (_name##_klp_sdk_decl.ctor)				\
			return _name##_klp_sdk_decl.ctor(parent, data, arg); \
		return 0;						\
	}								\
	static void _name##_klp_sdk_dtor(void *parent, void *data)	\
	{								\
		if (_name##_klp_sdk_decl.dtor)				\
			_name##_klp_sdk_decl.dtor(parent, data);	\
	}								\
	static struct klp_sdk_shadow_slots _name##_klp_sdk_slots;	\
	static const struct klp_sdk_shadow_type _name##_klp_sdk_type = { \
		.name	= #_name,					\
		.props	= &_name##_klp_sdk_decl.props,			\
		.size	= sizeof(_type),				\
		.ctor	= _name##_klp_sdk_ctor,				\
		.dtor	= _name##_klp_sdk_dtor,				\
		.slots	= &_name##_klp_sdk_slots,			\
	};								\
	static struct klp_sdk_shadow _name = {				\
		.type	= &_name##_klp_sdk_type,			\
	};								\
	static __always_inline __maybe_unused _type *			\
	_name##_klp_sdk_get(_parent *parent)				\
	{								\
		_type *value;						\
									\
		if (_name##_klp_sdk_decl.indexed)			\
			value = klp_sdk_shadow_find_indexed(&_name##_klp_sdk_slots, \
							    parent,	\
							    _name##_klp_sdk_decl.version); \
		else if (!__KLP_SDK_SHADOW_RAW(_name))			\
			value = klp_sdk_shadow_find(&_name##_klp_sdk_type, parent); \
		else							\
			value = klp_shadow_get(parent, __KLP_SDK_SHADOW_KEY(_name)); \
		if (!value)						\
			__KLP_SDK_SHADOW_CHECK_GET(_name);		\
		return value;						\
	}								\
	static __always_inline __maybe_unused _type *			\
	_name##_klp_sdk_alloc(_parent *parent, gfp_t gfp, void *arg)	\
	{								\
		if (!__KLP_SDK_SHADOW_RAW(_name))			\
			return klp_sdk_shadow_new(&_name##_klp_sdk_type, \
						  parent, gfp, arg, false); \
		__klp_sdk_shadow_check_gfp(gfp);			\
		__klp_sdk_shadow_check_live(&_name##_klp_sdk_type);	\
		return klp_shadow_alloc(parent, __KLP_SDK_SHADOW_KEY(_name), \
					__KLP_SDK_SHADOW_SIZE(_name, _type), gfp, \
					__KLP_SDK_SHADOW_FN(_name, ctor), arg); \
	}								\
	static __always_inline __maybe_unused _type *			\
	_name##_klp_sdk_get_or_alloc(_parent *parent, gfp_t gfp, void *arg) \
	{								\
		if (!__KLP_SDK_SHADOW_RAW(_name))			\
			return klp_sdk_shadow_new(&_name##_klp_sdk_type, \
						  parent, gfp, arg, true); \
		__klp_sdk_shadow_check_gfp(gfp);			\
		__klp_sdk_shadow_check_live(&_name##_klp_sdk_type);	\
		return klp_shadow_get_or_alloc(parent,			\
					__KLP_SDK_SHADOW_KEY(_name),	\
					__KLP_SDK_SHADOW_SIZE(_name, _type), gfp, \
					__KLP_SDK_SHADOW_FN(_name, ctor), arg); \
	}								\
	static __always_inline __maybe_unused void			\
	_name##_klp_sdk_free(_parent *parent)				\
	{								\
		if (!__KLP_SDK_SHADOW_RAW(_name))			\
			klp_sdk_shadow_remove(&_name##_klp_sdk_type, parent); \
		else							\
			klp_shadow_free(parent, __KLP_SDK_SHADOW_KEY(_name), \
					__KLP_SDK_SHADOW_FN(_name, dtor)); \
	}								\
	struct _name##_klp_sdk_each {					\
		void (*fn)(_parent *parent, _type *value, void *arg);	\
		void *arg;						\
	};								\
	static __maybe_unused void					\
	_name##_klp_sdk_each_fn(void *parent, void *data, void *arg)	\
	{								\
		const struct _name##_klp_sdk_each *each = arg;		\
									\
		each->fn(parent, data, each->arg);			\
	}								\
	static __always_inline __maybe_unused void			\
	_name##_klp_sdk_each(void (*fn)(_parent *parent, _type *value,	\
					void *arg), void *arg)		\
	{								\
		struct _name##_klp_sdk_each each = { fn, arg };		\
									\
		BUILD_BUG_ON_MSG(!_name##_klp_sdk_decl.indexed,		\
				 "klp-sdk: shadow type " #_name		\
				 " is not indexed and cannot be listed"); \
		klp_sdk_shadow_walk(&_name##_klp_sdk_type,		\
				    _name##_klp_sdk_each_fn, &each);	\
	}								\
	static_assert(1, "")

/* What debug kernels say, once for each type, of a get that cannot find anything. */
#ifdef CONFIG_PROVE_LOCKING
#define __KLP_SDK_SHADOW_CHECK_GET(_name)				\
do {									\
	if (!READ_ONCE(_name##_klp_sdk_slots.live))			\
		pr_notice_once("klp-sdk: %pS: shadow type '" #_name "' has no value for this parent while its state is not live; test klp_sdk_live() first, unless this undoes what was done to the parent\n", \
			       (void *)_THIS_IP_);			\
} while (0)
#else
#define __KLP_SDK_SHADOW_CHECK_GET(_name)	do { } while (0)
#endif

/* Does the type need no more than klp_shadow_*()? */
#define __KLP_SDK_SHADOW_RAW(_name)					\
	(!_name##_klp_sdk_decl.indexed && !_name##_klp_sdk_decl.convert[0].how)

#define __KLP_SDK_SHADOW_KEY(_name)					\
	__klp_sdk_shadow_key(_name##_klp_sdk_decl.id,			\
			     _name##_klp_sdk_decl.version)

#define __KLP_SDK_SHADOW_SIZE(_name, _type)				\
	max(sizeof(_type), _name##_klp_sdk_decl.reserve)

/* The core gets no function where the author has none. */
#define __KLP_SDK_SHADOW_FN(_name, _fn)					\
	(_name##_klp_sdk_decl._fn ? _name##_klp_sdk_##_fn : NULL)

/**
 * KLP_SDK_SHADOWS() - List the shadow types of a state in its .shadows
 *
 * Takes the addresses of shadow types. The list ends itself. It is two initialisers, as
 * KLP_SDK_STATES() is.
 */
#define KLP_SDK_SHADOWS(...)						\
	((struct klp_sdk_shadow *const []){ __VA_ARGS__, NULL }),	\
	.nr_shadows = ARRAY_SIZE(((struct klp_sdk_shadow *const []){ __VA_ARGS__ }))

/**
 * klp_sdk_shadow_get() - Find the shadow variable of a parent
 * @_shadow:	name of a shadow type declared in this file
 * @_parent:	the parent
 *
 * Context: any. Plain: any but NMI where the type has .convert. Ownership: stays
 * with the SDK. The value is good until klp_sdk_shadow_free() or until the state
 * goes; against a free at the same time hold rcu_read_lock() from before the call
 * (the value's memory stays, its dtor may have run).
 *
 * Return: the value, or NULL if the parent has none of this layout. While the
 * state is not live that is what a patch of the same layout left in the other
 * side of the transition, if anything. To ask then for what is not there is right in a
 * function that undoes, such as a put, and a mistake elsewhere: debug kernels
 * (CONFIG_PROVE_LOCKING) say so once for each type. With .convert and the plain
 * backend NULL, too, and a message, if there is no memory to convert an old value; it
 * stays, and the next call tries again.
 */
#define klp_sdk_shadow_get(_shadow, _parent)				\
	_shadow##_klp_sdk_get(_parent)

/**
 * klp_sdk_shadow_alloc() - Attach a shadow variable to a parent
 * @_shadow:	name of a shadow type declared in this file
 * @_parent:	the parent, which has none of this type
 * @_gfp:	flags for the allocation
 * @_arg:	for .ctor; may be NULL
 *
 * Only while the state is live: test klp_sdk_live() first, see "The life of a
 * shadow variable". Before it is live for the first time debug kernels
 * (CONFIG_PROVE_LOCKING) say so, and types with .indexed or .convert refuse on all
 * kernels, with a message.
 *
 * Context: process, softirq or, plain only, hard interrupt or interrupts off, as
 * @_gfp allows.
 * @_gfp that may sleep in atomic context is reported by kernels with
 * CONFIG_DEBUG_ATOMIC_SLEEP. Ownership: the SDK's.
 *
 * Return: the zeroed value, prepared by .ctor. NULL if there is no memory or .ctor
 * failed, which the log says; nothing is left behind. NULL and a WARN if the parent has
 * one, as klp_shadow_alloc().
 */
#define klp_sdk_shadow_alloc(_shadow, _parent, _gfp, _arg)		\
	_shadow##_klp_sdk_alloc(_parent, _gfp, _arg)

/**
 * klp_sdk_shadow_get_or_alloc() - Find a shadow variable or attach one
 * @_shadow:	name of a shadow type declared in this file
 * @_parent:	the parent
 * @_gfp:	flags for the allocation
 * @_arg:	for .ctor; may be NULL
 *
 * Context, ownership: as klp_sdk_shadow_alloc().
 *
 * Return: as klp_sdk_shadow_alloc(), but the value that is there, if one is.
 */
#define klp_sdk_shadow_get_or_alloc(_shadow, _parent, _gfp, _arg)	\
	_shadow##_klp_sdk_get_or_alloc(_parent, _gfp, _arg)

/**
 * klp_sdk_shadow_free() - Detach the shadow variable of a parent and free it
 * @_shadow:	name of a shadow type declared in this file
 * @_parent:	the parent; it may have none
 *
 * Runs .dtor at once, and frees the memory after a grace period of RCU. A value
 * of an older layout goes, too, by the dtor of its conversion; also before
 * the state is live.
 *
 * Context: as klp_sdk_shadow_alloc(); of an indexed type whose .dtor sleeps:
 * process context.
 */
#define klp_sdk_shadow_free(_shadow, _parent)				\
	_shadow##_klp_sdk_free(_parent)

/**
 * klp_sdk_shadow_prev() - Find a shadow variable of an older layout
 * @_shadow:	name of a shadow type declared in this file
 * @_conversion:	name given to KLP_SDK_SHADOW_CONVERT(), one of the type's
 * @_parent:	the parent
 *
 * For functions that must find a value while a transition is under way: ask this
 * first, then klp_sdk_shadow_get(). In that order one of them finds it, also
 * when it is being converted meanwhile.
 *
 * Context: under rcu_read_lock(), and no longer. What is written after the value was
 * converted is lost.
 *
 * Return: the old value, or NULL if there is none, or none any more. To be tested for
 * NULL, and read with klp_sdk_dereference().
 */
#define klp_sdk_shadow_prev(_shadow, _conversion, _parent)		\
	(klp_sdk_compat_under_rcu(),					\
	 _conversion##_klp_sdk_prev(&_shadow##_klp_sdk_type, _parent))

/**
 * klp_sdk_shadow_each() - Call a function for all shadow variables of a type
 * @_shadow:	name of a shadow type declared in this file, with .indexed
 * @_fn:	void (parent \*, value \*, void \*arg)
 * @_arg:	passed to @_fn
 *
 * Values that come or go meanwhile may be missed; when the table is resized
 * meanwhile values may be met twice. Values of older layouts are left out.
 *
 * Context: process context, may sleep. @_fn runs under rcu_read_lock(): it must
 * not sleep, and must not free values of the type.
 */
#define klp_sdk_shadow_each(_shadow, _fn, _arg)				\
	_shadow##_klp_sdk_each(_fn, _arg)

/* The functions behind these names, of types that need more than klp_shadow_*(). */
void *klp_sdk_shadow_find(const struct klp_sdk_shadow_type *type, void *parent);
void *klp_sdk_shadow_find_indexed(const struct klp_sdk_shadow_slots *slots,
				  void *parent, u32 version);
void __klp_sdk_prev *
klp_sdk_shadow_find_old(const struct klp_sdk_shadow_type *type, void *parent,
			u32 version);
void *klp_sdk_shadow_new(const struct klp_sdk_shadow_type *type, void *parent,
			 gfp_t gfp, void *arg, bool or_get);
void klp_sdk_shadow_remove(const struct klp_sdk_shadow_type *type, void *parent);
void klp_sdk_shadow_walk(const struct klp_sdk_shadow_type *type,
			 void (*fn)(void *parent, void *data, void *arg),
			 void *arg);

/* What debug kernels check of an allocation; no instruction on others. */
static __always_inline void __klp_sdk_shadow_check_gfp(gfp_t gfp)
{
#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
	might_sleep_if(gfpflags_allow_blocking(gfp));
#endif
}

static __always_inline void
__klp_sdk_shadow_check_live(const struct klp_sdk_shadow_type *type)
{
#ifdef CONFIG_PROVE_LOCKING
	WARN_ONCE(!READ_ONCE(type->slots->live),
		  "klp-sdk: shadow type '%s' allocated before its state is live; test klp_sdk_live() first\n",
		  type->name);
#endif
}

#endif /* _KLP_SDK_SHADOW_H */
