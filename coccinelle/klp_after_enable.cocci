// SPDX-License-Identifier: GPL-2.0
/// What klp_enable_patch() says must be returned, and nothing may fail after it.
/// Once it has returned 0 the functions of the module are in use, and no module
/// can take that back: when its init returns an error afterwards, the kernel frees
/// the module all the same. What the patched functions need must be there before.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_enable_patch, module_init

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
def late(f):
    return "%s() may fail" % f if f else "this error is returned"

@called@
identifier enable = {klp_enable_patch, klp_sdk_enable_patch};
position p;
@@
  enable@p(...)

// There is nothing to repair, and spatch fails if no rule applies.
@script:python depends on patch@
enable << called.enable;
@@
pass

// One rule for each way to ask for the result: a disjunction takes much longer.
// What is reported comes behind the way of the error, S, whatever that does.
@assigned depends on called && (context || org || report) exists@
identifier called.enable, ret, f, x;
position called.p, q;
expression E;
statement S;
@@
  ret = enable@p(...);
... when != ret
  if (\(ret \| ret < 0\)) S
... when any
(
* return@q -E;
|
* return f@q(...);
|
* x = f@q(...);
... when != x = ...
return x;
)
@script:python depends on report@
f << assigned.f = "";
enable << called.enable;
p << assigned.q;
@@
coccilib.report.print_report(p[0], "error: %s after %s() has succeeded: the kernel frees the module while its functions are in use; do it before [klp_after_enable]" % (late(f), enable))

@script:python depends on org@
f << assigned.f = "";
enable << called.enable;
p << assigned.q;
@@
coccilib.org.print_todo(p[0], "%s after %s() has succeeded" % (late(f), enable))

@declared depends on called && (context || org || report) exists@
identifier called.enable, ret, f, x;
position called.p, q;
expression E;
statement S;
@@
  int ret = enable@p(...);
... when != ret
  if (\(ret \| ret < 0\)) S
... when any
(
* return@q -E;
|
* return f@q(...);
|
* x = f@q(...);
... when != x = ...
return x;
)
@script:python depends on report@
f << declared.f = "";
enable << called.enable;
p << declared.q;
@@
coccilib.report.print_report(p[0], "error: %s after %s() has succeeded: the kernel frees the module while its functions are in use; do it before [klp_after_enable]" % (late(f), enable))

@script:python depends on org@
f << declared.f = "";
enable << called.enable;
p << declared.q;
@@
coccilib.org.print_todo(p[0], "%s after %s() has succeeded" % (late(f), enable))

@asked depends on called && (context || org || report) exists@
identifier called.enable, f, x;
position called.p, q;
expression E;
statement S;
@@
  if (\(enable@p(...) \| enable@p(...) < 0\)) S
... when any
(
* return@q -E;
|
* return f@q(...);
|
* x = f@q(...);
... when != x = ...
return x;
)
@script:python depends on report@
f << asked.f = "";
enable << called.enable;
p << asked.q;
@@
coccilib.report.print_report(p[0], "error: %s after %s() has succeeded: the kernel frees the module while its functions are in use; do it before [klp_after_enable]" % (late(f), enable))

@script:python depends on org@
f << asked.f = "";
enable << called.enable;
p << asked.q;
@@
coccilib.org.print_todo(p[0], "%s after %s() has succeeded" % (late(f), enable))

@ignored depends on called && (context || org || report)@
identifier called.enable;
position called.p, q;
@@
* enable@p@q(...);

@script:python depends on report@
enable << called.enable;
p << ignored.q;
@@
coccilib.report.print_report(p[0], "error: the result of %s() is not returned: the module stays loaded, and nothing is patched; return it [klp_after_enable]" % enable)

@script:python depends on org@
enable << called.enable;
p << ignored.q;
@@
coccilib.org.print_todo(p[0], "the result of %s() is not returned" % enable)

// On all ways to the end.
@dropped depends on called && (context || org || report) forall@
identifier called.enable, ret;
position called.p, q;
@@
(
* ret = enable@p@q(...);
|
* int ret = enable@p@q(...);
)
... when strict
  return 0;

@script:python depends on report@
enable << called.enable;
p << dropped.q;
@@
coccilib.report.print_report(p[0], "error: the result of %s() is not returned: the module stays loaded, and nothing is patched; return it [klp_after_enable]" % enable)

@script:python depends on org@
enable << called.enable;
p << dropped.q;
@@
coccilib.org.print_todo(p[0], "the result of %s() is not returned" % enable)

// A patched function runs as soon as it is patched, and pre_patch before that.
@role depends on called@
identifier x, f;
identifier cb = {pre_patch, post_patch};
@@
(
  struct klp_func x[] = {..., {..., .new_func = f, ...}, ...};
|
  struct klp_object x[] = {..., {..., .callbacks = {..., .cb = f, ...}, ...}, ...};
|
  struct klp_object x[] = {..., {..., .callbacks.cb = f, ...}, ...};
|
  struct klp_callbacks x = {..., .cb = f, ...};
)

@user@
identifier role.f;
global idexpression g;
@@
  f(...) { <+... g ...+> }

// What is plainly assigned may be a flag that says when the rest may be used.
@unready depends on user && (context || org || report) exists@
identifier called.enable, make;
identifier init =~ "(init|INIT|setup)";
global idexpression user.g;
identifier m;
position called.p, q;
@@
  enable@p(...)
... when any
(
* g@q = make(...)
|
* init(&g@q, ...)
|
* init(&g@q.m, ...)
)

@script:python depends on report@
g << user.g;
f << role.f;
enable << called.enable;
p << unready.q;
@@
coccilib.report.print_report(p[0], "warning: %s is set up after %s(), and %s() uses it as soon as that has patched it; do it before [klp_after_enable]" % (g, enable, f))

@script:python depends on org@
g << user.g;
f << role.f;
enable << called.enable;
p << unready.q;
@@
coccilib.org.print_todo(p[0], "%s is set up after %s()" % (g, enable))
