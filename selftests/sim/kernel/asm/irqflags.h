/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In place of the kernel's header of this name: interrupts are a variable, for a
 * program may not switch those of the machine. What is lost: no interrupt ever comes.
 */
#ifndef _ASM_X86_IRQFLAGS_H
#define _ASM_X86_IRQFLAGS_H

#include <asm/processor-flags.h>
#ifndef __ASSEMBLY__
#include <linux/compiler.h>

extern unsigned long sim_irqs_off;

static __always_inline unsigned long arch_local_save_flags(void)
{
	return sim_irqs_off ? 0 : X86_EFLAGS_IF;
}

static __always_inline void arch_local_irq_restore(unsigned long flags)
{
	sim_irqs_off = !(flags & X86_EFLAGS_IF);
}

static __always_inline void arch_local_irq_disable(void)
{
	sim_irqs_off = 1;
}

static __always_inline void arch_local_irq_enable(void)
{
	sim_irqs_off = 0;
}

static __always_inline unsigned long arch_local_irq_save(void)
{
	unsigned long flags = arch_local_save_flags();

	arch_local_irq_disable();
	return flags;
}

static __always_inline int arch_irqs_disabled_flags(unsigned long flags)
{
	return !(flags & X86_EFLAGS_IF);
}

static __always_inline int arch_irqs_disabled(void)
{
	return sim_irqs_off;
}

static __always_inline void native_irq_disable(void)
{
	arch_local_irq_disable();
}

static __always_inline void native_irq_enable(void)
{
	arch_local_irq_enable();
}

static __always_inline unsigned long native_save_fl(void)
{
	return arch_local_save_flags();
}

static __always_inline void native_safe_halt(void)
{
}

static __always_inline void native_halt(void)
{
}

static __always_inline void arch_safe_halt(void)
{
}

static __always_inline void halt(void)
{
}
#endif /* !__ASSEMBLY__ */

#endif
