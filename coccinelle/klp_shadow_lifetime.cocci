// SPDX-License-Identifier: GPL-2.0
/// A pointer to a shadow variable must not outlive the variable, nor this its parent.
/// The variable goes with klp_shadow_free(), or with all others of its id when the
/// patch is disabled, whoever still has its address. It is part of an allocation of
/// the core's, so kfree() of it is wrong at any time. And one whose parent is freed
/// first may belong to the next object at that address when it is freed itself.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_shadow_get, klp_shadow_free, use after free

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import re

out = {}
# Names of variables and fields that something sets to NULL.
cleared = set()
# Functions that enter RCU sections, that take a lock, and that take a reference.
rcu = set()
locking = set()
holding = set()
dtors = set()
# Who frees shadow variables with a destructor, by object type or id.
patched = set()
freeing = {}

def name(p):
    return p[0].current_element

def tidy(e):
    return re.sub(r" *(->|\.|\[|\]) *", r"\1", e).replace("& ", "&")

def say(p, what):
    out['emit'](p[0], what + " [klp_shadow_lifetime]")

def kept(d, p):
    if last(d) not in cleared:
        say(p, "warning: %s keeps the address of a shadow variable, which goes with the patch; look it up with klp_shadow_get()" % tidy(d))

def last(e):
    return re.split(r"->|\.", tidy(e))[-1].split("[")[0]

@script:python reset@
@@
for x in (cleared, rcu, locking, holding, dtors, patched, freeing):
    x.clear()

@script:python depends on report@
@@
out['emit'] = coccilib.report.print_report

@script:python depends on org@
@@
out['emit'] = coccilib.org.print_todo

// Kept in a variable of the module or of the kernel, or in the parent itself.
@clear@
expression e;
@@
  e = NULL

@script:python@
e << clear.e;
@@
cleared.add(last(e))

