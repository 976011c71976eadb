// SPDX-License-Identifier: GPL-2.0
/// A replacement has static state that is neither its original's nor the next patch's.
///
/// A static variable, a lock or a "once" in the copy of a function is a second one:
/// unpatched code goes on with the first, and each later patch starts with one of
/// its own, at the initial value. A static key or static call that the module
/// defines is not switched by who switches that of the kernel.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_func, static, static_key, static_call, once

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import re

LOCKS = re.compile(r"(DEFINE_(RAW_)?SPINLOCK|DEFINE_MUTEX|DEFINE_RWLOCK|DECLARE_RWSEM|DEFINE_SEMAPHORE|DEFINE_SEQLOCK|DEFINE_WW_MUTEX)$")
STORES = re.compile(r"(DEFINE_(IDA|IDR|XARRAY\w*|HASHTABLE)|H?LIST_HEAD|DECLARE_BITMAP)$")

def place(p):
	return (p[0].file, int(p[0].line), int(p[0].column))

# The replacement that runs what is in function f, if one does.
def runs(f):
	if f in originals:
		return f
	for caller in sorted(calls.get(f, ())):
		if caller in originals:
			return caller
	return None

def where(p):
	f = p[0].current_element
	by = runs(f)
	return "%s()" % f if f == by else "%s(), called by %s()," % (f, by)

def is_store(d):
	return bool(LOCKS.match(d) or STORES.match(d))

# The first in its function.
def is_first(p):
	return said.get(p[0].current_element) == place(p)

# Nobody in the module does anything with the key but to read it.
def alone(k, p):
	return runs(p[0].current_element) is not None and not mentions[k] - reads[k] - {keys[k]}

# A table, or what is no state to be shared.
def harmless(T):
	T = " ".join(T.split())
	if "(" in T or "lock_class_key" in T or "ratelimit_state" in T:
		return True
	if "*" in T and "[" not in T:
		return "const" in T[T.rindex("*"):]
	return "const" in T.split()

@initialize:python depends on report@
@@
def tell(p, text):
	coccilib.report.print_report(p[0], text + " [klp_func_static]")

@initialize:python depends on org@
@@
def tell(p, text):
	coccilib.org.print_todo(p[0], text)

// For one group of files.
@script:python@
@@
originals = {}
calls = {}
said = {}
keys = {}
reads = {}
mentions = {}

@func@
identifier a, f;
expression E, N;
@@
(
struct klp_func a[] = {..., {..., .old_name = E, .new_func = f, ...}, ...};
|
struct klp_func a[N] = {..., {..., .old_name = E, .new_func = f, ...}, ...};
|
struct klp_func a[] = {..., {E, f, ...}, ...};
|
struct klp_func a[N] = {..., {E, f, ...}, ...};
)

@script:python@
E << func.E;
f << func.f;
@@
originals[f] = E.strip('"')

@call depends on func@
identifier g;
position p;
@@
g@p(...)

@script:python@
g << call.g;
p << call.p;
@@
calls.setdefault(g, set()).add(p[0].current_element)

@variable depends on func@
type T;
identifier x;
position p : script:python(T) { not harmless(T) and runs(p[0].current_element) is not None };
@@
(
static T x@p;
|
static T x@p = ...;
)

@store depends on func@
declarer d;
identifier x;
position p : script:python(d) { is_store(d) and runs(p[0].current_element) is not None };
@@
static d(x@p, ...);

@again depends on func@
identifier g =~ "^(DO_ONCE(_SLEEPABLE|_LITE|_LITE_IF)?|(net_)?get_random(_sleepable)?_once(_wait)?)$";
position p : script:python() { runs(p[0].current_element) is not None };
@@
g@p(...)

@message depends on func@
identifier g =~ "^((pr|dev|netdev|netif|net|wiphy|hid|xhci|drm)_[a-z]+_once|printk(_deferred)?_once|([A-Z_]+_)?WARN(_ON|_TAINT)?_ONCE(_[A-Z_]+)?)$";
position p : script:python() { runs(p[0].current_element) is not None };
@@
g@p(...)

// Once for each function: whoever has thought of one has thought of all.
@script:python@
p << message.p;
@@
f = p[0].current_element
said[f] = min(said.get(f, place(p)), place(p))

@key depends on func@
declarer d =~ "^DEFINE_STATIC_(KEY|CALL)";
identifier t = { static_key, static_key_false, static_key_true };
identifier k;
position p;
@@
(
d(k@p, ...);
|
struct t k@p = ...;
)

@script:python@
k << key.k;
p << key.p;
@@
keys[k] = place(p)

@mention@
identifier key.k;
position p;
@@
k@p

@script:python@
k << key.k;
p << mention.p;
@@
mentions.setdefault(k, set()).add(place(p))

@read@
identifier key.k;
identifier g =~ "^static_(branch_(likely|unlikely|maybe)|key_(false|true|enabled|count)|call(_cond|_query)?)$";
position p;
@@
g(..., <+... k@p ...+>, ...)

@script:python@
k << key.k;
p << read.p;
@@
reads.setdefault(k, set()).add(place(p))

@depends on context@
type T;
identifier variable.x;
position variable.p;
@@
(
* static T x@p;
|
* static T x@p = ...;
)

@depends on context@
declarer store.d;
identifier store.x;
position store.p;
@@
* static d(x@p, ...);

@depends on context@
identifier again.g;
position again.p;
@@
* g@p(...)

@depends on context@
identifier message.g;
position message.p;
position q : script:python() { is_first(q) };
@@
* g@p@q(...)

@depends on context@
identifier key.k;
position read.p;
position q : script:python(k) { alone(k, q) };
@@
* k@p@q

@script:python depends on report || org@
x << variable.x;
p << variable.p;
@@
tell(p, "warning: static %s in %s is not the original's and starts anew in each patch; use the original's, a state or a shadow variable" % (x, where(p)))

@script:python depends on report || org@
d << store.d;
x << store.x;
p << store.p;
@@
if LOCKS.match(d):
	tell(p, "warning: lock %s in %s does not exclude the original, nor an older or newer patch; keep it in a state or a shadow variable" % (x, where(p)))
else:
	tell(p, "warning: static %s in %s is not the original's and starts anew in each patch; use the original's, a state or a shadow variable" % (x, where(p)))

@script:python depends on report || org@
g << again.g;
p << again.p;
@@
if "random" in g:
	tell(p, "error: %s() in %s makes another secret than the original's, anew in each patch; read the original's" % (g, where(p)))
else:
	tell(p, "warning: %s() in %s runs again, after the original's and in each patch; keep what was done in a state" % (g, where(p)))

@script:python depends on report || org@
g << message.g;
p << message.p;
@@
if is_first(p):
	tell(p, "warning: %s() in %s prints again, after the original's and in each patch; leave it out if once is enough" % (g, where(p)))

@script:python depends on report || org@
k << key.k;
p << read.p;
@@
if alone(k, p):
	tell(p, "error: nobody switches %s, which %s reads: it is this module's own; use that of the kernel or drop it" % (k, where(p)))
