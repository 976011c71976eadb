// SPDX-License-Identifier: GPL-2.0
/// A pre_patch acquires what post_unpatch or its own failure does not release.
///
/// What pre_patch acquires is undone by post_unpatch: by it alone if the enable is
/// reversed, for then pre_unpatch does not run. And a pre_patch that fails cleans
/// up itself: the core calls post_unpatch for the objects whose pre_patch
/// succeeded, not for the one whose pre_patch failed.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, callbacks, pre_patch, post_unpatch, leak, klp_sdk_state

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
    (r"^_*(kmem_cache_|(klp_sdk_)?(k|v|kv))(m|z|c|re)?alloc(_|$)|"
     r"^_*(klp_sdk_)?k(v?mem|str)n?dup|^v?memdup_user|"
     r"^strn?dup_user|^kv?asprintf|^_*(alloc_(page|percpu|contig|bulk)|folio_alloc)|"
     r"get_(free|dma)_pages?$|^get_zeroed_page|^bitmap_z?alloc|^dma_(alloc|pool_z?alloc)|"
     r"^(gen_pool|mempool)_(dma_)?z?alloc|^(ioremap|memremap)(_|$)|^vmap(_|$)|^of_iomap$|"
     r"^(__)?(alloc|build|dev_alloc|netdev_alloc|napi_alloc)_skb|^skb_(clone|copy)$|"
     r"^alloc_(netdev|etherdev|candev|disk|vm_area)|^blk_alloc_disk$|"
     r"^crypto_alloc_|^(aead|skcipher|ahash|akcipher)_request_alloc$|^sock_create|"
     r"^perf_event_create_kernel_counter$",
     r"(?<!get_)free|destroy|release|unmap|consume_skb|(^|_)put(_|$)", False, "memory"),
    (r"^z?alloc_cpumask_var", r"^free_cpumask_var$", False, "count"),
    (r"^(idr|ida)_(simple_)?(alloc|get)", r"^(idr|ida)_(simple_)?(remove|free|destroy)", False,
     "count"),
    (r"^(xa|xas)_(store|insert|alloc)(_|$)", r"^(xa|xas)_(erase|store|destroy)", False, "count"),
    (r"^rh(ash|l)table_init$", r"^rh(ash|l)table_(free_and_)?destroy$", False, "count"),
    (r"^percpu_(counter|ref)_init|^mempool_init|^percpu_init_rwsem$",
     r"_(destroy|exit)(_|$)|^percpu_free_rwsem$", False, "count"),
    (r"^init_srcu_struct$", r"^cleanup_srcu_struct", False, "count"),
    (r"^alloc_chrdev_region$", r"^unregister_chrdev_region$", False, "hook"),
    (r"^cdev_(device_)?add$", r"^cdev_(device_)?del$", False, "hook"),
    (r"^kobject_(init_and_)?add$", r"^kobject_(put|del)$", False, "hook"),
    (r"^KMEM_CACHE(_USERCOPY)?$", r"^kmem_cache_destroy$", False, "hook"),
    (r"^request_firmware", r"^release_firmware$", False, "memory"),
    (r"^shrinker_register$", r"^shrinker_free$", False, "hook"),
    (r"(^|_)register(_|$)", r"(un|de)register", True, "hook"),
    (r"^alloc_(ordered_)?workqueue$|^create_\w*workqueue$",
     r"^destroy_workqueue$", False, "memory"),
    (r"^kthread_(run|create)", r"^kthread_(stop|destroy)", False, "hook"),
    (r"^(add|mod)_timer(_|$)|^timer_reduce$", r"del_timer|timer_(delete|shutdown)", False, "hook"),
    (r"^hrtimer_start(_|$)", r"^hrtimer_(try_to_)?cancel$", False, "hook"),
    (r"^(queue|schedule|mod)_delayed_work(_|$)", r"^(cancel|disable)_delayed_work", False,
     "hook"),
    (r"^tasklet_(hi_)?schedule$", r"^tasklet_(kill|disable)", False, "hook"),
    (r"^irq_work_queue(_|$)", r"^irq_work_sync$", False, "hook"),
    (r"^(queue|schedule)_work(_|$)", r"^(cancel|flush|disable)_(delayed_)?work|"
     r"^flush_scheduled_work$|^flush_\w*(wq|workqueue)$|^(drain|destroy)_workqueue$", False,
     "hook"),
    (r"^proc_(create|mkdir|symlink)|^proc_net_create", r"^proc_remove|^remove_proc_",
     False, "hook"),
    (r"^(sysfs|device|driver|class|bus)_create_(file|group|link|bin_file)",
     r"^(sysfs|device|driver|class|bus)_remove_", False, "hook"),
    (r"^(debugfs|tracefs|securityfs)_create", r"^(debugfs|tracefs|securityfs)_remove",
     False, "hook"),
    (r"^(class|device|kmem_cache|mempool|root_device|kobject|kset)_create",
     r"_(destroy|unregister|put)$", False, "hook"),
    (r"^cpuhp_setup_state", r"^(__)?cpuhp_remove_", False, "hook"),
    (r"^request_(threaded_)?irq$", r"^free_irq$", False, "hook"),
    (r"^(h?list|plist)_add(_|$)", r"^(h?list|plist)_(del|move|replace|splice)|^INIT_H?LIST_HEAD$",
     False, "hook"),
    (r"^(klp_sdk_lock_class_init|lockdep_register_key)$",
     r"^(klp_sdk_lock_class_destroy|lockdep_unregister_key)$", False, "hook"),
    (r"^(try|__)_?module_get$", r"^module_put$", False, "count"),
    (r"^(refcount_inc|kref_get|percpu_ref_get)", r"^(refcount_(dec|sub)|kref_put|percpu_ref_put)",
     False, "count"),
    (r"^static_(branch|key_slow)_inc", r"^static_(branch|key_slow)_dec", False, "count"),
    (r"^(kobject_get|dev_hold|sock_hold|get_(device|file|pid|net|task_struct|page|cred))$|"
     r"^(fget|filp_open|kern_path|find_get_pid|dget|igrab|mntget)$",
     r"put|^filp_close$", False, "count"),
)]

