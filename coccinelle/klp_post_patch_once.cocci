// SPDX-License-Identifier: GPL-2.0
/// A post_patch acquires something again when a disable is reversed.
///
/// A disable that is reversed ends with post_patch, as the enable did, and no
/// pre_patch comes before it. Only pre_unpatch has run in between: what
/// post_patch allocates, registers or counts up must be undone there, or
/// post_patch must find out that it has been done.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, callbacks, post_patch, pre_unpatch, klp_sdk_state

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

def note(kind, *what):
    facts.setdefault(kind, set()).add(what)

def every(kind):
    return facts.get(kind, ())

def at(p):
    return (p.file, int(p.line), int(p.column))

def text(e):
    return re.sub(r"\s+", "", str(e))

# What acquires, what undoes it, whether the two must share their words, kind.
PAIRS = [(re.compile(a), re.compile(u), same, kind) for a, u, same, kind in (
    (r"^(kmem_cache_|(klp_sdk_)?(k|v|kv))[mzc]?alloc(_|$)|^(klp_sdk_)?k(v?mem|str)n?dup|"
     r"^kv?asprintf$|"
     r"^(__)?alloc_(page|percpu)|get_free_page|^get_zeroed_page$",
     r"free|destroy|release", False, "memory"),
    (r"^shrinker_register$", r"^shrinker_free$", False, "hook"),
    (r"(^|_)register(_|$)", r"(un|de)register", True, "hook"),
    (r"^alloc_(ordered_)?workqueue$|^create_\w*workqueue$",
     r"^destroy_workqueue$", False, "memory"),
    (r"^kthread_(run|create)", r"^kthread_(stop|destroy)", False, "hook"),
    (r"(^|_)timer_setup(_|$)|^setup_timer$|^add_timer(_|$)",
     r"del_timer|timer_(delete|shutdown)", False, "hook"),
    (r"^hrtimer_(init|setup)(_|$)", r"^hrtimer_(try_to_)?cancel$", False, "hook"),
    (r"^INIT_(DELAYED_|DEFERRABLE_)?WORK$|^klp_sdk_(delayed_)?work_init$",
     r"^(cancel|disable)_(delayed_)?work", False, "hook"),
    (r"^proc_(create|mkdir|symlink)|^proc_net_create", r"^proc_remove|^remove_proc_",
     False, "hook"),
    (r"^(sysfs|device|driver|class|bus)_create_(file|group|link|bin_file)",
     r"^(sysfs|device|driver|class|bus)_remove_", False, "hook"),
    (r"^(debugfs|tracefs|securityfs)_create", r"^(debugfs|tracefs|securityfs)_remove",
     False, "hook"),
    (r"^(class|device|kmem_cache|mempool|root_device|kobject)_create",
     r"_(destroy|unregister|put)$", False, "hook"),
    (r"^cpuhp_setup_state", r"^(__)?cpuhp_remove_", False, "hook"),
    (r"^request_(threaded_)?irq$", r"^free_irq$", False, "hook"),
    (r"^(h?list|plist)_add(_|$)", r"^(h?list|plist)_(del|move|replace|splice)|^INIT_H?LIST_HEAD$",
     False, "hook"),
    (r"^(klp_sdk_lock_class_init|lockdep_register_key)$",
     r"^(klp_sdk_lock_class_destroy|lockdep_unregister_key)$", False, "hook"),
    (r"^(try|__)_?module_get$", r"^module_put$", False, "module"),
    (r"^(refcount_inc|kref_get|percpu_ref_get)", r"^(refcount_(dec|sub)|kref_put|percpu_ref_put)",
     False, "count"),
    (r"^static_(branch|key_slow)_inc", r"^static_(branch|key_slow)_dec", False, "count"),
    (r"^(kobject_get|dev_hold|sock_hold|get_(device|file|pid|net|task_struct|page|cred))$|"
     r"^(fget|filp_open|kern_path|find_get_pid|dget|igrab|mntget)$",
     r"put|^filp_close$", False, "count"),
    (r"^atomic(64|_long)?_(inc|add)(_|$)", r"^atomic(64|_long)?_(dec|sub|set)", False, "atomic"),
)]

def pair(g):
    if (g,) in every("function"):
        return None
    for a, u, same, kind in PAIRS:
        if a.search(g) and not u.search(g):
            return u, same, kind
    return None

