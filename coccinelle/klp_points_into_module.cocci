// SPDX-License-Identifier: GPL-2.0
/// What outlives a patch points to code or data of the patch's module.
///
/// When a cumulative patch replaces another one, nothing of the replaced one runs
/// any more, and its module can be unloaded. What it has hooked into the kernel
/// stays, and so do its states' data and its shadow variables: functions, static
/// objects and strings that they point to are gone then.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, atomic replace, klp_state, shadow variables, dangling, adopt

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import re

# One module's facts: spatch applies the whole file to one group after the other.
facts = {}
findings = {}
memo = {}

def note(kind, *what):
    facts.setdefault(kind, set()).add(what)

def every(kind):
    return facts.get(kind, ())

def at(p):
    return (p.file, int(p.line), int(p.column))

def text(e):
    return re.sub(r"\s+", "", str(e))

# What hooks its arguments into the kernel, or keeps calling them.
HOOKS = re.compile(
    r"(?<!un)(?<!de)register(_|$)|^(add|mod)_timer(_|$)|^hrtimer_start|"
    r"^(queue|schedule|mod)_delayed_work|^kthread_(run|create)|^proc_create|"
    r"^(sysfs|device)_create_(file|group|bin)|^debugfs_create_file|^(h?list|plist)_add|"
    r"^request_(threaded_)?irq$|^cpuhp_setup_state")

# What puts a function into its first argument.
SETUP = re.compile(r"^INIT_(DELAYED_|DEFERRABLE_)?WORK$|^(klp_sdk_)?(hr)?timer_setup$|"
                   r"^klp_sdk_(delayed_)?work_init$|^(rcu_assign_pointer|WRITE_ONCE)$")

UNDO = re.compile(r"unregister|deregister|del|cancel|stop|remove|free|shutdown")

SHADOW = re.compile(r"^klp_shadow_(get|alloc|get_or_alloc)\(")

STATE = re.compile(r"^klp_get_(prev_)?state\(")

def target(e):
    """What of the module e points to, if that is so."""
    if e == "THIS_MODULE":
        return e
    if e == "__func__" or e.startswith('"'):
        return "a string"
    name = re.match(r"(&?)(\w+)", e)
    if not name:
        return None
    if (name.group(2),) in every("function") and re.match(r"&?\w+$", e):
        return name.group(2) + "()"
    if name.group(1) and (name.group(2),) in every("static"):
        return name.group(2)
    if (name.group(2),) in every("array") and re.match(r"\w+$", e):
        return name.group(2)
    return None

def targets(args):
    return [t for t in map(target, args.split(",")) if t]

# The objects and functions among the arguments of a call that hooks them in.
def hooked(g, args):
    if not HOOKS.search(g) or (g,) in every("function"):
        return []
    # A list of the module goes with it.
    head = re.match(r"[^,]+,&?(\w+)$", args)
    if "list_add" in g and head and (head.group(1),) in every("list"):
        return []
    return [t for t in map(target, args.split(",")) if t not in (
        None, "THIS_MODULE", "a string")]

def reached(f, deep=3):
    out = {f}
    for call in every("call"):
        if call[0] == f and call[1] not in out and deep:
            out |= reached(call[1], deep - 1)
    return out

def params(f):
    for name, ps in every("function_of"):
        if name == f:
            return [re.search(r"(\w*)(\[\w*\])?$", p).group(1) for p in ps.split(",")]
    return []

# The state of the SDK that a shadow type belongs to.
def state_of(shadow):
    for s, shadows in every("shadows"):
        if shadow in re.findall(r"\w+", shadows):
            return s
    return None

# The variables of f that are such data: {name: whose it is}. Of states of the SDK
# the name of the state, of raw ones and of shadow variables "" and "shadow".
def data(f, deep=3):
    if (f, deep) not in memo:
        memo[f, deep] = find_data(f, deep)
    return memo[f, deep]

def find_data(f, deep):
    out = {}
    for owner, cb, g in every("role"):
        if g == f and params(f):
            out[params(f)[0]] = owner
    for g, shadow in every("ctor"):
        if g == f and len(params(f)) > 1:
            out[params(f)[1]] = state_of(shadow) if shadow else "shadow"
    for call in every("call"):
        if call[1] == f and call[0] != f and deep and any(
                re.match(r"\w+$", a) for a in call[2].split(",")):
            outer = data(call[0], deep - 1)
            for name, arg in zip(params(f), call[2].split(",")):
                if arg in outer:
                    out[name] = outer[arg]
    for fn, x, how, pos in sorted(every("set"), key=lambda s: s[3]):
        if fn != f:
            continue
        sdk = re.match(r"klp_sdk_(?:live|data|(shadow)_\w+)\((\w+)", how)
        if SHADOW.match(how):
            out[x] = "shadow"
        elif sdk:
            out[x] = state_of(sdk.group(2)) if sdk.group(1) else sdk.group(2)
        elif how in out:
            out[x] = out[how]
        elif re.match(r"\w+->data$", how) and is_state(f, how[:-6]):
            out[x] = ""
        elif re.match(r"\w+->data$", x) and is_state(f, x[:-6]) and re.match(r"\w+$", how):
            out.setdefault(how, "")
    return out