# What may undo anything, by its name.
UNDO = re.compile(r"(?<!get_)free|(^|_)put|(un|de)register|destroy|remove|(^|_)(del|dec)(_|$)|delete|"
                  r"cancel|stop|release|undo|clean|exit|drop|unwind|rollback|revert|"
                  r"teardown|shutdown|close|abort|^call_s?rcu")

def is_local(g):
    return (g,) in every("function")

def pair(g):
    for a, u, same, kind in PAIRS:
        if a.search(g) and not u.search(g) and not is_local(g):
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

# What gets the function that releases an object.
RELEASE = re.compile(r"^kref_put|^call_s?rcu|^call_rcu_")

def reached(f, deep=3):
    out = {f}
    for call in every("call"):
        if call[0] == f and deep:
            inner = [call[1]]
            if RELEASE.search(call[1]):
                inner += filter(is_local, call[2].split(","))
            for g in inner:
                if g not in out:
                    out |= reached(g, deep - 1)
    return out

# What hands its argument on, as an address of the same thing or of a part of it
HANDS = re.compile(r"(?:^|\W)(page_address|virt_to_\w+|folio_\w+|ERR_CAST|PTR_ERR_OR_ZERO|"
                   r"READ_ONCE|(?:un)?likely|rcu_\w+|no_free_ptr|lowmem_page_address)$")

def is_value(e, g):
    """Whether e is what g returned: behind casts and parentheses, in a branch of a
    condition, but not what another function makes of it."""
    for m in re.finditer(r"(?<!\w)%s\(" % re.escape(g), e):
        open_at = []
        for i, c in enumerate(e[:m.start()]):
            if c == "(":
                open_at.append(i)
            elif c == ")" and open_at:
                open_at.pop()
        if all(not re.search(r"\w$", e[:i]) or HANDS.search(e[:i]) for i in open_at):
            return True
    return False

def bare(e):
    """e without casts and parentheses, or the place of what it is the address of"""
    e = re.sub(r"^(\((__\w+|const)*(struct|union|void|char|unsigned)[\w*]*\))+", "", e)
    m = re.match(r"\((\w+)\)$", e) or re.match(HANDS.pattern[:-1] + r"\((\w+)\)$", e)
    return m.group(m.lastindex) if m else e