def undoes(g, h):
    """Whether a call of h undoes a call of g."""
    u, same, kind = pair(g)
    if not u.search(h):
        return False
    words = [{w.rstrip("s") for w in re.sub("(un|de)?register", "", x).split("_")}
             for x in (g, h)]
    return not same or words[0] <= words[1] or words[1] - {"table"} <= words[0]

# Which calls of f are repeated: [(call, helper or "")], helpers two levels deep.
def repeated(f, deep=2, via=""):
    out = []
    for call in every("call"):
        if call[0] != f or guarded(f, call[3]):
            continue
        out.append((call, via))
        if deep and call[1] != f:
            out += repeated(call[1], deep - 1, call[1])
    return out

def reached(f, deep=3):
    out = {f}
    for call in every("call"):
        if call[0] == f and call[1] not in out and deep:
            out |= reached(call[1], deep - 1)
    return out

# No guard: a test whether an earlier step of the same function went wrong, and
# klp_get_prev_state(), which gives NULL when the disable of a lone patch is
# reversed, as it did when the patch was enabled.
def is_check(f, cond, line):
    if "klp_get_prev_state(" in text(cond):
        return True
    m = re.match(r"^(?:!|IS_ERR(?:_OR_NULL)?\(|unlikely\(!?)*([\w.>-]+?)\)*(?:[=!]=NULL|[!<]=?0)?$",
                 text(cond))
    for fn, x, how, pos in every("set"):
        if m and fn == f and x == m.group(1) and pos[1] < line:
            g = re.match(r"\w+", how)
            return bool(g) and (g.group(0) in ("klp_get_state", "klp_get_prev_state") or
                                pair(g.group(0)) is not None)
    return False

def guarded(f, pos):
    for fn, cond, start, end, leaves in every("if"):
        if fn != f or start[0] != pos[0] or is_check(f, cond, start[1]):
            continue
        if start[1:] <= pos[1:] < end[1:]:
            return True
        if leaves and end[1:] <= pos[1:]:
            return True
    return False

def is_kept(f, pos):
    for fn, x, how, where in every("set"):
        if where != pos or fn != f:
            continue
        if (f, x) not in every("local"):
            return True
        return any(fn == f and how == x and (f, y) not in every("local")
                   for fn, y, how, where in every("set"))
    return False

# Own counters are often mere statistics; who counts them down means them.
def counts(x, undo):
    own = "->" in x or (re.match(r"&?(\w+)", x).group(1),) in every("own")
    return not own or any(undo(c) for c in every("call")) or (x,) in every("down")

def say(pos, severity, f, via, what, todo="undo it in pre_unpatch"):
    findings[pos] = "%s: %s() runs again when a disable is reversed and %s%s; %s" % (
        severity, f, what, " in %s()" % via if via else "", todo)

def judge(f, undone):
    calls = {c[1] for c in every("call") if c[0] in undone}
    for (fn, g, args, pos), via in repeated(f):
        if not pair(g) or any(undoes(g, h) for h in calls):
            continue
        kind = pair(g)[2]
        # Undone just before, it is done but once.
        if any(c[0] == fn and undoes(g, c[1]) and c[3] < pos for c in every("call")):
            continue
        arg = args.split(",")[0 if "_inc" in g else -1]
        if kind == "memory":
            if is_kept(fn, pos):
                say(pos, "warning", f, via, "loses what %s() gave" % g, "allocate it in pre_patch")
        elif kind == "module":
            # Without a put it is meant to stay for ever.
            if any(c[1] == "module_put" and c[2] == args for c in every("call")):
                say(pos, "error", f, via, "repeats %s()" % g)
        elif kind != "atomic" or counts(arg, lambda c: undoes(g, c[1]) and
                                        arg in c[2].split(",")):
            say(pos, "error", f, via, "repeats %s()" % g)
    for fn in {c[0] for c, via in repeated(f)} | {f}:
        for name, x, pos in every("up"):
            if name != fn or (fn, x) in every("local") or guarded(fn, pos):
                continue
            if any(c[0] in undone and c[1] == x for c in every("changed")):
                continue
            if counts(x, lambda c: False):
                say(pos, "error", f, fn if fn != f else "", "adds to %s again" % x)

@script:python@
@@
facts.clear()
findings.clear()

