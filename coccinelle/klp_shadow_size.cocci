// SPDX-License-Identifier: GPL-2.0
/// The size of a shadow variable must be that of what its pointer points to.
/// The core takes any size and gives void *, so the compiler has nothing to
/// compare. sizeof(p) of the pointer itself, or of another structure, makes a
/// variable that patched functions write beyond. The kernel does not store the
/// size, so a later patch cannot see it either.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_shadow_alloc, klp_shadow_get_or_alloc, sizeof

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
out = {}
# Places of calls with a wrong size, and what is wrong.
wrong = {}
# (structure, type of a member): a larger structure may begin with the smaller one.
members = set()
# What a constructor takes the value for; None if it is not one type.
taken = {}

SIZES = {}
for size, names in (
        (1, "bool char 'signed char' 'unsigned char' u8 s8 __u8 uint8_t int8_t"),
        (2, "short 'unsigned short' u16 s16 __u16 __be16 __le16 uint16_t int16_t"),
        (4, "int unsigned 'unsigned int' u32 s32 __u32 __be32 __le32 uint32_t int32_t gfp_t pid_t atomic_t refcount_t"),
        (8, "long 'unsigned long' 'long long' 'unsigned long long' u64 s64 __u64 __be64 __le64 uint64_t int64_t size_t ssize_t loff_t ktime_t atomic64_t atomic_long_t")):
    parts = names.split("'")
    SIZES.update((n, size) for n in parts[1::2])
    SIZES.update((n, size) for part in parts[::2] for n in part.split())

def place(p):
    return (p[0].file, p[0].line, p[0].column)

def plain(t):
    return " ".join(w for w in t.split() if w not in ("const", "volatile"))

# What is the matter with a variable of a type that gets the size of another one?
def differ(want, got):
    want = plain(want)
    got = plain(got)
    if want == got or want == "void" or (got, want) in members:
        return None
    if got.endswith("*"):
        if want.endswith("*") or SIZES.get(want) == 8:
            return None
        return "that of a pointer"
    have = SIZES.get(got)
    need = 8 if want.endswith("*") else SIZES.get(want)
    record = got.split()[0] in ("struct", "union")
    if need and have:
        return "that of %s" % got if have < need else None
    if want.split()[0] in ("struct", "union") and (have or record):
        return "that of %s" % got
    return None

@script:python reset@
@@
wrong.clear()
members.clear()
taken.clear()

@script:python depends on report@
@@
out['emit'] = coccilib.report.print_report

@script:python depends on org@
@@
out['emit'] = coccilib.org.print_todo

@member@
identifier s, m;
type T;
@@
(
struct s { ... T m; ... };
|
union s { ... T m; ... };
)

@script:python@
s << member.s;
T << member.T;
@@
members.add(("struct " + s, plain(T)))
members.add(("union " + s, plain(T)))

// sizeof() of a type, or of an expression with a known type.
@sized@
type T, U;
T *x;
expression obj, id;
identifier fn = {klp_shadow_alloc, klp_shadow_get_or_alloc};
position p;
@@
  x = fn@p(obj, id, sizeof(U), ...)

@script:python@
x << sized.x;
T << sized.T;
U << sized.U;
p << sized.p;
@@
why = differ(T, U)
if why:
    wrong[place(p)] = "warning: the size is %s, but %s points to %s" % (why, x.replace(" ", ""), plain(T))

// A typedef of a header that is not read looks like an expression.
@named@
type T;
T *x;
identifier y;
expression obj, id;
identifier fn = {klp_shadow_alloc, klp_shadow_get_or_alloc};
position p;
@@
  x = fn@p(obj, id, sizeof(y), ...)

@script:python@
x << named.x;
T << named.T;
y << named.y;
p << named.p;
@@
why = differ(T, y) if y in SIZES else None
if why:
    wrong[place(p)] = "warning: the size is %s, but %s points to %s" % (why, x.replace(" ", ""), plain(T))

// Whatever the types, the pointer itself is not it, unless that is one to pointers.
@itself@
type T;
T **x;
expression obj, id, size;
identifier fn = {klp_shadow_alloc, klp_shadow_get_or_alloc};
position p;
@@
  x = fn@p(obj, id, size, ...)

@pointer@
expression x, obj, id, n;
identifier fn = {klp_shadow_alloc, klp_shadow_get_or_alloc};
position p != itself.p;
@@
  x = fn@p(obj, id, \(sizeof(x)\|sizeof(x) * n\), ...)

@script:python@
x << pointer.x;
p << pointer.p;
@@
x = x.replace(" ", "")
wrong[place(p)] = "error: sizeof(%s) is the size of a pointer; use sizeof(*%s)" % (x, x)

@constructor exists@
identifier f, obj, data, arg;
type T1, T2, T3, T;
T *x;
@@
  f(T1 obj, T2 data, T3 arg)
  {
    ... when any
    x = data
    ... when any
  }

@script:python@
f << constructor.f;
T << constructor.T;
@@
taken[f] = T if taken.get(f, T) == T else "void"

@constructed@
identifier f;
type U;
expression obj, id;
identifier fn = {klp_shadow_alloc, klp_shadow_get_or_alloc};
position p;
@@
  fn@p(obj, id, sizeof(U), ..., f, ...)

@script:python@
f << constructed.f;
U << constructed.U;
p << constructed.p;
@@
why = differ(taken.get(f, "void"), U)
if why and place(p) not in wrong:
    wrong[place(p)] = "warning: the size is %s, but %s() fills in %s" % (why, f, plain(taken[f]))

@hit depends on context || org || report@
identifier fn = {klp_shadow_alloc, klp_shadow_get_or_alloc};
position p : script:python() { place(p) in wrong };
@@
* fn@p(...)

@script:python depends on report || org@
p << hit.p;
@@
out['emit'](p[0], "%s [klp_shadow_size]" % wrong[place(p)])

@repair depends on patch@
expression x, obj, id;
position pointer.p;
identifier fn;
@@
  x = fn@p(obj, id,
- sizeof(x)
+ sizeof(*x)
  , ...)