@stored depends on context || org || report exists@
identifier fn = {
  klp_shadow_get, klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_get, klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
expression a, b, d, v, e, i;
global idexpression g;
identifier f;
type T;
position p;
@@
  v = (T)fn(a, b, ...)
  ... when any
      when != v = e
* \(d@p\&\(g\|g.f\|g->f\|g[i]\|a->f\|b->f\)\) = v

@script:python depends on report || org@
d << stored.d;
p << stored.p;
@@
kept(d, p)

@storing depends on context || org || report@
identifier fn = {
  klp_shadow_get, klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_get, klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
expression a, b, d, i;
global idexpression g;
identifier f;
type T;
position p;
@@
* \(d@p\&\(g\|g.f\|g->f\|g[i]\|a->f\|b->f\)\) = (T)fn(a, b, ...)

@script:python depends on report || org@
d << storing.d;
p << storing.p;
@@
kept(d, p)

// Used after it was freed. Under rcu_read_lock() the memory stays.
@lock@
identifier fn =~ "^(rcu_read_lock|((raw_)?spin|read|write|mutex|rt_mutex)_(try)?lock|down|lock_sock|lockdep_assert|assert_spin_locked|seq_?lock|read_seqbegin|rtnl_lock|klp_sdk_[a-z_]*lock)";
position p;
@@
  fn@p(...)

@script:python@
fn << lock.fn;
p << lock.p;
@@
(rcu if fn.startswith("rcu_") else locking).add(name(p))

@used depends on context || org || report exists@
identifier fn = {
  klp_shadow_get, klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_get, klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
identifier free = {klp_shadow_free, klp_sdk_shadow_free};
expression a, b, v, e, e1, i;
identifier f;
type T;
position p : script:python() { name(p) not in rcu };
@@
  v = (T)fn(a, b, ...)
  ... when any
      when != v = e
(
  free(a, b, ...)
|
  klp_shadow_free_all(b, ...)
)
  ... when != v = e1
(
* v->f@p
|
* *v@p
|
* v[i]@p
)

@script:python depends on report || org@
v << used.v;
p << used.p;
@@
say(p, "error: %s is used after its shadow variable was freed; free it last" % tidy(v))

// Freed as what it is not.
@wrongly depends on context || org || report exists@
identifier fn = {
  klp_shadow_get, klp_shadow_alloc, klp_shadow_get_or_alloc,
  klp_sdk_shadow_get, klp_sdk_shadow_alloc, klp_sdk_shadow_get_or_alloc
};
identifier free = {kfree, kfree_sensitive, kvfree, vfree};
expression a, b, v, e;
type T;
position p;
@@
  v = (T)fn(a, b, ...)
  ... when any
      when != v = e
* free@p(v)

@script:python depends on report || org@
free << wrongly.free;
v << wrongly.v;
p << wrongly.p;
@@
say(p, "error: %s() of %s, which is a shadow variable; use klp_shadow_free()" % (free, tidy(v)))

@dtor@
expression a, b;
identifier f;
@@
(
  klp_shadow_free(a, b, f)
|
  klp_shadow_free_all(b, f)
)

@script:python@
f << dtor.f;
@@
dtors.add(f)

@owner@
identifier x, f;
@@
  struct klp_sdk_shadow_type x = {..., .dtor = f, ...};

@script:python@
f << owner.f;
@@
dtors.add(f)

@indtor depends on context || org || report exists@
identifier free = {kfree, kfree_sensitive, kvfree, vfree};
identifier f, obj, data;
type T1, T2;
expression v;
position p : script:python() { name(p) in dtors };
@@
  f(T1 obj, T2 data)
  {
    ... when any
(
*   free@p(data);
|
    v = data
    ... when any
*   free@p(v);
)
    ... when any
  }

@script:python depends on report || org@
free << indtor.free;
f << indtor.f;
p << indtor.p;
@@
say(p, "error: %s() in destructor %s() of the shadow variable itself; the core frees it" % (free, f))

// The parent first: the address may have a new owner with a variable of its own.
@order depends on context || org || report exists@
idexpression o;
expression a, e;
iterator iter;
statement S;
position p;
@@
(
  kfree(o);
|
  kvfree(o);
|
  kmem_cache_free(e, o);
)
  ...
(
  iter(o, ...) S
|
  o = e
|
* klp_shadow_free@p(o, ...)
|
* klp_sdk_shadow_free@p(a, o)
)

@script:python depends on report || org@
o << order.o;
p << order.p;
@@
say(p, "error: %s is freed before its shadow variable, which may be that of a new object by now; free the variable first" % o)

// Found in an RCU section, without a reference, and used after it.
@hold@
identifier fn =~ "(^|_)(get|hold|inc|tryget|ref)(_|$)";
position p;
@@
  fn@p(...)

@script:python@
fn << hold.fn;
p << hold.p;
@@
if not fn.startswith("klp_"):
    holding.add(name(p))

@section depends on context || org || report exists@
identifier fn = {
  klp_shadow_get, klp_shadow_get_or_alloc, klp_sdk_shadow_get,
  klp_sdk_shadow_get_or_alloc
};
identifier find != container_of;
idexpression o;
expression a, v, e, e1, i;
identifier f;
type T;
position p : script:python() { name(p) not in locking | holding };
@@
  rcu_read_lock();
  ... when != rcu_read_unlock();
  o = find(...)
  ... when != rcu_read_unlock();
  v = (T)\(fn(o, ...)\|fn(a, o, ...)\)
  ... when any
      when != v = e
  rcu_read_unlock();
  ... when != v = e1
      when != rcu_read_lock();
(
* v->f@p
|
* *v@p
|
* v[i]@p
)

@script:python depends on report || org@
v << section.v;
o << section.o;
p << section.p;
@@
say(p, "warning: %s was found under rcu_read_lock() and %s is used after it; unlock later or take a reference" % (o, tidy(v)))

// Read without a lock from a parent that all can reach, while others free.
@func@
identifier x, f;
@@
  struct klp_func x[] = {..., {..., .new_func = f, ...}, ...};

@script:python@
f << func.f;
@@
patched.add(f)

@frees@
expression o, id, d != NULL;
position p;
@@
  klp_shadow_free@p(o, id, d)

@script:python@
id << frees.id;
p << frees.p;
@@
freeing.setdefault(id, set()).add(name(p))

@sdkfrees@
identifier owner.x;
expression o;
position p;
@@
  klp_sdk_shadow_free@p(x, o)

@script:python@
x << owner.x;
p << sdkfrees.p;
@@
freeing.setdefault(x, set()).add(name(p))

@reads depends on context || org || report exists@
global idexpression g;
expression v, o, id, e, i;
identifier f, m;
type T;
position p : script:python() { name(p) not in locking | rcu };
@@
(
  v = (T)klp_shadow_get@p(\(o\&\(g\|&g\|g.m\|g->m\|&g.m\|&g->m\)\), id)
|
  v = (T)klp_sdk_shadow_get@p(id, \(o\&\(g\|&g\|g.m\|g->m\|&g.m\|&g->m\)\))
)
  ... when any
      when != v = e
(
* v->f
|
* *v
|
* v[i]
)

@script:python depends on report || org@
v << reads.v;
o << reads.o;
id << reads.id;
p << reads.p;
@@
others = sorted((freeing.get(id, set()) & patched) - {name(p)})
if o != "NULL" and others:
    say(p, "warning: %s is used without a lock, and %s() may free it meanwhile; hold a lock in both" % (tidy(v), others[0]))
