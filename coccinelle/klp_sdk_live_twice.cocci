// SPDX-License-Identifier: GPL-2.0
/// klp_sdk_live() is read twice, not tested, or asked where it cannot answer.
///
/// It turns to NULL when the state starts to go away, between any two reads: what
/// was read once stays valid until the patched function returns. It is NULL while
/// the state is being introduced, taken away or converted. The functions of the
/// state itself run then, and have the data as their argument.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, klp-sdk, klp_sdk_live

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
def place(p):
	return (p[0].file, int(p[0].line), int(p[0].column))

@initialize:python depends on report@
@@
def tell(p, text):
	coccilib.report.print_report(p[0], text + " [klp_sdk_live_twice]")

@initialize:python depends on org@
@@
def tell(p, text):
	coccilib.org.print_todo(p[0], text)

@initialize:python@
@@
def again(s, q):
	if place(q) in first and place(q) not in told:
		told.add(place(q))
		tell(q, "warning: klp_sdk_live(%s) is read again after line %d and may be NULL now; read it once and keep the pointer" % (s, first[place(q)][1]))

def untested(s, p, name):
	if (place(p), name) not in told:
		told.add((place(p), name))
		tell(p, "error: klp_sdk_live(%s)%s is used without a test; it is NULL while the state comes and goes" % (s, name))

// For one group of files.
@script:python@
@@
first = {}
told = set()
functions = {}

// In one statement after another.
@later exists@
identifier s;
position p, q;
@@
klp_sdk_live@p(s)
... when any
klp_sdk_live@q(s)

// In one statement.
@within@
identifier s;
expression E;
position p, q;
@@
(
klp_sdk_live@p(s) && <+... klp_sdk_live@q(s) ...+>
|
klp_sdk_live@p(s) ? <+... klp_sdk_live@q(s) ...+> : E
)

@script:python@
p << later.p;
q << later.q;
@@
if place(p) < place(q):
	first[place(q)] = min(first.get(place(q), place(p)), place(p))

@script:python@
p << within.p;
q << within.q;
@@
first[place(q)] = min(first.get(place(q), place(p)), place(p))

@direct@
identifier s, m;
position p;
@@
(
  klp_sdk_live@p(s)->m
|
  *klp_sdk_live@p(s)
)

@pointer@
identifier s, x;
@@
x = klp_sdk_live(s)

// Behind a test in the same expression, or not read at all.
@tested@
identifier pointer.x;
expression E;
position p;
@@
(
  (<+... x ...+>) && <+... x@p ...+>
|
  (<+... x ...+>) || <+... x@p ...+>
|
  (<+... x ...+>) ? <+... x@p ...+> : E
|
  (<+... x ...+>) ? E : <+... x@p ...+>
)

@unread@
identifier pointer.x;
expression E;
identifier m;
position p;
@@
(
  sizeof(x@p->m)
|
  sizeof(*x@p)
|
  E = &x@p->m
)

@assigned exists@
identifier pointer.x;
identifier s, m;
position p != { tested.p, unread.p };
@@
  x = klp_sdk_live(s);
  ... when != x
(
  x@p->m
|
  *x@p
)

@declared exists@
identifier pointer.x;
identifier s, m;
type T;
position p != { tested.p, unread.p };
@@
  T x = klp_sdk_live(s);
  ... when != x
(
  x@p->m
|
  *x@p
)

@callback@
identifier n, f;
identifier cb = { pre_patch, post_patch, pre_unpatch, post_unpatch, adopt };
@@
struct klp_sdk_state n = {..., .cb = f, ...};

@script:python@
n << callback.n;
f << callback.f;
cb << callback.cb;
@@
functions[f, n] = cb

@own depends on callback@
identifier s;
position p : script:python(s) { (p[0].current_element, s) in functions };
@@
klp_sdk_live@p(s)

@depends on context@
identifier s;
position later.q;
position r : script:python() { place(r) in first };
@@
* klp_sdk_live@q@r(s)

@depends on context@
identifier s;
position within.q;
@@
* klp_sdk_live@q(s)

@depends on context@
identifier s;
position direct.p;
@@
* klp_sdk_live@p(s)

@depends on context@
identifier pointer.x;
position assigned.p;
@@
* x@p

@depends on context@
identifier pointer.x;
position declared.p;
@@
* x@p

@depends on context@
identifier s;
position own.p;
@@
* klp_sdk_live@p(s)

// The argument is what it should have asked for.
@depends on patch@
identifier callback.n, callback.f, arg;
type T;
@@
  f(T arg, ...)
  {
  <...
- klp_sdk_live(n)
+ arg
  ...>
  }

@depends on patch@
identifier s, x;
expression E;
@@
  x = klp_sdk_live(s);
  <... when != x = E
       when != &x
(
- x = klp_sdk_live(s);
|
- klp_sdk_live(s)
+ x
)
  ...>

@depends on patch@
identifier s, x;
expression E;
type T;
@@
  T x = klp_sdk_live(s);
  <... when != x = E
       when != &x
(
- x = klp_sdk_live(s);
|
- klp_sdk_live(s)
+ x
)
  ...>

@script:python depends on report || org@
s << later.s;
q << later.q;
@@
again(s, q)

@script:python depends on report || org@
s << within.s;
q << within.q;
@@
again(s, q)

@script:python depends on report || org@
s << direct.s;
p << direct.p;
@@
untested(s, p, "")

@script:python depends on report || org@
s << assigned.s;
x << pointer.x;
p << assigned.p;
@@
untested(s, p, " in %s" % x)

@script:python depends on report || org@
s << declared.s;
x << pointer.x;
p << declared.p;
@@
untested(s, p, " in %s" % x)

@script:python depends on report || org@
s << own.s;
p << own.p;
@@
f = p[0].current_element
cb = functions[f, s]
if cb == "adopt":
	tell(p, "warning: klp_sdk_live(%s) is for patched functions, not for %s() in .adopt; use its argument" % (s, f))
else:
	tell(p, "error: klp_sdk_live(%s) is NULL in %s(), the .%s of that state; use its argument" % (s, f, cb))
