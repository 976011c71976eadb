// SPDX-License-Identifier: GPL-2.0
/// A function or an object is listed twice in a livepatch.
///
/// Each object of a livepatch has a directory in sysfs, and each function one in
/// that of its object, named by .old_name and .old_sympos, where 0 counts as 1. A
/// second one of the same name cannot be made: klp_enable_patch() fails with
/// -EEXIST, which modprobe takes for success. An array of functions that two
/// objects share is worse: the list nodes in it are linked twice.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_func, klp_object, old_name, old_sympos

virtual report
virtual patch
virtual context
virtual org

// What follows keeps its notes for one group of files.
@initialize:python@
@@
import re

def text(e):
	# the string of a literal, the name or expression of all else
	e = e.strip()
	return e[1:-1] if re.match(r'"[^"]*"$', e) else " ".join(e.split())

def place(p):
	return (p[0].file, int(p[0].line), int(p[0].column))

def apart(a, b):
	# entries in different branches of an #if are alternatives
	if a[0] != b[0]:
		return True
	try:
		with open(a[0], errors="replace") as source:
			between = source.readlines()[min(a[1], b[1]):max(a[1], b[1])]
	except OSError:
		return False
	return any(re.match(r"\s*#\s*(if|el|endif)", line) for line in between)

def earlier(entries, here, key):
	# the first of those before this one that have its key
	return min((at for at, other in entries.items()
		    if other == key and at < here and not apart(at, here)),
		   default=None)

@initialize:python depends on report@
@@
def tell(p):
	if place(p) in said:
		coccilib.report.print_report(p[0], said[place(p)] + " [klp_func_twice]")

@initialize:python depends on org@
@@
def tell(p):
	if place(p) in said:
		coccilib.org.print_todo(p[0], said[place(p)])

@script:python@
@@
sympos = {}
funcs = {}
filled = set()
names = {}
objects = {}
arrays = {}
said = {}

@func@
identifier a;
expression E, F, N;
position p;
@@
(
struct klp_func a[] = {..., {..., .old_name = E@p, ...}, ...};
|
struct klp_func a[N] = {..., {..., .old_name = E@p, ...}, ...};
|
struct klp_func a[] = {..., {E@p, F, ...}, ...};
|
struct klp_func a[N] = {..., {E@p, F, ...}, ...};
)

@pos@
identifier a;
expression S, E, F, N;
position func.p;
@@
(
struct klp_func a[] = {..., {..., .old_name = E@p, .old_sympos = S, ...}, ...};
|
struct klp_func a[N] = {..., {..., .old_name = E@p, .old_sympos = S, ...}, ...};
|
struct klp_func a[] = {..., {E@p, F, S, ...}, ...};
|
struct klp_func a[N] = {..., {E@p, F, S, ...}, ...};
)

@script:python@
p << func.p;
S << pos.S;
@@
sympos[place(p)] = "1" if S == "0" else S

@script:python@
p << func.p;
a << func.a;
E << func.E;
@@
funcs[place(p)] = (a, text(E), sympos.get(place(p), "1"))
filled.add(a)

@object@
identifier o, KLP_SDK_OBJECT =~ "^KLP_SDK_OBJECT$";
expression E, F, N;
position p;
@@
(
struct klp_object o[] = {..., {..., .funcs = F@p, ...}, ...};
|
struct klp_object o[N] = {..., {..., .funcs = F@p, ...}, ...};
|
KLP_SDK_OBJECT(E, F@p)
)

@named@
identifier o, KLP_SDK_OBJECT =~ "^KLP_SDK_OBJECT$";
expression E, F, N;
position object.p;
@@
(
struct klp_object o[] = {..., {..., .name = E, .funcs = F@p, ...}, ...};
|
struct klp_object o[N] = {..., {..., .name = E, .funcs = F@p, ...}, ...};
|
KLP_SDK_OBJECT(E, F@p)
)

@script:python@
p << object.p;
E << named.E;
@@
names[place(p)] = "vmlinux" if E == "NULL" else text(E)

@script:python@
p << object.p;
F << object.F;
o << object.o = "";
@@
here = place(p)
objects[here] = (o or p[0].current_element, names.get(here, "vmlinux"))
if F in filled:
	arrays[here] = (o or p[0].current_element, F)

@script:python@
p << func.p;
@@
here = place(p)
first = earlier(funcs, here, funcs[here])
if first:
	said[here] = "error: %s() is listed twice in %s, first in line %d; such a patch is refused, keep one" % (funcs[here][1], funcs[here][0], first[1])

@script:python@
p << object.p;
@@
here = place(p)
first = earlier(objects, here, objects[here])
if first:
	said[here] = "error: object %s is listed twice, first in line %d; such a patch is refused, put its functions in one array" % (objects[here][1], first[1])
elif here in arrays:
	first = earlier(arrays, here, arrays[here])
	if first:
		said[here] = "error: objects %s and %s share the array %s, whose list nodes the kernel links twice; give each an array of its own" % (objects[first][1], objects[here][1], arrays[here][1])

@depends on context@
expression func.E;
position func.p;
position q : script:python() { place(q) in said };
@@
* E@p@q

@depends on context@
expression object.F;
position object.p;
position q : script:python() { place(q) in said };
@@
* F@p@q

@script:python depends on report || org@
p << func.p;
@@
tell(p)

@script:python depends on report || org@
p << object.p;
@@
tell(p)
