// SPDX-License-Identifier: GPL-2.0
/// Shadow constructors and destructors must not sleep or touch shadow variables.
/// The core calls both with klp_shadow_lock held and interrupts off. A call that
/// sleeps, or an allocation that may, schedules in atomic context, and another call
/// for shadow variables waits for the lock that its own caller holds. The same
/// goes for plain klp-sdk shadow types, which use the core's table, and for
/// conversions. Types with .indexed = true may sleep.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_shadow_alloc, klp_shadow_free, KLP_SDK_SHADOW

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
# What the functions that run under the lock are, by name, and which one calls
# their helpers: of the files at hand only, see "reset".
roles = {}
callers = {}
out = {}

def held(p):
    return p[0].current_element in roles or p[0].current_element in callers

def say(p, what, todo):
    f = p[0].current_element
    top = f if f in roles else callers[f]
    place = "%s %s()" % (roles[top], top)
    if f != top:
        place = "%s(), which %s calls" % (f, place)
    lock = "a spinlock" if roles[top] == "conversion" else "klp_shadow_lock"
    out['emit'](p[0], "error: %s in %s under %s; %s [klp_shadow_ctor]"
                % (what, place, lock, todo))

@script:python reset@
@@
roles.clear()
callers.clear()

@script:python depends on report@
@@
out['emit'] = coccilib.report.print_report

@script:python depends on org@
@@
out['emit'] = coccilib.org.print_todo

@made@
identifier f;
expression obj, id, size, gfp, arg;
@@
\(klp_shadow_alloc\|klp_shadow_get_or_alloc\)(obj, id, size, gfp, \(f\|&f\), arg)

@script:python@
f << made.f;
@@
roles[f] = "constructor"

@freed@
identifier f;
expression obj, id;
@@
(
klp_shadow_free(obj, id, \(f\|&f\))
|
klp_shadow_free_all(id, \(f\|&f\))
)

@script:python@
f << freed.f;
@@
roles[f] = "destructor"

// Without .indexed, or with .indexed = false.
@sdkmade@
identifier n, f;
expression e != {false, 0};
@@
(
struct klp_sdk_shadow_type n = { ..., .indexed = e, ... };
|
struct klp_sdk_shadow_type n = { ..., .ctor = f, ... };
)

@script:python@
f << sdkmade.f;
@@
roles[f] = "constructor"

@sdkfreed@
identifier n, f;
expression e != {false, 0};
@@
(
struct klp_sdk_shadow_type n = { ..., .indexed = e, ... };
|
struct klp_sdk_shadow_type n = { ..., .dtor = f, ... };
)

@script:python@
f << sdkfreed.f;
@@
roles[f] = "destructor"

// With either kind of type a conversion runs under a spinlock.
@converts@
declarer name KLP_SDK_SHADOW_CONVERT;
identifier n, f;
expression v, d;
type parent, old, new;
@@
KLP_SDK_SHADOW_CONVERT(n, v, parent, old, new, f, d);

@script:python@
f << converts.f;
@@
roles[f] = "conversion"

@helper@
identifier g;
position p : script:python() { p[0].current_element in roles };
@@
g@p(...)

@script:python@
g << helper.g;
p << helper.p;
@@
callers[g] = p[0].current_element

