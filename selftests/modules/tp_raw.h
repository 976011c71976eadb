/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end of a livepatch without the SDK: the patch, with replace, and the module
 * round it. Included behind states, pre_patch() and so on, and objs.
 */
#ifndef _TP_RAW_H
#define _TP_RAW_H

/* For memory only: what a raw patch leaves behind must not be accounted to it, either. */
#include <klp-sdk/lasting.h>

/* Callbacks of an object, all four. */
#define TP_RAW_CALLBACKS {						\
		.pre_patch = pre_patch,					\
		.post_patch = post_patch,				\
		.pre_unpatch = pre_unpatch,				\
		.post_unpatch = post_unpatch,				\
	}

/* Declare the module's patch; @_replace is read when it is loaded. */
#define TP_RAW_PATCH(_objs, _states, _replace)				\
	static struct klp_patch patch = {				\
		.mod = THIS_MODULE,					\
		.objs = _objs,						\
		.states = _states,					\
	};								\
	static int __init tp_raw_init(void)				\
	{								\
		patch.replace = _replace;				\
		return klp_enable_patch(&patch);			\
	}								\
	module_init(tp_raw_init);					\
	static void __exit tp_raw_exit(void)				\
	{								\
	}								\
	module_exit(tp_raw_exit);					\
	MODULE_INFO(livepatch, "Y")

#endif /* _TP_RAW_H */
