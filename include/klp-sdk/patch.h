/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The patch itself: its objects, functions and states, and the module's init
 * and exit.
 */
#ifndef _KLP_SDK_PATCH_H
#define _KLP_SDK_PATCH_H

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include <klp-sdk/compat.h>
#include <klp-sdk/state.h>

/**
 * struct klp_sdk_object - An object to be patched, and the functions in it
 * @name:	name of a module, NULL for vmlinux
 * @funcs:	functions to be patched, ended by an empty entry
 * @nr_funcs:	number of entries of @funcs, the empty one included
 *
 * Made by KLP_SDK_OBJECT(). The SDK builds the core's struct klp_object from
 * it, with the callbacks.
 */
struct klp_sdk_object {
	const char *name;
	struct klp_func *funcs;
	unsigned int nr_funcs;
};

/**
 * KLP_SDK_OBJECT() - One object of a patch
 * @_name:	name of a module, NULL for vmlinux
 * @_funcs:	array of struct klp_func, ended by an empty entry
 *
 * An array of another type, or one that is const, is a compile error. Whatever the
 * compiler does not see is refused at load, with -EINVAL and the object and the entry in the
 * log: an array without the empty entry or of another object, a function that is
 * listed twice or has no name, no replacement, or one that is __init.
 */
#define KLP_SDK_OBJECT(_name, _funcs)					\
	{								\
		.name = (_name),					\
		.funcs = (_funcs),					\
		.nr_funcs = ARRAY_SIZE(_funcs) +			\
			    __KLP_SDK_FUNCS_CHECK(_funcs),		\
	}

/* 0; the core writes to the functions. */
#define __KLP_SDK_FUNCS_CHECK(_funcs)					\
	(0 * sizeof(struct {						\
		static_assert(__same_type(&(_funcs)[0], struct klp_func *), \
			      "klp-sdk: KLP_SDK_OBJECT(): " #_funcs	\
			      " must be an array of struct klp_func, not const"); \
		int unused;						\
	}))

/**
 * KLP_SDK_OBJECTS() - List the objects of a patch for KLP_SDK_PATCH()
 *
 * Takes KLP_SDK_OBJECT() entries, each object once. The list ends itself. It is two
 * initialisers, the list and the number of its entries, so that an entry in which
 * something is missing does not end it.
 */
#define KLP_SDK_OBJECTS(...)						\
	((const struct klp_sdk_object []){ __VA_ARGS__, { } }),		\
	.nr_objs = ARRAY_SIZE(((const struct klp_sdk_object []){ __VA_ARGS__ }))

struct klp_sdk_module_name {
	char name[MODULE_NAME_LEN];
};

/**
 * struct klp_sdk_patch - A livepatch with states
 * @objs:	KLP_SDK_OBJECTS(); may be left out for a patch of states only
 * @states:	KLP_SDK_STATES(); may be left out
 * @replace:	as in struct klp_patch: replace all patches in use
 *
 * Made by KLP_SDK_PATCH().
 */
struct klp_sdk_patch {
	const struct klp_sdk_object *objs;
	struct klp_sdk_state *const *states;
	bool replace;

	/* private: set by KLP_SDK_OBJECTS() and KLP_SDK_STATES() */
	unsigned int nr_objs;
	unsigned int nr_listed;
	/* what the core knows; built by klp_sdk_enable_patch() */
	struct klp_patch patch;
	/* names of modules, of states that are not this patch's */
	struct klp_sdk_module_name *modules;
	/* entries of patch.states that stay after the transition */
	unsigned int nr_states;
	/* klp_enable_patch() runs: no task has called a function of the patch yet */
	bool enabling;
	/* the core has called back */
	bool called;
	/* the transition that enables the patch is complete */
	bool settled;
	/* states of replaced patches that go away with this transition */
	struct list_head leavers;
};

/**
 * klp_sdk_enable_patch() - Enable a patch together with its states
 * @patch:	the patch, in static storage
 *
 * Checks the declarations, builds the core's arrays and calls
 * klp_enable_patch(). A patch always gets an object for vmlinux, because the
 * core runs no callback at all for a patch whose only objects are modules that
 * are not loaded, and one for each module that a state is bound to which the
 * patch declares or takes away. KLP_SDK_PATCH() generates the call.
 *
 * Context: process context, from the module's init, once; may sleep. From elsewhere, or
 * again, it is refused.
 *
 * Return: 0; -EINVAL for a wrong declaration or states that do not fit those
 * of the system, -ENOMEM, what a state's pre_patch returned, or an error of
 * klp_enable_patch(). Every refusal by the SDK has its reason in the log.
 */
int klp_sdk_enable_patch(struct klp_sdk_patch *patch);

/**
 * klp_sdk_free_patch() - Free what klp_sdk_enable_patch() built
 * @patch:	the patch
 *
 * Context: process context, from the module's exit, which the core allows only
 * after it has let go of the patch. KLP_SDK_PATCH() generates the call.
 */
void klp_sdk_free_patch(struct klp_sdk_patch *patch);

/* Lists all live states; the patch's read-only parameter klp_sdk_states. */
extern const struct kernel_param_ops klp_sdk_view_ops;

/**
 * KLP_SDK_PATCH() - Declare the module's patch, its init and its exit
 *
 * Takes designated initialisers of struct klp_sdk_patch: .objs, .states and
 * .replace. Once per module. The module gets a parameter klp_sdk_states, which
 * root can read and which lists all live states of the system, one on a line:
 * id, version, size of the data, flags (S stackable, P permanent, F forced),
 * object, name, each patch that holds it with its phase, which is idle while
 * the object is a module that is not loaded, and each shadow type as "+name:version",
 * followed by "=" and the number of values if it is indexed. The module is marked as a
 * livepatch; the author adds MODULE_LICENSE("GPL") and MODULE_DESCRIPTION().
 */
#define KLP_SDK_PATCH(...)						\
	static struct klp_sdk_patch klp_sdk_patch = {			\
		.patch.mod = THIS_MODULE,				\
		__VA_ARGS__						\
	};								\
	static int __init klp_sdk_patch_init(void)			\
	{								\
		return klp_sdk_enable_patch(&klp_sdk_patch);		\
	}								\
	module_init(klp_sdk_patch_init);				\
	static void __exit klp_sdk_patch_exit(void)			\
	{								\
		klp_sdk_free_patch(&klp_sdk_patch);			\
	}								\
	module_exit(klp_sdk_patch_exit);				\
	module_param_cb(klp_sdk_states, &klp_sdk_view_ops, NULL, 0400);	\
	MODULE_INFO(livepatch, "Y")

#endif /* _KLP_SDK_PATCH_H */