@sleeps depends on context || org || report@
identifier fn = {
  mutex_lock, mutex_lock_nested, mutex_lock_interruptible, mutex_lock_killable,
  mutex_lock_io,
  rt_mutex_lock, ww_mutex_lock, down, down_interruptible, down_killable, down_timeout,
  down_read, down_read_nested, down_read_interruptible, down_read_killable,
  down_write, down_write_nested, down_write_killable, percpu_down_read,
  percpu_down_write,
  mmap_read_lock, mmap_read_lock_killable, mmap_write_lock, mmap_write_lock_killable,
  rtnl_lock, rtnl_lock_killable, lock_sock, lock_sock_nested, device_lock,
  wait_event, wait_event_timeout, wait_event_interruptible, wait_event_killable,
  wait_event_interruptible_timeout, wait_event_killable_timeout, wait_event_idle,
  wait_for_completion, wait_for_completion_timeout, wait_for_completion_interruptible,
  wait_for_completion_killable, wait_for_completion_interruptible_timeout,
  wait_for_completion_killable_timeout, wait_for_completion_io,
  wait_on_bit, wait_on_bit_io, wait_on_bit_timeout, wait_on_bit_lock, wait_var_event,
  schedule, schedule_timeout, schedule_timeout_interruptible,
  schedule_timeout_killable,
  schedule_timeout_uninterruptible, schedule_timeout_idle, io_schedule,
  io_schedule_timeout,
  cond_resched, yield, might_sleep, might_fault, msleep, msleep_interruptible, ssleep,
  usleep_range, usleep_range_state, fsleep,
  synchronize_rcu, synchronize_rcu_expedited, synchronize_rcu_tasks, synchronize_srcu,
  synchronize_srcu_expedited, synchronize_net, synchronize_irq, rcu_barrier,
  srcu_barrier,
  klp_sdk_timer_adopt, klp_sdk_work_adopt, klp_sdk_delayed_work_adopt,
  klp_sdk_lock_class_destroy, lockdep_unregister_key,
  cancel_work_sync, cancel_delayed_work_sync, flush_work, flush_delayed_work,
  flush_rcu_work, flush_workqueue, flush_scheduled_work, drain_workqueue,
  destroy_workqueue,
  alloc_workqueue, alloc_ordered_workqueue,
  kthread_run, kthread_create, kthread_stop, kthread_park, kthread_flush_work,
  kthread_flush_worker, kthread_cancel_work_sync, kthread_cancel_delayed_work_sync,
  klp_sdk_kvzalloc, vmalloc, vmalloc_user, vmalloc_node, vzalloc, vzalloc_node, vfree, kvfree, vmap,
  vunmap,
  alloc_percpu, __alloc_percpu, kmem_cache_create, kmem_cache_destroy,
  request_irq, request_threaded_irq, free_irq, disable_irq, request_module,
  request_firmware,
  copy_from_user, copy_to_user, get_user, put_user, clear_user, strncpy_from_user,
  strnlen_user, memdup_user, memdup_user_nul, vmemdup_user, strndup_user,
  mmput, dput, iput, path_put, filp_open, filp_close, kernel_read, kernel_write,
  call_usermodehelper, kobject_uevent, device_create, device_destroy,
  device_unregister,
  debugfs_create_file, debugfs_create_dir, debugfs_remove, debugfs_remove_recursive,
  sysfs_create_file, sysfs_remove_file, sysfs_create_group, sysfs_remove_group,
  proc_create, proc_create_data, proc_mkdir, proc_remove, remove_proc_entry
};
position p : script:python() { held(p) };
@@
* fn@p(...)

@script:python depends on report || org@
fn << sleeps.fn;
p << sleeps.p;
@@
say(p, "%s() may sleep" % fn, "do it before or after the shadow call")

@allocs depends on context || org || report@
identifier fn != {
  klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
constant gfp = {
  GFP_KERNEL, GFP_KERNEL_ACCOUNT, GFP_USER, GFP_HIGHUSER, GFP_NOFS, GFP_NOIO
};
expression e;
position p : script:python() { held(p) };
@@
* fn@p(..., \(gfp\|gfp | e\), ...)

@script:python depends on report || org@
fn << allocs.fn;
gfp << allocs.gfp;
p << allocs.p;
@@
say(p, "%s() with %s" % (fn, gfp), "allocate before, or use GFP_ATOMIC")

@nests depends on context || org || report@
identifier fn = {
  klp_shadow_alloc, klp_shadow_get_or_alloc, klp_shadow_free, klp_shadow_free_all,
  klp_sdk_shadow_get, klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc,
  klp_sdk_shadow_free, klp_sdk_shadow_prev, klp_sdk_shadow_each
};
position p : script:python() { held(p) };
@@
* fn@p(...)

@script:python depends on report || org@
fn << nests.fn;
p << nests.p;
@@
say(p, "%s() deadlocks" % fn, "do it before or after the shadow call")

@repair depends on patch@
identifier fn = {
  kmalloc, kzalloc, kcalloc, kmalloc_array, kmemdup, kstrdup, kstrndup, kasprintf,
  krealloc, kmem_cache_alloc, kmem_cache_zalloc, alloc_page, alloc_pages,
  klp_sdk_kzalloc, klp_sdk_kmemdup, klp_sdk_kstrdup
};
position p : script:python() { p[0].current_element in roles };
@@
  fn@p(...,
- GFP_KERNEL
+ GFP_ATOMIC
  , ...)
