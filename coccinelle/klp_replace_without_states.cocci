// SPDX-License-Identifier: GPL-2.0
/// A cumulative patch that changes the kernel's data must declare a state for it.
/// When a patch is replaced none of its callbacks runs, only those of the new one.
/// Without a klp_state that tells it so, the next patch cannot know that the data
/// is changed already: it takes what it finds for the kernel's own.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_state, atomic replace, post_patch

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
callbacks = set()
functions = set()
own = {}

@script:python@
@@
callbacks.clear()
functions.clear()
own.clear()

@replace@
identifier x;
identifier f = {replace};
expression E : script:python() { E.strip() not in ("false", "0") };
@@
(
  struct klp_patch x = {..., .f = E, ...};
|
  x.f = E;
)

@states@
identifier x;
identifier f = {states};
expression E : script:python() { E.strip() != "NULL" };
@@
(
  struct klp_patch x = {..., .f = E, ...};
|
  x.f = E;
)

// The callbacks that make a change. The others undo it.
@role depends on replace && !states@
identifier x, f;
identifier cb = {pre_patch, post_patch};
@@
(
  struct klp_object x[] = {..., {..., .callbacks = {..., .cb = f, ...}, ...}, ...};
|
  struct klp_object x[] = {..., {..., .callbacks.cb = f, ...}, ...};
|
  struct klp_callbacks x = {..., .cb = f, ...};
)

@script:python@
f << role.f;
@@
callbacks.add(f)
functions.add(f)

@late_role depends on replace && !states@
identifier f;
identifier cb = {pre_patch, post_patch};
expression e;
@@
  e.callbacks.cb = f

@script:python@
f << late_role.f;
@@
callbacks.add(f)
functions.add(f)

@call depends on role || late_role@
identifier h;
position p : script:python() { p[0].current_element in callbacks };
@@
  h@p(...)

@script:python@
h << call.h;
@@
functions.add(h)

// What the module defines. The rest is the kernel's.
@defined depends on role || late_role@
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
@made depends on role || late_role@
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

@given depends on role || late_role@
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

@declared depends on role || late_role@
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

@value depends on (role || late_role) && (context || org || report)@
identifier v : script:python() { v != "current" and not own.get(v) };
identifier m;
expression E, i;
assignment operator op;
position p : script:python() { p[0].current_element in functions };
@@
(
* v@p op E
|
* v@p.m op E
|
* v@p->m op E
|
* v@p[i] op E
|
* WRITE_ONCE(v@p, E)
)

@script:python depends on report@
p << value.p;
v << value.v;
@@
coccilib.report.print_report(p[0], "warning: %s() changes %s in a patch with .replace and without .states: the patch that replaces it cannot know; declare a klp_state [klp_replace_without_states]" % (p[0].current_element, v))

@script:python depends on org@
p << value.p;
v << value.v;
@@
coccilib.org.print_todo(p[0], "%s() changes %s, and no klp_state says so" % (p[0].current_element, v))
