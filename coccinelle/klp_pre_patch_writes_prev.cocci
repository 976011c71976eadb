// SPDX-License-Identifier: GPL-2.0
/// A pre_patch must not free, clear or write the data of the patch below.
///
/// The transition that it starts may be reversed, or a later pre_patch may fail.
/// The old patch then goes on with data that was freed or changed under it. Its
/// functions use the data all through the transition in any case. post_patch is
/// where the old patch is out of use.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, pre_patch, klp_get_prev_state, klp_state, klp_sdk_prev

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import re

# What is known of the module: the files that spatch looks at together
defs = set()		# (file, function)
calls = []		# (function, name of what it calls)
roles = {}		# kind of callback: its functions
writes = []		# (function, what happens, to what, position)
fields = []		# (position of a variable, field of what it points to)
theirs = {}		# uses of what belongs to the patch below: (function, name)
found = {}		# position: message

def end(p):
    return (p.file, int(p.line_end), int(p.column_end))

def start(p):
    return (p.file, int(p.line), int(p.column))

def function(p):
    return (p.file, p.current_element)

def find(file, name):
    if (file, name) in defs:
        return (file, name)
    return next((d for d in sorted(defs) if d[1] == name), None)

def reach(kind):
    todo = [find(*f) for f in sorted(roles.get(kind, ()))]
    seen = set()
    while todo:
        fn = todo.pop()
        if fn in seen:
            continue
        seen.add(fn)
        todo += [find(fn[0], name) for f, name in calls if f == fn]
    return seen

def role(file, kind, name):
    roles.setdefault(kind, set()).add((file, name))

@script:python@
@@
for known in (defs, calls, roles, writes, fields, theirs, found):
    known.clear()

@asked@
@@
\(klp_get_prev_state\|klp_sdk_prev\)(...)

@def depends on asked@
identifier f;
position p;
@@
f@p(...) { ... }

@script:python@
f << def.f;
p << def.p;
@@
defs.add((p[0].file, f))

@call depends on asked@
identifier f;
position p;
@@
f@p(...)

@script:python@
f << call.f;
p << call.p;
@@
calls.append((function(p[0]), f))

// The designators are read in Python: to match them takes time exponential in
// the number of objects.
@object depends on asked@
identifier a;
initializer I;
position p;
@@
(
struct klp_object a[] = {..., I@p, ...};
|
struct klp_object a = I@p;
|
struct klp_callbacks a = I@p;
)

@script:python@
I << object.I;
p << object.p;
@@
for k, f in re.findall(r'\. ((?:pre|post)_(?:un)?patch) = (?:& ?)?(\w+)', str(I)):
    role(p[0].file, k, f)

@sdk_state depends on asked@
identifier a, f;
position p;
@@
struct klp_sdk_state a = {..., .pre_patch = f@p, ...};

@script:python@
f << sdk_state.f;
p << sdk_state.p;
@@
role(p[0].file, 'sdk', f)

@assigned depends on asked@
expression o;
identifier f;
identifier k = {pre_patch, post_unpatch};
position p;
@@
o->callbacks.k =@p f

@script:python@
k << assigned.k;
f << assigned.f;
p << assigned.p;
@@
role(p[0].file, k, f)

@pre_macro depends on asked@
declarer name KPATCH_PRE_PATCH_CALLBACK, KLP_PRE_PATCH_CALLBACK;
identifier f;
position p;
@@
(
KPATCH_PRE_PATCH_CALLBACK(f@p);
|
KLP_PRE_PATCH_CALLBACK(f@p);
)

@script:python@
f << pre_macro.f;
p << pre_macro.p;
@@
role(p[0].file, 'pre_patch', f)

@post_macro depends on asked@
declarer name KPATCH_POST_UNPATCH_CALLBACK, KLP_POST_UNPATCH_CALLBACK;
identifier f;
position p;
@@
(
KPATCH_POST_UNPATCH_CALLBACK(f@p);
|
KLP_POST_UNPATCH_CALLBACK(f@p);
)

@script:python@
f << post_macro.f;
p << post_macro.p;
@@
role(p[0].file, 'post_unpatch', f)