@objects@
identifier x, f, cb = {post_patch, pre_unpatch};
position p;
@@
struct klp_object x[] = {..., {..., .callbacks@p = {..., .cb = f, ...}, ...}, ...};

@script:python@
f << objects.f;
cb << objects.cb;
p << objects.p;
@@
note("role", at(p[0]), cb, f)

@members@
identifier x, f, cb = {post_patch, pre_unpatch};
position p;
@@
struct klp_object x[] = {..., {@p..., .callbacks.cb = f, ...}, ...};

@script:python@
f << members.f;
cb << members.cb;
p << members.p;
@@
note("role", at(p[0]), cb, f)

@callbacks@
identifier x, f, cb = {post_patch, pre_unpatch};
@@
struct klp_callbacks x = {..., .cb = f, ...};

@script:python@
x << callbacks.x;
f << callbacks.f;
cb << callbacks.cb;
@@
note("role", x, cb, f)

@assigned@
identifier f, cb = {post_patch, pre_unpatch};
expression e;
@@
(
e.callbacks.cb = f
|
e->callbacks.cb = f
)

@script:python@
e << assigned.e;
f << assigned.f;
cb << assigned.cb;
@@
note("role", text(e), cb, f)

@declared@
declarer d =~ "^K(LP|PATCH)_(POST_PATCH|PRE_UNPATCH)_CALLBACK$";
identifier f;
@@
d(f);

@script:python@
d << declared.d;
f << declared.f;
@@
note("role", "", "_".join(d.lower().split("_")[1:3]), f)

@states@
identifier s, f, cb = {post_patch, pre_unpatch};
@@
struct klp_sdk_state s = {..., .cb = f, ...};

@script:python@
s << states.s;
f << states.f;
cb << states.cb;
@@
note("role", s, cb, f)

// Nothing but the functions that undo runs of a state that is retired.
@retired@
symbol true;
identifier s;
@@
struct klp_sdk_state s = {..., .retire = true, ...};

@script:python@
s << retired.s;
@@
note("retired", s)

@functions@
identifier f;
position p;
@@
f@p(...) { ... }

@script:python@
f << functions.f;
@@
note("function", f)

@owns@
type T;
identifier x;
@@
T x;

@script:python@
x << owns.x;
@@
note("own", x)

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
note("changed", p[0].current_element, text(x))

@locals@
local idexpression x;
expression e;
position p;
@@
(
x@p = e
|
x@p++
|
  ++x@p
|
x@p += e
)

@script:python@
x << locals.x;
p << locals.p;
@@
note("local", p[0].current_element, x)

@ups@
expression x, e;
position p;
@@
(
x@p++
|
  ++x@p
|
x@p += e
|
x@p = x + e
)

@script:python@
x << ups.x;
p << ups.p;
@@
note("up", p[0].current_element, text(x), at(p[0]))

@downs@
expression x, e;
position p;
@@
(
x@p--
|
  --x@p
|
x@p -= e
|
x@p = x - e
)

@script:python@
x << downs.x;
p << downs.p;
@@
note("down", text(x))
note("changed", p[0].current_element, text(x))

@leaves@
identifier l;
position p;
@@
(
return@p ...;
|
goto@p l;
)

@script:python@
p << leaves.p;
@@
note("leave", at(p[0]))

@ifs@
expression c;
statement S, S2;
position p, q;
@@
(
if (c) S@p else S2@q
|
if (c) S@p
)

@script:python@
c << ifs.c;
p << ifs.p = [];
q << ifs.q = [];
@@
for pos in list(p) + list(q):
    start = at(pos)
    end = (pos.file, int(pos.line_end), int(pos.column_end))
    note("if", pos.current_element, c, start, end,
         any(start <= l[0] < end for l in every("leave")))

@script:python@
@@
roles = every("role")
for owner, cb, f in list(roles):
    if cb == "post_patch" and (owner,) not in every("retired"):
        undone = set()
        for other, kind, h in roles:
            if other == owner and kind == "pre_unpatch":
                undone |= reached(h)
        judge(f, undone)

@found depends on context || org || report@
position p : script:python() { at(p[0]) in findings };
identifier g;
expression x, e;
@@
(
* g@p(...)
|
* x@p++
|
* ++x@p
|
* x@p += e
|
* x@p = x + e
)

@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0], findings[at(p[0])] + " [klp_post_patch_once]")

@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0], findings[at(p[0])] + " [klp_post_patch_once]")
