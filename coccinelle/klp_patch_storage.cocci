// SPDX-License-Identifier: GPL-2.0
/// What describes a patch must live, and be writable, as long as the module.
/// The kernel copies nothing of struct klp_patch and the arrays that it points to:
/// it links them into its lists, gives them kobjects and notes in them how far a
/// transition is. That must not be on the stack, in memory that is freed or becomes
/// read-only after init, or const.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_patch, klp_object, klp_func, klp_state, __initdata

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import re

given = set()
stores = set()

def last_name(text):
    m = re.search(r"(\w+)\s*\)*\s*$", text)
    return m.group(1) if m else ""

# SmPL does not see all places where an attribute can stand.
def declaration(p):
    with open(p.file, errors="replace") as f:
        lines = f.read().split("\n")
    line = int(p.line) - 1
    before = "\n".join(lines[:line] + [lines[line][:int(p.column)]])
    after = "\n".join([lines[line][int(p.column):]] + lines[line + 1:])
    return (re.split(r"[;{}]|\*/|\n\n", before)[-1] +
            re.split(r"[=;{]", after)[0])

@script:python@
@@
given.clear()
stores.clear()

// What the kernel gets.
@gives@
identifier x;
identifier f = {objs, funcs, states};
expression E;
@@
(
  struct klp_patch x = {..., .f = E, ...};
|
  struct klp_object x[] = {..., {..., .f = E, ...}, ...};
)

@script:python@
E << gives.E;
@@
given.add(last_name(E))

@sets@
identifier f = {objs, funcs, states};
expression E, e;
@@
(
  e.f = E
|
  e->f = E
|
  KLP_SDK_OBJECT(e, E)
)

@script:python@
E << sets.E;
@@
given.add(last_name(E))

@address@
identifier x;
@@
  &x

@script:python@
x << address.x;
@@
given.add(x)

// Data of a state is written through the array.
@store@
// Through a pointer, too.
struct klp_state s;
expression E;
@@
  s.data = E

@script:python@
E << store.E;
@@
stores.add(E)

@object@
identifier s = {klp_patch, klp_object, klp_func, klp_state};
identifier x;
expression n;
initializer I;
position p;
@@
(
  struct s x@p;
|
  struct s x@p = I;
|
  struct s x@p[n];
|
  struct s x@p[n] = I;
|
  struct s x@p[] = I;
)

@script:python check@
s << object.s;
x << object.x;
p << object.p;
message;
@@
text = declaration(p[0])
where = p[0].current_element
message = ""
if x not in given:
    pass
elif where != x and not re.search(r"\b(static|extern)\b", text):
    message = ("error: %s is on the stack of %s(), and the kernel keeps it in "
               "its lists; make it static" % (x, where))
elif re.search(r"\b__init(data|const)\b", text):
    message = ("error: %s is freed after init, and the kernel goes on using "
               "it; remove __initdata" % x)
elif s == "klp_state" and not stores:
    pass
elif re.search(r"\b__ro_after_init\b", text):
    message = ("error: %s cannot be written after init, and a transition "
               "writes to it; remove __ro_after_init" % x)
elif re.search(r"\bconst\b", text):
    message = ("error: %s is const, and a transition writes to it; remove "
               "const" % x)
coccinelle.message = message
if not message:
    cocci.include_match(False)

@depends on context@
identifier object.s;
identifier object.x;
expression n;
initializer I;
position object.p;
@@
(
* struct s x@p;
|
* struct s x@p = I;
|
* struct s x@p[n];
|
* struct s x@p[n] = I;
|
* struct s x@p[] = I;
)

@script:python depends on report@
p << object.p;
message << check.message;
@@
coccilib.report.print_report(p[0], message + " [klp_patch_storage]")

@script:python depends on org@
p << object.p;
message << check.message;
@@
coccilib.org.print_todo(p[0], message)