// A function of the module that hands out what the predecessor has
@getter depends on asked exists@
identifier f, prev;
expression e;
@@
f(...) {
... when any
prev = klp_get_prev_state(...)
... when != prev = e
    when any
return \(prev->data\|prev ? prev->data : e\);
}

// Where variables hold the klp_state or the data of the predecessor
@gotten exists@
identifier getter.f;
identifier v;
expression e;
position p;
@@
v = f(...)
... when != v = e
    when any
v@p

@script:python@
v << gotten.v;
p << gotten.p;
@@
theirs[start(p[0])] = (function(p[0]), v)

@taken depends on asked exists@
identifier v;
expression e;
position p;
@@
v = \(klp_get_prev_state(...)\|klp_get_prev_state(...)->data\|klp_sdk_prev(...)\)
... when != v = e
    when any
v@p

@script:python@
v << taken.v;
p << taken.p;
@@
theirs[start(p[0])] = (function(p[0]), v)

@copied exists@
identifier taken.v;
identifier w;
position taken.p;
expression e;
position q;
@@
w = \(v@p->data\|v@p ? v->data : e\)
... when != w = e
    when any
w@q

@script:python@
w << copied.w;
q << copied.q;
@@
theirs[start(q[0])] = (function(q[0]), w)

@direct depends on asked@
position p;
@@
klp_get_prev_state@p(...)->data

@script:python@
p << direct.p;
@@
theirs[start(p[0])] = (function(p[0]), 'klp_get_prev_state')

@write depends on asked@
expression L, e;
assignment operator set = {=,|=,&=,^=};
position p;
@@
L@p set e

@script:python@
L << write.L;
p << write.p;
@@
if not re.match(r'\w+$', L):
    writes.append((function(p[0]), 'write', L, p[0]))

@use depends on asked@
identifier f =~ "^(kv?free|vfree|kfree_sensitive|kv?free_rcu|mem(set|cpy|move)|str[sn]?cpy|WRITE_ONCE|smp_store_release|rcu_assign_pointer|h?list_(del|move).*|hash_del.*|(try_to_)?del_timer.*|timer_(delete|shutdown).*|(disable|cancel)_(delayed_)?work.*)$";
expression E;
position p;
@@
f(E@p, ...)

@script:python@
f << use.f;
E << use.E;
p << use.p;
@@
what = 'free' if 'free' in f else 'write' if re.match('mem|str|WRITE|smp|rcu', f) else 'stop'
writes.append((function(p[0]), what, E, p[0]))

@member depends on asked@
identifier v, f;
position p;
@@
v@p->f

@script:python@
f << member.f;
p << member.p;
@@
fields.append((p[0], f))

@script:python depends on asked@
@@
# An index is only read.
def hits(p, text):
    return any(start(p) <= at < end(p) and
               re.search(r'\b%s\b' % name, re.split(r'[\[+]', text)[0])
               for at, (fn, name) in theirs.items())

def field(text):
    return re.search(r'(\w*)\W*$', text).group(1)

what_then = {
    'free': ('frees data of', 'without it'),
    'write': ('writes to data of', 'with the change'),
    'stop': ('stops or unlinks a part of', 'without it'),
}
writes = [w for w in writes if hits(w[3], w[2])]

# What post_unpatch puts right again is no harm.
back = reach('post_unpatch')
mended = {('write', field(text)) for fn, what, text, p in writes if fn in back}
mended |= {('stop', f) for p, f in fields if function(p) in back and start(p) in theirs}

sdk = reach('sdk')
for fn, what, text, p in writes:
    if fn not in reach('pre_patch') | sdk or \
       (what, field(text)) in mended:
        continue
    found[start(p) + end(p)] = "%s() %s the patch below in pre_patch; after a reversal that goes on %s; %s" % \
        (fn[1], *what_then[what],
         'leave it to the migration' if fn in sdk else 'do that in post_patch')

@at depends on context || org || report@
expression E;
position p : script:python() { start(p[0]) + end(p[0]) in found };
@@
* E@p

@script:python depends on report@
p << at.p;
@@
coccilib.report.print_report(p[0], "error: %s [klp_pre_patch_writes_prev]" % found[start(p[0]) + end(p[0])])

@script:python depends on org@
p << at.p;
@@
coccilib.org.print_todo(p[0], found[start(p[0]) + end(p[0])])
