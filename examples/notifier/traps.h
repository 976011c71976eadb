/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What both versions of the patch agree on: a state that is hooked into a chain
 * of notifiers, and so holds a pointer to a function of the patch's module.
 */
#ifndef _TRAPS_H
#define _TRAPS_H

#include <linux/atomic.h>
#include <linux/kdebug.h>
#include <linux/notifier.h>
#include <linux/ptrace.h>
#include <linux/seq_file.h>
#include <asm/trapnr.h>
#include <klp-sdk/klp-sdk.h>

#define TRAPS_STATE	KLP_SDK_STATE_ID(3)

/* Breakpoints that programs ran into, and which version counted the last one. */
struct traps {
	struct notifier_block nb;
	atomic_long_t seen;
	int counted_by;
};

static inline bool traps_is_breakpoint(unsigned long event, void *args)
{
	struct die_args *die = args;

	return event == DIE_INT3 && die->trapnr == X86_TRAP_BP &&
	       user_mode(die->regs);
}

#endif /* _TRAPS_H */
