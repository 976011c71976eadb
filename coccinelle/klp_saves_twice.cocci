// SPDX-License-Identifier: GPL-2.0
/// A saved original is wrong when a replaced patch has changed the value before.
///
/// The core runs no callback of the patches that are replaced, so what they have
/// changed stays changed. A callback that saves a value and changes it must ask
/// klp_get_prev_state() first, and take over what was saved there. Otherwise the
/// second cumulative patch saves the value of the first one, and its disable
/// restores that.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_state, klp_get_prev_state, post_patch, atomic replace

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import re

# What is known of the module: the files that spatch looks at together
datas = []		# positions of klp_state.data
defs = set()		# (file, function)
calls = []		# (function, name of what it calls, position)
roles = {}		# object: its pre_patch and post_patch
own = set()		# static variables
sets = []		# (function, what is set, to what, position)
globals_read = set()	# (function, global variable that is copied there)
conds = []		# (function, condition, range of what depends on it)
returns = []		# positions
plain_vars = set()	# (function, variable that says nothing about predecessors)
found = {}		# position: message

# An expression without blanks, casts and accessors
def plain(text):
    text = re.sub(r'\s', '', text)
    text = re.sub(r'^READ_ONCE\((.*)\)$|^xchg\(&([^,]*),.*\)$', r'\1\2', text)
    while re.match(r'\(\w+\**\)[\w(*]', text):
        text = text[text.index(')') + 1:]
    return text.lstrip('&')

def start(p):
    return (p.file, int(p.line), int(p.column))

def end(p):
    return (p.file, int(p.line_end), int(p.column_end))

def function(p):
    return (p.file, p.current_element)

def find(file, name):
    if (file, name) in defs:
        return (file, name)
    return next((d for d in sorted(defs) if d[1] == name), None)

def role(obj, file, f):
    roles.setdefault(obj, set()).add((file, f))

# A lookup or an allocation that failed has nothing to do with predecessors.
def says_nothing(fn, cond):
    m = re.match(r'(?:unlikely\()?!?([^!=]*?)(?:(?:==|!=)NULL)?\)?$', cond)
    return m and ((fn, m.group(1)) in plain_vars or
                  re.search(r'(->|\.)data$', m.group(1)))

# Does a condition decide whether @p in @fn is reached?
def guarded(fn, p):
    for f, cond, then in conds:
        if f != fn or says_nothing(fn, cond):
            continue
        if start(then) <= start(p) < end(then):
            return True
        if end(then) <= start(p) and any(start(then) <= start(r) < end(then)
                                         for r in returns):
            return True
    return False

# The functions that @obj runs, all or those that it runs for certain
def reach(obj, always):
    todo = [find(*f) for f in sorted(roles[obj])]
    seen = set()
    while todo:
        fn = todo.pop()
        if fn in seen:
            continue
        seen.add(fn)
        todo += [find(fn[0], name) for f, name, p in calls
                 if f == fn and not (always and guarded(fn, p))]
    return seen

@script:python@
@@
for known in (datas, defs, calls, roles, own, sets, globals_read, conds, returns, plain_vars, found):
    known.clear()

@data@
struct klp_state *s;
struct klp_state t;
position p;
@@
(
s->data@p
|
t.data@p
)

@script:python@
p << data.p;
@@
datas.append(p[0])

@def depends on data@
identifier f;
position p;
@@
f@p(...) { ... }

@script:python@
f << def.f;
p << def.p;
@@
defs.add((p[0].file, f))

@call depends on data@
identifier f;
position p;
@@
f@p(...)

@script:python@
f << call.f;
p << call.p;
@@
calls.append((function(p[0]), f, p[0]))

// The designators are read in Python: to match them takes time exponential in
// the number of objects.
@object depends on data@
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
for f in re.findall(r'\. (?:pre|post)_patch = (?:& ?)?(\w+)', str(I)):
    role(start(p[0]), p[0].file, f)

@assigned depends on data@
expression o;
identifier f;
identifier k = {pre_patch, post_patch};
position p;
@@
o->callbacks.k =@p f

@script:python@
o << assigned.o;
f << assigned.f;
p << assigned.p;
@@
role((p[0].file, o), p[0].file, f)

