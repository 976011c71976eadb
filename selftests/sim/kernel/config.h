/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Put behind the kernel's configuration when anything of the simulation's kernel side is
 * compiled: what is left out would patch or read the running machine. The sources
 * stay as they are. What is lost: the patched form of static keys and static calls (they
 * are variables), paravirt calls, inlined unlocking, tracepoints, and preemption that
 * is chosen at boot.
 */
#undef CONFIG_PARAVIRT
#undef CONFIG_PARAVIRT_XXL
#undef CONFIG_PARAVIRT_SPINLOCKS
#undef CONFIG_JUMP_LABEL
#undef CONFIG_HAVE_STATIC_CALL
#undef CONFIG_HAVE_STATIC_CALL_INLINE
#undef CONFIG_PREEMPT_DYNAMIC
#undef CONFIG_HAVE_PREEMPT_DYNAMIC
#undef CONFIG_HAVE_PREEMPT_DYNAMIC_CALL
#undef CONFIG_HAVE_ARCH_PREL32_RELOCATIONS
#undef CONFIG_INLINE_SPIN_UNLOCK
#undef CONFIG_INLINE_SPIN_UNLOCK_IRQ
#undef CONFIG_INLINE_READ_UNLOCK
#undef CONFIG_INLINE_READ_UNLOCK_IRQ
#undef CONFIG_INLINE_WRITE_UNLOCK
#undef CONFIG_INLINE_WRITE_UNLOCK_IRQ
#undef CONFIG_FORTIFY_SOURCE
#undef CONFIG_TRACEPOINTS
#undef CONFIG_DYNAMIC_DEBUG
#undef CONFIG_DYNAMIC_DEBUG_CORE