# Also by way of local variables.
def lasts(f, x, deep=3):
    return (f, x) not in every("local") or deep > 0 and any(
        fn == f and bare(how) == x and lasts(f, y, deep - 1)
        for fn, y, how, where, end in every("set"))

def is_kept(f, g, pos):
    for fn, x, how, where, end in every("set"):
        if fn == f and where <= pos < end and is_value(how, g):
            return lasts(f, x)
    return False

# On the way to success: in no branch that does not start before, and not behind a
# return, where errors end.
def is_passed(f, begin, pos):
    ifs = [(start, end) for fn, c, start, end in every("if") if fn == f]
    return not any(start <= pos < end and not start <= begin < end for start, end in ifs) and (
        not any(fn == f and begin < ret < pos and
                not any(start <= ret < end for start, end in ifs)
                for fn, ret, value in every("return")))

# A module that stays for ever has nothing to put.
def is_pin(g, args):
    return g.endswith("module_get") and args == "THIS_MODULE" and not any(
        c[1] == "module_put" and c[2] == args for c in every("call"))

def held(f):
    """What f and its helpers acquire and keep."""
    for fn in reached(f):
        for call in every("call"):
            g, pos = call[1], call[3]
            if call[0] != fn or not pair(g) or is_pin(g, call[2]):
                continue
            kind = pair(g)[2]
            if kind == "memory" and not is_kept(fn, g, pos):
                continue
            if any(c[0] == fn and undoes(g, c[1]) and pos < c[3] and
                   is_passed(fn, pos, c[3]) for c in every("call")):
                continue
            yield fn, g, pos, kind

SEVERITY = {"memory": "warning", "count": "warning", "hook": "error"}

def judge(f, undone):
    calls = {c[1] for c in every("call") if c[0] in undone}
    for fn, g, pos, kind in held(f):
        if not any(undoes(g, h) for h in calls):
            findings[pos] = "%s: %s() %s %s(), and no post_unpatch undoes it; undo it there" % (
                SEVERITY[kind], fn, "keeps what it gets from" if kind == "memory" else "calls", g)

def acquires(g):
    """The kind of what a call of g acquires for its caller."""
    if not is_local(g):
        return pair(g)[2] if pair(g) else None
    kinds = {kind for fn, h, pos, kind in held(g)}
    return min(kinds) if kinds else None

def may_undo(h):
    return any(UNDO.search(c[1]) for c in every("call") if c[0] in reached(h)) or bool(
        UNDO.search(h))

# Whether "return value" in f means that f failed.
def is_failure(f, pos, value):
    if re.match(r"-E[A-Z]|PTR_ERR\(|ERR_PTR\(", value):
        return True
    return bool(re.match(r"\w+$", value)) and any(
        fn == f and start <= pos < end and re.search(r"\b%s\b" % value, c) and
        not text(c).startswith("!") for fn, c, start, end in every("if"))

# The branch that a failed acquisition takes leaves the function, and as a failure.
def is_own_check(f, start, end):
    inside = [value for fn, ret, value in every("return") if fn == f and start <= ret < end]
    return "0" not in inside and (bool(inside) or any(
        start <= pos < end for pos, in every("goto")))

# What helpers leave behind their callers may clean up.
def is_left(f):
    callers = {c[0] for c in every("call") if c[1] == f}
    return not any(UNDO.search(c[1]) for c in every("call") if c[0] in callers)

@script:python@
@@
facts.clear()
findings.clear()

@objects@
identifier x, f, cb = {pre_patch, post_unpatch};
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
identifier x, f, cb = {pre_patch, post_unpatch};
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
identifier x, f, cb = {pre_patch, post_unpatch};
@@
struct klp_callbacks x = {..., .cb = f, ...};

@script:python@
x << callbacks.x;
f << callbacks.f;
cb << callbacks.cb;
@@
note("role", x, cb, f)

@assigned@
identifier f, cb = {pre_patch, post_unpatch};
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
declarer d =~ "^K(LP|PATCH)_(PRE_PATCH|POST_UNPATCH)_CALLBACK$";
identifier f;
@@
d(f);

@script:python@
d << declared.d;
f << declared.f;
@@
note("role", "", "_".join(d.lower().split("_")[1:3]), f)

