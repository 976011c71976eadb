// SPDX-License-Identifier: GPL-2.0
/// Shadow variables must be freed with their parents, and when the patch goes.
/// A variable that stays is found again by whichever object gets its parent's
/// address: after the patch was disabled and loaded once more, patched functions
/// read data of an object that is long gone. So each id needs klp_shadow_free()
/// where parents are freed, and klp_shadow_free_all() for what is left.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_shadow_alloc, klp_shadow_free, klp_shadow_free_all

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import re

out = {}
macros = {}
# Where an id is allocated, and what functions free it.
allocs = []
frees = []
# Functions by their part in the patch, and who calls whom.
early = set()
late = set()
callers = {}
wrong = {}

def place(p):
    return (p[0].file, int(p[0].line), int(p[0].column))

# What stands for an id that is a constant, else None.
def key(text):
    text = text.strip("() ")
    for _ in range(4):
        text = macros.get(text, text)
    if re.match(r"(0[xX][0-9a-fA-F]+|\d+)[uUlL]*$", text):
        return text.rstrip("uUlL").lower()
    return text if re.match(r"[A-Z][A-Z0-9_]*$", text) else None

# Can a function run when the patch goes? Of those that nobody calls only some are known
# to run earlier.
def at_end(f, seen):
    if f in late:
        return True
    if f in seen:
        return False
    seen.add(f)
    if f in callers:
        return any(at_end(c, seen) for c in callers[f])
    return f not in early

@script:python reset@
@@
for x in (macros, early, late, callers, wrong):
    x.clear()
del allocs[:], frees[:]

@script:python depends on report@
@@
out['emit'] = coccilib.report.print_report

@script:python depends on org@
@@
out['emit'] = coccilib.org.print_todo

@macro@
identifier i;
expression e;
@@
#define i e

@script:python@
i << macro.i;
e << macro.e;
@@
macros[i] = e.strip("() ")

@alloc@
expression obj, id;
identifier fn = {klp_shadow_alloc, klp_shadow_get_or_alloc};
position p;
@@
  fn@p(obj, id, ...)

@script:python@
id << alloc.id;
p << alloc.p;
@@
allocs.append((place(p), key(id), id))

@freed depends on alloc@
expression obj, id;
position p;
@@
(
  klp_shadow_free@p(obj, id, ...)
|
  klp_shadow_free_all@p(id, ...)
)

@script:python@
id << freed.id;
p << freed.p;
@@
frees.append((key(id), p[0].current_element))

@calls depends on freed@
identifier f;
position p;
@@
  f@p(...)

@script:python@
f << calls.f;
p << calls.p;
@@
callers.setdefault(f, set()).add(p[0].current_element)

// Before the patch goes: its functions, and what runs earlier.
@func depends on freed@
identifier x, f;
@@
  struct klp_func x[] = {..., {..., .new_func = f, ...}, ...};

@script:python@
f << func.f;
@@
early.add(f)

@callback depends on freed@
identifier x, f;
identifier cb = {pre_patch, post_patch, pre_unpatch};
expression e;
@@
(
  struct klp_object x[] = {..., {..., .callbacks = {..., .cb = f, ...}, ...}, ...};
|
  struct klp_callbacks x = {..., .cb = f, ...};
|
  struct klp_sdk_state x = {..., .cb = f, ...};
|
  e.callbacks.cb = f;
)

@script:python@
f << callback.f;
@@
early.add(f)

@init depends on freed@
declarer name module_init;
declarer name KPATCH_PRE_PATCH_CALLBACK, KPATCH_POST_PATCH_CALLBACK, KPATCH_PRE_UNPATCH_CALLBACK;
declarer name KLP_PRE_PATCH_CALLBACK, KLP_POST_PATCH_CALLBACK, KLP_PRE_UNPATCH_CALLBACK;
identifier f;
@@
(
  module_init(f);
|
  KPATCH_PRE_PATCH_CALLBACK(f);
|
  KPATCH_POST_PATCH_CALLBACK(f);
|
  KPATCH_PRE_UNPATCH_CALLBACK(f);
|
  KLP_PRE_PATCH_CALLBACK(f);
|
  KLP_POST_PATCH_CALLBACK(f);
|
  KLP_PRE_UNPATCH_CALLBACK(f);
)

@script:python@
f << init.f;
@@
early.add(f)

// When it has gone.
@unpatch depends on freed@
identifier x, f;
expression e;
@@
(
  struct klp_object x[] = {..., {..., .callbacks = {..., .post_unpatch = f, ...}, ...}, ...};
|
  struct klp_callbacks x = {..., .post_unpatch = f, ...};
|
  struct klp_sdk_state x = {..., .post_unpatch = f, ...};
|
  e.callbacks.post_unpatch = f;
)

@script:python@
f << unpatch.f;
@@
late.add(f)

@exit depends on freed@
declarer name module_exit;
declarer name KPATCH_POST_UNPATCH_CALLBACK, KLP_POST_UNPATCH_CALLBACK;
identifier f;
@@
(
  module_exit(f);
|
  KPATCH_POST_UNPATCH_CALLBACK(f);
|
  KLP_POST_UNPATCH_CALLBACK(f);
)

@script:python@
f << exit.f;
@@
late.add(f)

// Where an id is a variable, it may be any.
@script:python@
@@
done = set()
anything = any(k is None for k, _ in frees)
for where, k, text in sorted(allocs, key=lambda a: a[0]):
    if anything or k is None or k in done:
        continue
    done.add(k)
    mine = [f for other, f in frees if other == k]
    if not mine:
        wrong[where] = "warning: shadow variables of id %s are never freed; klp_shadow_free() them with their parents, and klp_shadow_free_all() in post_unpatch" % text
    elif not any(at_end(f, set()) for f in mine):
        wrong[where] = "warning: shadow variables of id %s stay when the patch goes; call klp_shadow_free_all() in post_unpatch" % text

@hit depends on context || org || report@
identifier fn = {klp_shadow_alloc, klp_shadow_get_or_alloc};
position p : script:python() { place(p) in wrong };
@@
* fn@p(...)

@script:python depends on report || org@
p << hit.p;
@@
out['emit'](p[0], "%s [klp_shadow_leak]" % wrong[place(p)])
