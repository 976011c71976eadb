// SPDX-License-Identifier: GPL-2.0
/// A shadow variable is allocated with a flag that may sleep where nothing may.
/// klp_shadow_alloc() and klp_shadow_get_or_alloc() allocate with the caller's
/// flags before they take their own lock: under a spinlock, with interrupts or
/// preemption off, or under rcu_read_lock() only GFP_ATOMIC or GFP_NOWAIT will do.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_shadow_alloc, klp_sdk_shadow_alloc, GFP_KERNEL

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
out = {}
# Where a call is made in atomic context, and what made it so.
atomic = {}

def place(p):
    return (p[0].file, p[0].line, p[0].column)

@script:python reset@
@@
atomic.clear()

@script:python depends on report@
@@
out['emit'] = coccilib.report.print_report

@script:python depends on org@
@@
out['emit'] = coccilib.org.print_todo

@spin exists@
identifier lock = {
  spin_lock, spin_lock_nested, spin_lock_irq, spin_lock_irqsave, spin_lock_bh,
  raw_spin_lock, raw_spin_lock_irq, raw_spin_lock_irqsave, raw_spin_lock_bh,
  read_lock, read_lock_irq, read_lock_irqsave, read_lock_bh,
  write_lock, write_lock_irq, write_lock_irqsave, write_lock_bh, assert_spin_locked
};
identifier unlock = {
  spin_unlock, spin_unlock_irq, spin_unlock_irqrestore, spin_unlock_bh,
  raw_spin_unlock, raw_spin_unlock_irq, raw_spin_unlock_irqrestore, raw_spin_unlock_bh,
  read_unlock, read_unlock_irq, read_unlock_irqrestore, read_unlock_bh,
  write_unlock, write_unlock_irq, write_unlock_irqrestore, write_unlock_bh
};
identifier fn = {
  klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
position p;
@@
  lock(...)
  ... when any
      when != unlock(...)
  fn@p(...)

@script:python@
lock << spin.lock;
p << spin.p;
@@
atomic[place(p)] = lock

@cpu exists@
identifier lock = {
  local_irq_disable, local_irq_save, local_bh_disable, preempt_disable,
  get_cpu, get_cpu_var, get_cpu_ptr
};
identifier unlock = {
  local_irq_enable, local_irq_restore, local_bh_enable, preempt_enable,
  put_cpu, put_cpu_var, put_cpu_ptr
};
identifier fn = {
  klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
position p;
@@
  lock(...)
  ... when any
      when != unlock(...)
  fn@p(...)

@script:python@
lock << cpu.lock;
p << cpu.p;
@@
atomic[place(p)] = lock

@rcu exists@
identifier lock = {rcu_read_lock, rcu_read_lock_bh, rcu_read_lock_sched};
identifier unlock = {rcu_read_unlock, rcu_read_unlock_bh, rcu_read_unlock_sched};
identifier fn = {
  klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
position p;
@@
  lock(...)
  ... when any
      when != unlock(...)
  fn@p(...)

@script:python@
lock << rcu.lock;
p << rcu.p;
@@
atomic[place(p)] = lock

@hit depends on context || org || report@
identifier fn = {
  klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
constant gfp = {
  GFP_KERNEL, GFP_KERNEL_ACCOUNT, GFP_USER, GFP_HIGHUSER, GFP_NOFS, GFP_NOIO
};
expression e;
position p : script:python() { place(p) in atomic };
@@
* fn@p(..., \(gfp\|gfp | e\), ...)

@script:python depends on report || org@
fn << hit.fn;
gfp << hit.gfp;
p << hit.p;
@@
out['emit'](p[0], "error: %s() with %s after %s() may sleep in atomic context; use GFP_ATOMIC or allocate before [klp_shadow_gfp]"
            % (fn, gfp, atomic[place(p)]))

@repair depends on patch@
identifier fn = {
  klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
position p : script:python() { place(p) in atomic };
@@
  fn@p(...,
(
- GFP_KERNEL
+ GFP_ATOMIC
|
- GFP_NOFS
+ GFP_ATOMIC
|
- GFP_NOIO
+ GFP_ATOMIC
)
  , ...)
