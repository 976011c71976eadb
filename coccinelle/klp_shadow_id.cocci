// SPDX-License-Identifier: GPL-2.0
/// Ids of shadow variables need a name and a number that nobody else has.
/// All patches of a system share one name space of ids, and the core keeps neither
/// owner nor type: a bare 1 is what the next author takes, too, and 0 is what one
/// gets who forgets to choose. Who asks for the id of another type is given
/// the other's data.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_shadow_alloc, klp_shadow_get, id

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import re

out = {}
# Macros and enumerators with their numbers.
numbers = {}
# Places of calls whose id is wrong, and why; what the values of an id are.
wrong = {}
uses = []
# Calls whose result has a type, which tells more than the size.
known = set()

SIZES = {}
for size, names in (
        (1, "bool char 'signed char' 'unsigned char' u8 s8 __u8 uint8_t int8_t"),
        (2, "short 'unsigned short' u16 s16 __u16 uint16_t int16_t"),
        (4, "int unsigned 'unsigned int' u32 s32 __u32 uint32_t int32_t gfp_t pid_t"),
        (8, "long 'unsigned long' 'long long' 'unsigned long long' u64 s64 __u64 uint64_t int64_t size_t ssize_t loff_t ktime_t")):
    parts = names.split("'")
    SIZES.update((n, size) for n in parts[1::2])
    SIZES.update((n, size) for part in parts[::2] for n in part.split())

def place(p):
    return (p[0].file, int(p[0].line), int(p[0].column))

# The number of a constant, or None.
def number(text):
    text = text.strip("() ")
    if not re.match(r"(0[xX][0-9a-fA-F]+|\d+)[uUlL]*$", text):
        return None
    return int(text.rstrip("uUlL"), 0 if text[:2].lower() == "0x" else 10)

# What stands for the id in comparisons, None if it may vary.
def key(text):
    n = number(text)
    if n is None:
        n = numbers.get(text)
    if n is None and re.match(r"[A-Z][A-Z0-9_]*$", text):
        n = text
    return n

# What can be compared of a type: all others may be the same by a typedef or a cast.
def kind(t):
    t = " ".join(w for w in t.split() if w not in ("const", "volatile"))
    if t in SIZES:
        return "a number of %d bytes" % SIZES[t] if SIZES[t] > 1 else None
    if re.match(r"(struct|union) \w+( \*+)?$", t):
        return t
    return None

@script:python reset@
@@
numbers.clear()
wrong.clear()
del uses[:]
known.clear()

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
numbers[i] = number(e)

@first@
identifier t, i;
@@
(
enum t { i, ... };
|
enum { i, ... };
)

@script:python@
i << first.i;
@@
numbers[i] = 0

@call@
expression obj, id;
identifier fn = {klp_shadow_get, klp_shadow_alloc, klp_shadow_get_or_alloc, klp_shadow_free};
position p;
@@
(
  fn@p(obj, id, ...)
|
  klp_shadow_free_all@p(id, ...)
)

@script:python@
id << call.id;
p << call.p;
@@
if key(id) == 0:
    wrong[place(p)] = "error: id 0 of a shadow variable is anybody's; choose a number of your own"
elif number(id) is not None:
    wrong[place(p)] = "warning: id %s of a shadow variable is a bare number; give it a name, and a number of your own" % id

@typed@
type T;
T *x;
expression obj, id;
identifier fn = {klp_shadow_get, klp_shadow_alloc, klp_shadow_get_or_alloc};
position p;
@@
  x = fn@p(obj, id, ...)

@script:python@
id << typed.id;
T << typed.T;
fn << typed.fn;
p << typed.p;
@@
if T.strip() != "void":
    known.add(place(p))
    uses.append((fn == "klp_shadow_get", place(p), key(id), id, kind(T)))

@sized@
type T;
expression obj, id;
identifier fn = {klp_shadow_alloc, klp_shadow_get_or_alloc};
position p;
@@
  fn@p(obj, id, sizeof(T), ...)

@script:python@
id << sized.id;
T << sized.T;
p << sized.p;
@@
if place(p) not in known:
    uses.append((False, place(p), key(id), id, kind(T)))

@counted@
constant n;
expression obj, id;
identifier fn = {klp_shadow_alloc, klp_shadow_get_or_alloc};
position p;
@@
  fn@p(obj, id, n, ...)

@script:python@
id << counted.id;
n << counted.n;
p << counted.p;
@@
if number(n) is not None and place(p) not in known:
    uses.append((False, place(p), key(id), id, "%d bytes of it" % number(n)))

// Who allocates is right, and of several the first. A size says nothing of a type.
@script:python@
@@
values = {}
for get, where, k, text, what in sorted(uses, key=lambda u: u[:2]):
    if k is None or what is None:
        continue
    was = values.setdefault((k, what.endswith(" bytes of it")), (what, text))
    if was[0] != what and where not in wrong:
        wrong[where] = "error: shadow variables of id %s are %s here, but %s elsewhere%s; give each its own id" \
                       % (text, what, was[0], "" if was[1] == text else " (as %s)" % was[1])

@hit depends on context || org || report@
identifier fn = {
  klp_shadow_get, klp_shadow_alloc, klp_shadow_get_or_alloc, klp_shadow_free,
  klp_shadow_free_all
};
position p : script:python() { place(p) in wrong };
@@
* fn@p(...)

@script:python depends on report || org@
p << hit.p;
@@
out['emit'](p[0], "%s [klp_shadow_id]" % wrong[place(p)])
