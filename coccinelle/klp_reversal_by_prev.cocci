// SPDX-License-Identifier: GPL-2.0
/// klp_get_prev_state() does not tell a reversed enable from a disable.
///
/// A first enable that is reversed and a disable of that patch both run
/// post_unpatch with no patch below; in a stack there is one both times. What
/// post_unpatch may ask is what pre_patch has asked: whether it has inherited. It
/// must not conclude that post_patch has run, and undo what that does.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_get_prev_state, post_unpatch, reversed transition

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import re

# What is known of the module: the files that spatch looks at together
defs = set()		# (file, function)
calls = []		# (function, name of what it calls, position)
roles = []		# (object, kind of callback, file, function)
own = set()		# static variables
sets = []		# (function, what is set, to what, position)
globals_used = set()	# (function, global variable)
conds = []		# (function, condition, where, range that depends on it, or its else)
returns = []		# (function, position, value)
members = []		# (function, variable of which a member is used)
answers = {}		# (function, variable): True if set means a predecessor
getters = {}		# function: the same for what it returns
found = {}		# position: (severity, message)

ALLOC = r'(klp_sdk_)?(k?v?[mzc]alloc|k(mem|str)dup)$'
SAYS = r'(pr_|printk|WARN|callback_info)'
INTENT = r'(?i)revers|revert|roll_?ed_?back|rollback|disabl'

def start(p):
    return (p.file, int(p.line), int(p.column))

def end(p):
    return (p.file, int(p.line_end), int(p.column_end))

def within(p, what):
    return start(what) <= start(p) < end(what)

def function(p):
    return (p.file, p.current_element)

# An expression without blanks and hints
def plain(text):
    text = re.sub(r'\s', '', text)
    return re.sub(r'^(un)?likely\((.*)\)$', r'\2', text)

def find(file, name):
    if (file, name) in defs:
        return (file, name)
    return next((d for d in sorted(defs) if d[1] == name), None)

def role(obj, kind, file, f):
    roles.append((obj, kind, file, f))

# The functions that callbacks of these kinds run, of one object or of all
def reach(kinds, only=None):
    todo = [find(file, f) for obj, kind, file, f in roles
            if kind in kinds and only in (None, obj)]
    seen = set()
    while todo:
        fn = todo.pop()
        if fn in seen:
            continue
        seen.add(fn)
        todo += [find(fn[0], name) for f, name, p in calls if f == fn]
    return seen

# Does @text being true mean that there is a predecessor (True), that there is
# none (False), or something else (None)?
def meaning(fn, text):
    m = re.match(r'(!*)\(?(\w+=)?(\w+)(\(.*\))?\)?(([!=])=NULL)?$', text)
    if not m:
        return None
    bangs, to, name, args, cmp, op = m.groups()
    if not args:
        yes = answers.get((fn, name))
    elif name == 'klp_get_prev_state':
        yes = True
    else:
        yes = getters.get(find(fn[0], name))
    if yes is None:
        return None
    return yes ^ (len(bangs) % 2 == 1) ^ (op == '=')

# All that variables and functions hand on is known after a few rounds.
def learn():
    for i in range(4):
        for fn, to, value, p in sets:
            m = meaning(fn, value)
            if m is not None:
                answers[(fn, to)] = m
        for fn, p, value in returns:
            value = re.sub(r'^(\w+)(->data$|\?\1->data:NULL$)', r'\1', value)
            m = meaning(fn, value)
            if m is not None:
                getters[fn] = m

@script:python@
@@
for known in (defs, calls, roles, own, sets, globals_used, conds, returns, members,
              answers, getters, found):
    known.clear()

@asked@
@@
klp_get_prev_state(...)

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
calls.append((function(p[0]), f, p[0]))

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
    role(start(p[0]), k, p[0].file, f)

@assigned depends on asked@
expression o;
identifier f;
identifier k = {pre_patch, post_patch, post_unpatch};
position p;
@@
o->callbacks.k =@p f

@script:python@
o << assigned.o;
k << assigned.k;
f << assigned.f;
p << assigned.p;
@@
role((p[0].file, o), k, p[0].file, f)

