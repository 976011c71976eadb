// SPDX-License-Identifier: GPL-2.0
/// klp_get_prev_state() where no transition need be running warns and gives NULL.
///
/// It looks below the patch that is in transition. Where there is none the core
/// has a WARN_ON_ONCE() and returns NULL, and the caller believes that no patch
/// held the state before. There is none in the init and exit of the module, in a
/// patched function most of the time, and in the callbacks of a module's object
/// each time when that module is loaded or unloaded later on.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_get_prev_state, klp_object, callbacks

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
roles = {}		# function: what it is
conds = []		# (function, condition, position, range of what depends on it)
returns = []		# positions
looks = set()		# functions that look at the state of the module themselves
plain = set()		# (function, variable that says nothing about transitions)
found = {}		# (file, line, column): message

def start(p):
    return (p.file, int(p.line), int(p.column))

def end(p):
    return (p.file, int(p.line_end), int(p.column_end))

def within(inner, p):
    return start(p) <= inner < end(p)

def function(p):
    return (p.file, p.current_element)

def find(file, name):
    if (file, name) in defs:
        return (file, name)
    return next((d for d in sorted(defs) if d[1] == name), None)

# A lookup or an allocation that failed is no reason to expect a transition.
def says_nothing(fn, cond):
    m = re.match(r'(?:unlikely \( )?(! ?)?(\w+)(?: (?:==|!=|<) (?:NULL|0))?(?: \))?$', cond)
    if not m:
        return False
    return (fn, m.group(2)) in plain or \
        not m.group(1) and m.group(2) in ('ret', 'rc', 'err', 'error')

# Does a condition decide whether @p in @fn is reached?
def guarded(fn, p):
    if fn in looks:
        return True
    for f, cond, then in conds:
        if f != fn or says_nothing(fn, cond):
            continue
        if within(start(p), then):
            return True
        if end(then) <= start(p) and any(within(start(r), then) for r in returns):
            return True
    return False

# Where @fn asks, or calls somebody who does, @always if it comes by there. @seen
# are the functions on the way, against recursion.
def asks(fn, always, seen):
    for f, name, p in calls:
        if f != fn or always and guarded(fn, p):
            continue
        to = find(fn[0], name)
        if name == 'klp_get_prev_state':
            yield p, None
        elif to not in seen and next(asks(to, always, seen | {to}), None):
            yield p, name

@script:python@
@@
for known in (defs, calls, roles, conds, returns, looks, plain, found):
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

@initexit depends on asked@
declarer name module_init, module_exit;
identifier f;
position p;
@@
(
module_init(f@p);
|
module_exit(f@p);
)

@script:python@
f << initexit.f;
p << initexit.p;
@@
roles[(p[0].file, f)] = "the module's init or exit"

@section depends on asked@
identifier f;
position p;
@@
(
__init f@p(...) { ... }
|
__exit f@p(...) { ... }
)

@script:python@
f << section.f;
p << section.p;
@@
roles[(p[0].file, f)] = "the module's init or exit"

// The designators are read in Python: to match them takes time exponential in
// the number of objects.
@patched depends on asked@
identifier a;
initializer I;
position p;
@@
(
struct klp_func a[] = {..., I@p, ...};
|
struct klp_func a = I@p;
)

@script:python@
I << patched.I;
p << patched.p;
@@
m = re.search(r'\. new_func = (?:& ?)?(\w+)', str(I))
if m:
    roles[(p[0].file, m.group(1))] = 'a patched function'

@object depends on asked@
identifier a;
initializer I;
position p;
@@
(
struct klp_object a[] = {..., I@p, ...};
|
struct klp_object a = I@p;
)

@script:python@
I << object.I;
p << object.p;
@@
if re.search(r'\. name = (?!NULL)', str(I)):
    for k, f in re.findall(r'\. ((?:pre|post)_(?:un)?patch) = (?:& ?)?(\w+)', str(I)):
        roles.setdefault((p[0].file, f), "a module's %s" % k)

@cond depends on asked@
expression e, e2;
statement S;
position p;
@@
(
if (e) S@p
|
e && e2@p
|
e || e2@p
)

@script:python@
e << cond.e;
p << cond.p;
@@
conds.append((function(p[0]), e, p[0]))

@either depends on asked@
expression e, e1, e2;
statement S1, S2;
position p1, p2;
@@
(
if (e) S1@p1 else S2@p2
|
e ? e1@p1 : e2@p2
)

@script:python@
e << either.e;
p1 << either.p1;
p2 << either.p2;
@@
conds.append((function(p1[0]), e, p1[0]))
conds.append((function(p2[0]), e, p2[0]))

@leave depends on asked@
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

@look depends on asked@
identifier s = {MODULE_STATE_COMING, MODULE_STATE_GOING, MODULE_STATE_LIVE};
position p;
@@
s@p

@script:python@
p << look.p;
@@
looks.add(function(p[0]))

@lookup depends on asked@
identifier x;
identifier get =~ "^(klp_get_state|(klp_sdk_)?(k?v?[mzc]alloc|k(mem|str)dup))$";
position p;
@@
x@p = get(...)

@script:python@
x << lookup.x;
p << lookup.p;
@@
plain.add((function(p[0]), x))

@script:python depends on asked@
@@
for (file, name), role in sorted(roles.items()):
    fn = find(file, name)
    of_module = role.startswith("a module's ")
    for p, through in asks(fn, of_module, {fn}):
        what = 'klp_get_prev_state()' + (' through %s()' % through if through else '')
        if of_module:
            text = "%s() is %s; %s warns when that module comes or goes and no transition runs; ask in one only" % (name, role, what)
        else:
            text = "%s() is %s; %s warns there when no transition runs; ask in a callback of vmlinux" % (name, role, what)
        found[start(p)] = text

@at depends on context || org || report@
identifier f;
position p : script:python() { start(p[0]) in found };
@@
* f@p(...)

@script:python depends on report@
p << at.p;
@@
coccilib.report.print_report(p[0], "error: %s [klp_prev_state_context]" % found[start(p[0])])

@script:python depends on org@
p << at.p;
@@
coccilib.org.print_todo(p[0], found[start(p[0])])