@states@
identifier s, f, cb = {pre_patch, post_unpatch};
@@
struct klp_sdk_state s = {..., .cb = f, ...};

@script:python@
s << states.s;
f << states.f;
cb << states.cb;
@@
note("role", s, cb, f)

@functions@
identifier f;
position p;
@@
f@p(...) { ... }

@script:python@
f << functions.f;
@@
note("function", f)

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
(
x = e@p
|
\(WRITE_ONCE\|rcu_assign_pointer\|RCU_INIT_POINTER\|smp_store_release\)(x, e@p)
)

@script:python@
x << sets.x;
e << sets.e;
p << sets.p;
@@
note("set", p[0].current_element, text(x), text(e), at(p[0]),
     (p[0].file, int(p[0].line_end), int(p[0].column_end)))

@locals@
local idexpression x;
expression e;
position p;
@@
x@p = e

@script:python@
x << locals.x;
p << locals.p;
@@
note("local", p[0].current_element, x)

@returns@
expression e;
position p;
@@
return@p e;

@script:python@
e << returns.e;
p << returns.p;
@@
note("return", p[0].current_element, at(p[0]), text(e))

@gotos@
identifier l;
position p;
@@
goto@p l;

@script:python@
p << gotos.p;
@@
note("goto", at(p[0]))

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
    note("if", pos.current_element, c, at(pos), (pos.file, int(pos.line_end), int(pos.column_end)))

// What the module's exit undoes is undone, if late.
@exits@
declarer name module_exit;
identifier f;
@@
module_exit(f);

@script:python@
f << exits.f;
@@
note("exit", f)

@script:python@
@@
roles = every("role")
for owner, cb, f in list(roles):
    if cb == "pre_patch":
        undone = set()
        for other, kind, h in roles:
            if other == owner and kind == "post_unpatch":
                undone |= reached(h)
        for h, in every("exit"):
            undone |= reached(h)
        judge(f, undone)
        for fn in reached(f):
            note("preparing", fn)

// From a call that succeeded to a failure, without anything that may undo it.
@failing exists@
expression x, e;
type T, T2;
identifier i;
identifier g : script:python() { acquires(g) is not None };
identifier u : script:python() { may_undo(u) };
position p : script:python() { (p[0].current_element,) in every("preparing") };
position s, r;
statement S;
@@
(
x = g@p(...);
if (<+... x ...+>) S@s
|
T i = g@p(...);
if (<+... i ...+>) S@s
|
x = (T)g@p(...);
if (<+... x ...+>) S@s
|
T i = (T2)g@p(...);
if (<+... i ...+>) S@s
|
if (<+... g@p(...) ...+>) S@s
|
g@p(...);
)
... when any
    when != u(...)
return@r e;

@script:python@
g << failing.g;
e << failing.e;
p << failing.p;
r << failing.r;
s << failing.s = [];
@@
f = p[0].current_element
if is_failure(f, at(r[0]), text(e)) and all(
        is_own_check(f, at(pos), (pos.file, int(pos.line_end), int(pos.column_end)))
        for pos in s):
    note("fail", at(r[0]), at(p[0]), f, g)

@script:python@
@@
for ret, pos, f, g in sorted(every("fail"), reverse=True):
    if is_left(f):
        findings[ret] = "%s: %s() fails here and leaves what %s() did; no post_unpatch " \
            "follows; undo it before" % (SEVERITY[acquires(g)], f, g)

@leaked depends on context || org || report@
position p : script:python() { at(p[0]) in findings };
identifier g;
@@
* g@p(...)

@script:python depends on report@
p << leaked.p;
@@
coccilib.report.print_report(p[0], findings[at(p[0])] + " [klp_pre_patch_leak]")

@script:python depends on org@
p << leaked.p;
@@
coccilib.org.print_todo(p[0], findings[at(p[0])] + " [klp_pre_patch_leak]")

@failed depends on context || org || report@
position p : script:python() { at(p[0]) in findings };
expression e;
@@
* return@p e;

@script:python depends on report@
p << failed.p;
@@
coccilib.report.print_report(p[0], findings[at(p[0])] + " [klp_pre_patch_leak]")

@script:python depends on org@
p << failed.p;
@@
coccilib.org.print_todo(p[0], findings[at(p[0])] + " [klp_pre_patch_leak]")