def is_state(f, x):
    return any(fn == f and name == x and STATE.match(how)
               for fn, name, how, pos in every("set"))

def owner_of(f, x):
    """Whose data x is a part of, None if of nobody's."""
    if re.match(r"\w+->data$", x) and is_state(f, x[:-6]):
        return ""
    base = re.match(r"&?(\w+)(->|\[)", x)
    return data(f).get(base.group(1)) if base else None

def has_adopt(s):
    return any(name == s and cb == "adopt" for name, cb, f in every("role"))

def flags(s):
    return {flag for name, flag in every("flag") if name == s}

def kept(pos, owner, t):
    """In the data of whom there is a pointer to t."""
    if owner in ("", "shadow"):
        if every("replace"):
            findings[pos] = "warning: %s points to %s; the module can be unloaded when the " \
                "patch is replaced; copy it, or let the next patch re-point it" % (
                    "shadow variable" if owner else "klp_state.data", t)
        return
    if "retire" in flags(owner):
        return
    if "stackable" in flags(owner):
        findings[pos] = "error: state %s points to %s; it is stackable and may outlive the " \
            "module; copy it" % (owner, t)
    elif not has_adopt(owner):
        findings[pos] = "warning: state %s points to %s and has no .adopt; re-point it there, " \
            "or it stays in the module of a replaced patch" % (owner, t)

def judge():
    # A module that stays for ever can be pointed to.
    if any(c[1].endswith("module_get") and c[2] == "THIS_MODULE" for c in every("call")):
        return
    for f, x, how, pos in every("set"):
        owner = owner_of(f, x)
        if owner is not None and target(how):
            kept(pos, owner, target(how))
    for f, g, args, pos in every("call"):
        first, _, rest = args.partition(",")
        if SETUP.search(g) and owner_of(f, first) is not None and targets(rest):
            kept(pos, owner_of(f, first), targets(rest)[0])
    for pos, e in every("initial"):
        if target(e):
            kept(pos, "", target(e))
    hooks()

# Hooked by callbacks, and not undone by the module's exit.
def hooks():
    undone = [c[2].split(",") for f, in every("exit") for fn in reached(f)
              for c in every("call") if c[0] == fn and UNDO.search(c[1])]
    cleared = {x for f, in every("exit") for fn in reached(f)
               for name, x, how, pos in every("set") if name == fn}
    todo = "; nothing of the patch runs when it is replaced; undo it in the module's exit"
    for f, in every("callback") if every("replace") else ():
        # With a state the next patch may find what there is to undo.
        severity = "warning" if any(c[0] in reached(f) and STATE.match(c[1] + "(")
                                    for c in every("call")) else "error"
        for fn in reached(f):
            for name, g, args, pos in every("call"):
                first = args.split(",")[0]
                if name == fn and hooked(g, args) and pos not in findings and not any(
                        first in u or first[:1] != "&" for u in undone):
                    findings[pos] = "%s: %s() hooks %s in%s" % (
                        severity, g, hooked(g, args)[0], todo)
            for name, x, how, pos in every("set"):
                if name == fn and target(how) and pos not in findings and (
                        x not in cleared and is_kernels(fn, x)):
                    findings[pos] = "%s: %s is hooked in%s" % (severity, target(how), todo)
    for s, cb, f in every("role"):
        if cb == "adopt" or "retire" in flags(s) or has_adopt(s):
            continue
        for fn in reached(f):
            for name, g, args, pos in every("call"):
                if name == fn and hooked(g, args) and pos not in findings:
                    findings[pos] = "error: state %s hooks %s in and has no .adopt; have it in " \
                        "the data, and re-point it in .adopt" % (s, hooked(g, args)[0])

# A variable that is neither the function's nor the module's.
def is_kernels(f, x):
    base = re.match(r"\w*", x).group(0)
    return (base,) not in every("own") and base not in params(f)

@script:python@
@@
facts.clear()
findings.clear()
memo.clear()

@objects@
identifier x, f, cb = {pre_patch, post_patch};
@@
struct klp_object x[] = {..., {..., .callbacks = {..., .cb = f, ...}, ...}, ...};

@script:python@
f << objects.f;
@@
note("callback", f)