@macro depends on asked@
declarer name KPATCH_PRE_PATCH_CALLBACK, KLP_PRE_PATCH_CALLBACK;
declarer name KPATCH_POST_PATCH_CALLBACK, KLP_POST_PATCH_CALLBACK;
declarer name KPATCH_POST_UNPATCH_CALLBACK, KLP_POST_UNPATCH_CALLBACK;
identifier pre, post, last;
position p;
@@
(
KPATCH_PRE_PATCH_CALLBACK@p(pre);
|
KLP_PRE_PATCH_CALLBACK@p(pre);
|
KPATCH_POST_PATCH_CALLBACK@p(post);
|
KLP_POST_PATCH_CALLBACK@p(post);
|
KPATCH_POST_UNPATCH_CALLBACK@p(last);
|
KLP_POST_UNPATCH_CALLBACK@p(last);
)

@script:python@
p << macro.p;
pre << macro.pre = "";
post << macro.post = "";
last << macro.last = "";
@@
for k, f in (('pre_patch', pre), ('post_patch', post), ('post_unpatch', last)):
    if f:
        role((p[0].file, 'macro'), k, p[0].file, f)

@made depends on asked@
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

@set depends on asked@
expression L, R;
assignment operator op;
position p;
@@
L@p op R

@script:python@
L << set.L;
R << set.R;
p << set.p;
@@
sets.append((function(p[0]), plain(L), plain(R), p[0]))

@once depends on asked@
expression L, R;
position p;
@@
WRITE_ONCE(L@p, R)

@script:python@
L << once.L;
R << once.R;
p << once.p;
@@
sets.append((function(p[0]), plain(L), plain(R), p[0]))

@everywhere depends on asked@
global idexpression g;
position p;
@@
g@p

@script:python@
g << everywhere.g;
p << everywhere.p;
@@
globals_used.add((function(p[0]), g))

@member depends on asked@
identifier v, f;
position p;
@@
v@p->f

@script:python@
v << member.v;
p << member.p;
@@
members.append((function(p[0]), v))

@cond depends on asked@
expression e;
statement S;
position p, q;
@@
if (e@q) S@p

@script:python@
e << cond.e;
p << cond.p;
q << cond.q;
@@
conds.append((function(q[0]), plain(e), q[0], p[0], None))

@either depends on asked disable neg_if@
expression e;
statement S1, S2;
position p1, p2, q;
@@
if (e@q) S1@p1 else S2@p2

@script:python@
e << either.e;
p1 << either.p1;
p2 << either.p2;
q << either.q;
@@
conds.append((function(q[0]), plain(e), q[0], p1[0], p2[0]))

@leave depends on asked@
identifier l;
expression e;
position p;
@@
(
return@p;
|
return@p e;
|
goto@p l;
)

@script:python@
p << leave.p;
e << leave.e = "";
@@
returns.append((function(p[0]), p[0], plain(e)))

@script:python depends on asked@
@@
learn()
before = reach(['pre_patch'])
during = reach(['post_patch'])
after = reach(['post_unpatch'])

def made_in(fns):
    return any(f in fns and re.match(ALLOC, name) for f, name, p in calls)

# If pre_patch alone makes the data, its being there says nothing. Callbacks of
# another object may make it.
def data_says(fn):
    for obj in {role[0] for role in roles}:
        if fn in reach(['post_unpatch'], obj) and reach(['post_patch'], obj):
            return made_in(reach(['post_patch'], obj)) or not made_in(before)
    return not made_in(before)

def says_nothing(fn, cond):
    if meaning(fn, cond) is not None:
        return True
    m = re.match(r'!?([^!=]*?)(?:[!=]=NULL)?$', cond)
    if not m:
        return False
    what = m.group(1)
    sources = [value for f, to, value, p in sets if f == fn and to == what]
    if any(s.startswith('klp_get_state(') for s in sources):
        return True
    return not data_says(fn) and (re.search(r'(->|\.)data$', what) or
                                  any(re.search(r'(->|\.)data$', s) for s in sources))

