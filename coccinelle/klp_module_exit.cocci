// SPDX-License-Identifier: GPL-2.0
/// The exit of a livepatch must leave alone what its successor has taken over.
/// The exit runs after the patch was disabled, and just as well after it was
/// replaced, when the next patch works with the shadow variables, the data of the
/// states and the changed values. A callback post_unpatch does not run then.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, module_exit, klp_shadow_free_all, post_unpatch

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
functions = set()
own = {}

@script:python@
@@
functions.clear()
own.clear()

// A patch that is one of a series.
@series@
identifier x;
identifier f = {replace, states};
expression E : script:python() { E.strip() not in ("false", "0", "NULL") };
@@
(
  struct klp_patch x = {..., .f = E, ...};
|
  x.f = E;
)

@leave depends on series@
declarer name module_exit;
identifier e;
@@
  module_exit(e);

@script:python@
e << leave.e;
@@
functions.add(e)

// What runs on every way through it. What hangs on a condition may have asked.
@call forall@
identifier leave.e, h;
@@
  e(...)
  {
    ... when any
        when strict
    h(...)
    ... when any
  }

@script:python@
h << call.h;
@@
functions.add(h)

@shadow depends on leave && (context || org || report) forall@
identifier fn : script:python() { fn in functions };
identifier free = {klp_shadow_free_all, klp_shadow_free};
position p;
@@
  fn(...)
  {
    ... when any
        when strict
*   free@p(...)
    ... when any
  }

@script:python depends on report@
p << shadow.p;
free << shadow.free;
@@
coccilib.report.print_report(p[0], "warning: %s() in the module's exit, which also runs when the patch was replaced: the next patch loses what it uses; free in post_unpatch [klp_module_exit]" % free)

@script:python depends on org@
p << shadow.p;
free << shadow.free;
@@
coccilib.org.print_todo(p[0], "%s() in the module's exit" % free)

// A patch that takes the data away from its predecessor clears the pointer there.
@taken@
struct klp_state *s;
@@
  s = klp_get_prev_state(...)
  ...
  s->data = NULL

@data depends on leave && !taken && (context || org || report) forall@
identifier fn : script:python() { fn in functions };
identifier free = {kfree, kfree_sensitive, kvfree, vfree};
// Through a pointer, too.
struct klp_state s;
position p;
@@
  fn(...)
  {
    ... when any
        when strict
*   free@p(s.data)
    ... when any
  }

@script:python depends on report@
p << data.p;
@@
coccilib.report.print_report(p[0], "warning: the module's exit, which also runs when the patch was replaced, frees the data of a state that the next patch uses; free in post_unpatch [klp_module_exit]")

@script:python depends on org@
p << data.p;
@@
coccilib.org.print_todo(p[0], "data of a state is freed in the module's exit")

// The rest is the kernel's.
@defined depends on leave@
type T;
identifier v;
initializer E;
position p;
@@
(
  T v@p;
|
  T v@p = E;
)

@script:python@
v << defined.v;
p << defined.p;
@@
own.setdefault(v, set()).add((p[0].file, p[0].line))

// By a macro of the kernel.
@made depends on leave@
declarer d =~ "^(DEFINE_|DECLARE_(BITMAP|HASHTABLE|KFIFO|(DELAYED_)?WORK|TASKLET|WAIT_QUEUE))|_HEAD$";
identifier v;
position p;
@@
  d(v@p, ...);

@script:python@
v << made.v;
p << made.p;
@@
own.setdefault(v, set()).add((p[0].file, p[0].line))

@given depends on leave@
type T;
identifier fn, v;
position p;
@@
  fn(..., T v@p, ...) { ... }

@script:python@
v << given.v;
p << given.p;
@@
own.setdefault(v, set()).add((p[0].file, p[0].line))

@declared depends on leave@
type T;
identifier v;
position p;
@@
  extern T v@p;

@script:python@
v << declared.v;
p << declared.p;
@@
own.get(v, set()).discard((p[0].file, p[0].line))

@value depends on leave && (context || org || report) forall@
identifier fn : script:python() { fn in functions };
identifier v : script:python() { v != "current" and not own.get(v) };
identifier m;
expression E, i;
assignment operator op;
position p;
@@
  fn(...)
  {
    ... when any
        when strict
(
*   v@p op E
|
*   v@p.m op E
|
*   v@p->m op E
|
*   v@p[i] op E
|
*   WRITE_ONCE(v@p, E)
)
    ... when any
  }

@script:python depends on report@
p << value.p;
v << value.v;
@@
coccilib.report.print_report(p[0], "warning: the module's exit, which also runs when the patch was replaced, sets %s under the next patch; do it in pre_unpatch or post_unpatch [klp_module_exit]" % v)

@script:python depends on org@
p << value.p;
v << value.v;
@@
coccilib.org.print_todo(p[0], "%s is set in the module's exit" % v)
