// SPDX-License-Identifier: GPL-2.0
/// The result of a shadow call must be checked for NULL before it is used.
/// klp_shadow_alloc() gives NULL without memory, after a failed constructor and for
/// a duplicate; klp_shadow_get() for each object that was made before the patch.
/// What is passed as the constructor's data belongs to the caller until the
/// constructor has run.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_shadow_alloc, klp_shadow_get, klp_sdk_shadow_get

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import re

out = {}
# Positions that a condition or a sizeof() protects.
guarded = set()
# (function, object, id) that the function has allocated or asked for with a test.
known = set()
# (function, variable) that holds memory.
memory = set()

def place(p):
    return (p[0].file, p[0].line, p[0].column)

def name(p):
    return p[0].current_element

def guard(e, c, g):
    if re.search(r"(^|\W)%s(\W|$)" % re.escape(e), c):
        guarded.add(place(g))

def used(e, a, b, fn, p):
    if fn.endswith("_get") and (name(p), a, b) in known:
        return
    out['emit'](p[0], "error: %s is used without a check, and %s() may have given NULL; test it first [klp_shadow_unchecked]"
                % (re.sub(r" *(->|\.) *", r"\1", e), fn))

@script:python reset@
@@
guarded.clear()
known.clear()
memory.clear()

@script:python depends on report@
@@
out['emit'] = coccilib.report.print_report

@script:python depends on org@
@@
out['emit'] = coccilib.org.print_todo

@logic@
binary operator bop = {&&, ||};
expression e, c, i;
identifier f;
position g;
@@
  c bop <+...\(e->f@g\|*e@g\|e@g[i]\)...+>

@script:python@
e << logic.e;
c << logic.c;
g << logic.g;
@@
guard(e, c, g)

@yes@
expression e, c, i, other;
identifier f;
position g;
@@
  c ? <+...\(e->f@g\|*e@g\|e@g[i]\)...+> : other

@script:python@
e << yes.e;
c << yes.c;
g << yes.g;
@@
guard(e, c, g)

@no@
expression e, c, i, other;
identifier f;
position g;
@@
  c ? other : (<+...\(e->f@g\|*e@g\|e@g[i]\)...+>)

@script:python@
e << no.e;
c << no.c;
g << no.g;
@@
guard(e, c, g)

@size@
expression e, i;
identifier f;
position g;
@@
  sizeof(<+...\(e->f@g\|*e@g\|e@g[i]\)...+>)

@script:python@
g << size.g;
@@
guarded.add(place(g))

@shown@
expression v, a, b;
identifier new = {
  klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
identifier fn = {
  klp_shadow_get, klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_get, klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
position p;
@@
(
  v = new@p(a, b, ...)
|
  fn@p(a, b, ...) != NULL
)

@script:python@
p << shown.p;
a << shown.a;
b << shown.b;
@@
known.add((name(p), a, b))

@assigned depends on context || org || report exists@
expression e, a, b, i;
identifier fn = {
  klp_shadow_get, klp_shadow_alloc, klp_shadow_get_or_alloc, klp_sdk_shadow_get,
  klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc, klp_sdk_shadow_prev
};
identifier f;
type T;
position p : script:python() { place(p) not in guarded };
@@
  e = (T)fn(a, b, ...);
  ... when != e
(
* e->f@p
|
* *e@p
|
* e@p[i]
|
* \(memset\|memcpy\|atomic_inc\)(e@p, ...)
)

@script:python depends on report || org@
fn << assigned.fn;
e << assigned.e;
a << assigned.a;
b << assigned.b;
p << assigned.p;
@@
used(e, a, b, fn, p)

@declared depends on context || org || report exists@
expression a, b, i;
identifier fn = {
  klp_shadow_get, klp_shadow_alloc, klp_shadow_get_or_alloc, klp_sdk_shadow_get,
  klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc, klp_sdk_shadow_prev
};
identifier e, f;
type T, T2;
position p : script:python() { place(p) not in guarded };
@@
  T e = (T2)fn(a, b, ...);
  ... when != e
(
* e->f@p
|
* *e@p
|
* e@p[i]
|
* \(memset\|memcpy\|atomic_inc\)(e@p, ...)
)

@script:python depends on report || org@
fn << declared.fn;
e << declared.e;
a << declared.a;
b << declared.b;
p << declared.p;
@@
used(e, a, b, fn, p)

@direct depends on context || org || report@
expression a, b, i;
identifier fn = {
  klp_shadow_get, klp_shadow_alloc, klp_shadow_get_or_alloc, klp_sdk_shadow_get,
  klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc, klp_sdk_shadow_prev
};
identifier f;
type T;
position p;
@@
(
* ((T)fn@p(a, b, ...))->f
|
* *(T)fn@p(a, b, ...)
|
* ((T)fn@p(a, b, ...))[i]
)

@script:python depends on report || org@
fn << direct.fn;
a << direct.a;
b << direct.b;
p << direct.p;
@@
used("the result", a, b, fn, p)

// Memory that a constructor is to take over.
@owned@
identifier alloc = {
  kmalloc, kzalloc, kcalloc, kmalloc_array, kmemdup, kstrdup, kasprintf, vmalloc,
  vzalloc, kvmalloc, kvzalloc, kmem_cache_alloc, kmem_cache_zalloc,
  klp_sdk_kzalloc, klp_sdk_kvzalloc, klp_sdk_kmemdup, klp_sdk_kstrdup
};
identifier x;
type T;
position p;
@@
(
  x = alloc@p(...);
|
  T x = alloc@p(...);
)

@script:python@
x << owned.x;
p << owned.p;
@@
memory.add((name(p), x))

@ignored depends on context || org || report exists@
identifier fn = {
  klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
identifier f, x;
position p;
@@
f(...)
{
  ... when any
* fn@p(..., \(x\|&x\));
  ... when != x
}

@script:python depends on report || org@
fn << ignored.fn;
f << ignored.f;
x << ignored.x;
p << ignored.p;
@@
if (f, x) in memory:
    out['emit'](p[0], "warning: %s leaks if %s() fails; check the result and free it [klp_shadow_unchecked]" % (x, fn))

@failed depends on context || org || report exists@
identifier fn = {
  klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
expression v;
identifier x;
position p;
@@
(
* v = fn@p(..., \(x\|&x\));
  ... when != x
  if (v == NULL) {
    ... when != x
    return ...;
  }
|
* if (fn@p(..., \(x\|&x\)) == NULL) {
    ... when != x
    return ...;
  }
)

@script:python depends on report || org@
fn << failed.fn;
x << failed.x;
p << failed.p;
@@
if (name(p), x) in memory:
    out['emit'](p[0], "warning: %s leaks if %s() fails; free it before the return [klp_shadow_unchecked]" % (x, fn))

// The constructor does not run for a variable that is there.
@found depends on context || org || report exists@
identifier fn = {klp_shadow_get_or_alloc, klp_sdk_shadow_get_or_alloc};
expression v;
identifier f, x;
position p;
@@
f(...)
{
  ... when any
* v = fn@p(..., \(x\|&x\));
  ... when != x
}

@script:python depends on report || org@
fn << found.fn;
f << found.f;
x << found.x;
p << found.p;
@@
if (f, x) in memory:
    out['emit'](p[0], "warning: %s leaks if %s() finds a variable; free it if the constructor did not take it [klp_shadow_unchecked]" % (x, fn))