def leaves(fn, where):
    return any(f == fn and within(p, where) for f, p, value in returns)

def guarded(fn, p):
    for f, cond, at, then, other in conds:
        if f != fn or says_nothing(fn, cond):
            continue
        if within(p, then) or other and within(p, other):
            return True
        if end(then) <= start(p) and leaves(fn, then):
            return True
    return False

def base(lvalue):
    return re.search(r'\w+', re.sub(r'\((struct)?\w+\**\)', '', lvalue)).group()

def changes(fns):
    return {to for fn, to, value, p in sets if fn in fns and (fn, base(to)) in globals_used and
            (base(to) not in own or re.match(r'\*|\w+->', to))}

def done(fns):
    return {name for fn, name, p in calls if fn in fns}

late = changes(during) - changes(before)
late_calls = done(during) - done(before)

def opposite(name):
    for undo, do in (('unregister', 'register'), ('deregister', 'register'),
                     ('disable', 'enable'), ('_dec', '_inc'), ('_del', '_add'),
                     ('remove', 'create'), ('remove_proc_entry', 'proc_create')):
        if undo in name and name.replace(undo, do) in late_calls:
            return True
    return False

# What of the work of post_patch does @fn undo where @there says so?
def undoes(fn, there, seen):
    for f, to, value, p in sets:
        if f == fn and there(p) and to in late and not guarded(fn, p):
            return to
    for f, name, p in calls:
        if f != fn or not there(p) or guarded(fn, p):
            continue
        if opposite(name):
            return name + '()'
        inner = find(fn[0], name)
        what = inner and inner not in seen and undoes(inner, lambda p: True, seen | {inner})
        if what:
            return what
    return None

# Does nobody ask when the patch comes, only when it goes? Who uses what the
# predecessor has does not decide, or has a reason to.
def only_here(fn):
    for obj in {role[0] for role in roles}:
        coming = reach(['pre_patch', 'post_patch'], obj)
        going = reach(['post_unpatch'], obj)
        if coming and fn in going and \
           not any(f in coming and n == 'klp_get_prev_state' for f, n, p in calls) and \
           not any(f in going and answers.get((f, v)) is not None for f, v in members):
            return True
    return False

for fn, cond, at, then, other in conds:
    if fn not in after:
        continue
    parts = [part for part in cond.split('&&') if not says_nothing(fn, part) or
             meaning(fn, part) is not None]
    if len(parts) != 1 or meaning(fn, parts[0]) is None:
        continue
    there_is = meaning(fn, parts[0])
    with_prev, without = (then, other) if there_is else (other, then)
    ends = end(with_prev or then)

    def there(p, leave=with_prev and leaves(fn, with_prev), without=without, ends=ends):
        return bool(without and within(p, without) or leave and start(p) >= ends)

    def depends(p, then=then, other=other):
        return within(p, then) or other and within(p, other) or \
            leaves(fn, then) and start(p) >= end(then)

    what = undoes(fn, there, {fn})
    name = re.search(r'\w+', parts[0]).group()
    if what:
        found[start(at) + end(at)] = ('error', "%s() undoes what post_patch does (%s) if klp_get_prev_state() gives NULL, as it also does after a reversed enable; test a flag that post_patch sets" % (fn[1], what))
    elif re.search(INTENT, name) or only_here(fn) and \
            (any(f == fn and depends(p) and not re.match(SAYS, n) for f, n, p in calls) or
             any(f == fn and depends(p) for f, to, value, p in sets)):
        found[start(at) + end(at)] = ('warning', "%s() cannot tell a reversed enable from a disable by klp_get_prev_state(); test a flag that post_patch sets" % fn[1])

@at depends on context || org || report@
expression E;
position p : script:python() { start(p[0]) + end(p[0]) in found };
@@
* E@p

@script:python depends on report@
p << at.p;
@@
coccilib.report.print_report(p[0], "%s: %s [klp_reversal_by_prev]" % found[start(p[0]) + end(p[0])])

@script:python depends on org@
p << at.p;
@@
coccilib.org.print_todo(p[0], found[start(p[0]) + end(p[0])][1])