@macro depends on data@
declarer name KPATCH_PRE_PATCH_CALLBACK, KLP_PRE_PATCH_CALLBACK;
declarer name KPATCH_POST_PATCH_CALLBACK, KLP_POST_PATCH_CALLBACK;
identifier f;
position p;
@@
(
KPATCH_PRE_PATCH_CALLBACK(f@p);
|
KPATCH_POST_PATCH_CALLBACK(f@p);
|
KLP_PRE_PATCH_CALLBACK(f@p);
|
KLP_POST_PATCH_CALLBACK(f@p);
)

@script:python@
f << macro.f;
p << macro.p;
@@
role((p[0].file, 'macro'), p[0].file, f)

@made depends on data@
type T;
identifier x;
expression e;
@@
(
static T x;
|
static T x = e;
)

@script:python@
x << made.x;
@@
own.add(x)

@set depends on data@
expression L, R;
assignment operator op;
position p;
@@
L@p op R

@script:python@
L << set.L;
R << set.R;
op << set.op;
p << set.p;
@@
sets.append((function(p[0]), plain(L), plain(R) if str(op).strip() == '=' else '', p[0]))

@once depends on data@
expression L, R;
position p;
@@
\(WRITE_ONCE\|xchg\)(L@p, R)

@script:python@
L << once.L;
p << once.p;
@@
sets.append((function(p[0]), plain(L), '', p[0]))

@read depends on data@
global idexpression g;
expression L;
position p;
@@
L = <+... g@p ...+>

@script:python@
g << read.g;
p << read.p;
@@
globals_read.add((function(p[0]), g))

@cond depends on data@
expression e;
statement S;
position p;
@@
if (e) S@p

@script:python@
e << cond.e;
p << cond.p;
@@
conds.append((function(p[0]), plain(e), p[0]))

@either depends on data@
expression e;
statement S1, S2;
position p1, p2;
@@
if (e) S1@p1 else S2@p2

@script:python@
e << either.e;
p1 << either.p1;
p2 << either.p2;
@@
conds.append((function(p1[0]), plain(e), p1[0]))
conds.append((function(p2[0]), plain(e), p2[0]))

@leave depends on data@
identifier l;
position p;
@@
(
return@p ...;
|
goto@p l;
)

@script:python@
p << leave.p;
@@
returns.append(p[0])

@script:python depends on data@
@@
def in_data(p):
    return any(start(p) <= start(d) < end(p) for d in datas)

# Variables that point to the data of a state, or to the state
held = {(fn, to) for fn, to, value, p in sets if re.search(r'(->|\.)data$', value)}
held |= {(fn, value) for fn, to, value, p in sets if in_data(p)}
plain_vars |= held
plain_vars |= {(fn, to) for fn, to, value, p in sets
               if re.match(r'(klp_get_state|(klp_sdk_)?(k?v?[mzc]alloc|k(mem|str)dup))\(', value)}

def saved(fn, to, value, p):
    if not re.match(r'\*?\w+((\.|->)\w+|\[[^]]*\])*$', value):
        return False
    base = re.search(r'\w+', value).group()
    if (fn, base) not in globals_read or \
       base in own and not re.match(r'\*|\w+->', value):
        return False
    return in_data(p) or re.match(r'\*|\w+(->|\[)', to) and \
        (fn, re.search(r'\w+', to).group()) in held

for obj in roles:
    run = reach(obj, False)
    if any(fn in run and name == 'klp_get_prev_state' for fn, name, p in calls):
        continue
    for fn, to, value, p in sets:
        if fn not in reach(obj, True) or guarded(fn, p) or not saved(fn, to, value, p):
            continue
        if any(f in run and changed == value and (f != fn or start(q) > start(p))
               for f, changed, v, q in sets):
            found[start(p) + end(p)] = "%s() saves %s, which a patch below may have changed; ask klp_get_prev_state() and take over what that has saved" % (fn[1], value)

@at depends on context || org || report@
expression E;
position p : script:python() { start(p[0]) + end(p[0]) in found };
@@
* E@p

@script:python depends on report@
p << at.p;
@@
coccilib.report.print_report(p[0], "warning: %s [klp_saves_twice]" % found[start(p[0]) + end(p[0])])

@script:python depends on org@
p << at.p;
@@
coccilib.org.print_todo(p[0], found[start(p[0]) + end(p[0])])