@members@
identifier x, f, cb = {pre_patch, post_patch};
@@
struct klp_object x[] = {..., {..., .callbacks.cb = f, ...}, ...};

@script:python@
f << members.f;
@@
note("callback", f)

@callbacks@
identifier x, f, cb = {pre_patch, post_patch};
@@
struct klp_callbacks x = {..., .cb = f, ...};

@script:python@
f << callbacks.f;
@@
note("callback", f)

@assigned@
identifier f, cb = {pre_patch, post_patch};
expression e;
@@
(
e.callbacks.cb = f
|
e->callbacks.cb = f
)

@script:python@
f << assigned.f;
@@
note("callback", f)

@declared@
declarer d =~ "^K(LP|PATCH)_(PRE|POST)_PATCH_CALLBACK$";
identifier f;
@@
d(f);

@script:python@
f << declared.f;
@@
note("callback", f)

@states@
identifier s, f, cb = {pre_patch, post_patch, adopt};
@@
struct klp_sdk_state s = {..., .cb = f, ...};

@script:python@
s << states.s;
f << states.f;
cb << states.cb;
@@
note("role", s, cb, f)

@flags@
symbol true;
identifier s, flag = {retire, stackable};
@@
struct klp_sdk_state s = {..., .flag = true, ...};

@script:python@
s << flags.s;
flag << flags.flag;
@@
note("flag", s, flag)

@shadows@
identifier s, f;
@@
struct klp_sdk_shadow_type s = {..., .ctor = f, ...};

@script:python@
s << shadows.s;
f << shadows.f;
@@
note("ctor", f, s)

@lists@
identifier s;
expression e;
@@
struct klp_sdk_state s = {..., .shadows = e, ...};

@script:python@
s << lists.s;
e << lists.e;
@@
note("shadows", s, text(e))

@replaces@
identifier x;
@@
(
struct klp_patch x = {..., .replace = true, ...};
|
struct klp_sdk_patch x = {..., .replace = true, ...};
)

@script:python@
x << replaces.x;
@@
note("replace", x)

@exits@
declarer name module_exit;
identifier f;
@@
module_exit(f);

@script:python@
f << exits.f;
@@
note("exit", f)

@functions@
identifier f;
parameter list ps;
@@
f(ps) { ... }

@script:python@
f << functions.f;
ps << functions.ps;
@@
note("function", f)
note("function_of", f, text(ps))

@own_list@
declarer name LIST_HEAD, HLIST_HEAD;
identifier x;
@@
(
LIST_HEAD(x);
|
HLIST_HEAD(x);
)

@script:python@
x << own_list.x;
@@
note("list", x)

@statics@
type T;
identifier x;
@@
static T x;

@script:python@
x << statics.x;
@@
note("static", x)

@owns@
type T;
identifier x;
@@
T x;

@script:python@
x << owns.x;
@@
note("own", x)

@arrays@
type T;
identifier x;
@@
static T x[...];

@script:python@
x << arrays.x;
@@
note("array", x)

@initials@
identifier x;
expression e;
position p;
@@
struct klp_state x[] = {..., {..., .data = e@p, ...}, ...};

@script:python@
e << initials.e;
p << initials.p;
@@
note("initial", at(p[0]), text(e))

@calls@
identifier g;
expression list es;
position p;
@@
g@p(es)

@script:python@
g << calls.g;
es << calls.es;
p << calls.p;
@@
note("call", p[0].current_element, g, text(es), at(p[0]))
if re.match("klp_shadow_(alloc|get_or_alloc)$", g) and len(es.elements) > 4:
    note("ctor", text(es.elements[4]), "")

@sets@
expression x, e;
position p;
@@
x = e@p

@script:python@
x << sets.x;
e << sets.e;
p << sets.p;
@@
note("set", p[0].current_element, text(x), text(e), at(p[0]))

@script:python@
@@
judge()

@found depends on context || org || report@
position p : script:python() { at(p[0]) in findings };
identifier g;
expression x, e;
@@
(
* g@p(...)
|
* x = e@p
)

@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0], findings[at(p[0])] + " [klp_points_into_module]")

@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0], findings[at(p[0])] + " [klp_points_into_module]")

@initial depends on context || org || report@
position p : script:python() { at(p[0]) in findings };
identifier x;
expression e;
@@
  struct klp_state x[] = {..., {...,
* .data = e@p
  , ...}, ...};

@script:python depends on report@
p << initial.p;
@@
coccilib.report.print_report(p[0], findings[at(p[0])] + " [klp_points_into_module]")

@script:python depends on org@
p << initial.p;
@@
coccilib.org.print_todo(p[0], findings[at(p[0])] + " [klp_points_into_module]")
