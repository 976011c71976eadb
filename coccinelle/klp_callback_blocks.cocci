// SPDX-License-Identifier: GPL-2.0
/// A livepatch callback deadlocks, or stalls every load of a module.
///
/// All callbacks run under klp_mutex, and so does a part of each load and unload of
/// a module. Who waits for a module in a callback waits for ever. Who waits long
/// for something else stops all loads, and all other livepatches, meanwhile.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, callbacks, klp_mutex, request_module, deadlock, klp_sdk_state

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

def end(p):
    return (p.file, int(p.line_end), int(p.column_end))

def text(e):
    return re.sub(r"\s+", "", str(e))

# The call, with which arguments, and what is wrong with it.
CALLS = [(re.compile(c), re.compile(a), what) for c, a, what in (
    (r"^(__)?request_module$|^try_then_request_module$|^symbol_request$", r"",
     "error: %s() in %s() waits for a load that waits for klp_mutex; load the module before"),
    (r"^klp_enable_patch$", r"",
     "error: %s() in %s() takes klp_mutex, which is held; call it from the module's init"),
    (r"^flush_scheduled_work$", r"",
     "error: %s() in %s() waits for the core's work that waits for klp_mutex; use flush_work()"),
    (r"^(__)?(flush|drain)_workqueue$", r"^system_wq$",
     "error: %s() in %s() waits for the core's work that waits for klp_mutex; use flush_work()"),
    (r"^call_usermodehelper(_exec)?$", r"UMH_WAIT_PROC",
     "warning: %s() in %s() waits for a process that can load no module; use UMH_WAIT_EXEC"),
    (r"^crypto_(alloc|has)_\w+$|^(__)?sock_create(_kern|_lite)?$|^get_fs_type$|^dev_load$", r"",
     "warning: %s() in %s() deadlocks on klp_mutex if it has to load a module; do it before"),
    (r"^(__)?wait_(event|var_event|on_bit)(?!.*timeout)|^wait_for_completion(?!.*timeout)", r"",
     "warning: %s() in %s() stops all loads of modules without limit; use one with a timeout"),
)]

# Of one second or more each: all loads of modules wait as long.
SLEEPS = ((re.compile(r"^(msleep(_interruptible)?|mdelay)$"), 1000),
          (re.compile(r"^ssleep$"), 1),
          (re.compile(r"^(usleep_range|fsleep)$"), 1000000),
          (re.compile(r"^schedule_timeout(_\w+)?$"), 1000))

POLLS = re.compile(r"^([mus]sleep\w*|fsleep|[mu]delay|cpu_relax|schedule_timeout\w*)$")

UNITS = (("msecs_to_jiffies", ""), ("MSEC_PER_SEC", "1000"), ("USEC_PER_SEC", "1000000"),
         ("HZ", "1000"))

def value(args):
    e = args.split(",")[0]
    for name, number in UNITS:
        e = e.replace(name, number)
    return eval(e, {}) if re.match(r"^([*+()]|[1-9]\d*)+$", e) else 0

def reached(f, deep=2):
    out = {f}
    for call in every("call"):
        if call[0] == f and call[1] not in out and deep:
            out |= reached(call[1], deep - 1)
    return out

# A loop that nothing ends but what it waits for.
def is_endless(cond, start, stop):
    if any(start <= pos < stop for pos, in every("leave")):
        return False
    if cond in ("", "1", "true"):
        return True
    if re.search(r"[<>]|\+\+|--|time_|jiffies|ktime|signal|should_stop", cond):
        return False
    return all(POLLS.match(call[1]) for call in every("call") if start <= call[3] < stop) and (
        not any(start <= pos < stop for pos, in every("step")))

def judge(f):
    for fn, g, args, pos in every("call"):
        if fn not in reached(f) or (g,) in every("function"):
            continue
        where = f if fn == f else fn + "() of " + f
        for call, arg, what in CALLS:
            if call.search(g) and any(arg.search(a) for a in args.split(",")):
                findings[pos] = what % (g, where)
        for call, limit in SLEEPS:
            if call.match(g) and value(args) >= limit:
                findings[pos] = "warning: %s() in %s() stops all loads of modules for %d s; " \
                    "wait elsewhere" % (g, where, int(value(args) / limit))
        if POLLS.match(g) and any(start <= pos < stop and is_endless(cond, start, stop)
                                  for cond, start, stop in every("loop")):
            findings[pos] = "warning: %s() in %s() stops all loads of modules in a loop without " \
                "limit; give up after some time" % (g, where)

@script:python@
@@
facts.clear()
findings.clear()

@objects@
identifier x, f, cb = {pre_patch, post_patch, pre_unpatch, post_unpatch};
@@
struct klp_object x[] = {..., {..., .callbacks = {..., .cb = f, ...}, ...}, ...};

@script:python@
f << objects.f;
@@
note("callback", f)

@members@
identifier x, f, cb = {pre_patch, post_patch, pre_unpatch, post_unpatch};
@@
struct klp_object x[] = {..., {..., .callbacks.cb = f, ...}, ...};

@script:python@
f << members.f;
@@
note("callback", f)

@callbacks@
identifier x, f, cb = {pre_patch, post_patch, pre_unpatch, post_unpatch};
@@
struct klp_callbacks x = {..., .cb = f, ...};

@script:python@
f << callbacks.f;
@@
note("callback", f)

@assigned@
identifier f, cb = {pre_patch, post_patch, pre_unpatch, post_unpatch};
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
declarer d =~ "^K(LP|PATCH)_(PRE|POST)_(UN)?PATCH_CALLBACK$";
identifier f;
@@
d(f);

@script:python@
f << declared.f;
@@
note("callback", f)

@states@
identifier s, f, cb = {pre_patch, post_patch, pre_unpatch, post_unpatch, adopt};
@@
struct klp_sdk_state s = {..., .cb = f, ...};

@script:python@
f << states.f;
@@
note("callback", f)

@functions@
identifier f;
@@
f(...) { ... }

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

@whiles exists@
expression c, e;
position p, q;
@@
(
while (c) e@p;
|
while (c) {@p ... }@q
)

@script:python@
c << whiles.c;
p << whiles.p;
q << whiles.q = [];
@@
note("loop", text(c), at(p[0]), at(q[0]) if q else end(p[0]))

@fors exists@
expression e;
position p, q;
@@
(
for (;;) e@p;
|
for (;;) {@p ... }@q
)

@script:python@
p << fors.p;
q << fors.q = [];
@@
note("loop", "", at(p[0]), at(q[0]) if q else end(p[0]))

@leaves@
identifier l;
position p;
@@
(
return@p ...;
|
goto@p l;
|
break@p;
)

@script:python@
p << leaves.p;
@@
note("leave", at(p[0]))

@steps@
expression x, e;
position p;
@@
(
x@p++
|
x@p--
|
  ++x@p
|
  --x@p
|
x@p = e
|
x@p += e
|
x@p -= e
)

@script:python@
p << steps.p;
@@
note("step", at(p[0]))

@script:python@
@@
for f, in sorted(every("callback")):
    judge(f)

@found depends on context || org || report@
position p : script:python() { at(p[0]) in findings };
identifier g;
@@
* g@p(...)

@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0], findings[at(p[0])] + " [klp_callback_blocks]")

@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0], findings[at(p[0])] + " [klp_callback_blocks]")
