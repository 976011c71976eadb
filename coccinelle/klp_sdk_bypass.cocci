// SPDX-License-Identifier: GPL-2.0
/// A patch that uses klp-sdk goes round it.
///
/// The SDK owns klp_state.data, decides in phases what klp_get_prev_state() cannot
/// tell (a disable and a reversed enable look alike), and enables the patch itself.
/// Shadow variables of its types may be indexed or of an older layout, which
/// klp_shadow_get() and the like do not see. What the declaring macros generate is
/// for them alone, and other in the next release.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_state, klp_get_prev_state, klp_enable_patch, klp_shadow

virtual report
virtual patch
virtual context
virtual org

@initialize:python depends on report@
@@
def tell(p, text):
	coccilib.report.print_report(p[0], "error: " + text + " [klp_sdk_bypass]")

@initialize:python depends on org@
@@
def tell(p, text):
	coccilib.org.print_todo(p[0], "error: " + text)

@initialize:python@
@@
import re

def of_sdk(I):
	I = re.sub(r"^\( __force [\w ]+ \) ", "", I)
	return I in ids or "KLP_SDK_SHADOW_ID (" in I

def raw(p, f):
	tell(p, "%s() on a shadow variable of klp-sdk, of whose index and layout it knows nothing; use klp_sdk%s()" % (f, f.replace("klp", "").replace("_free_all", "_free")))

// For one group of files.
@script:python@
@@
ids = set()

@sdk@
@@
#include <klp-sdk/klp-sdk.h>

@data depends on sdk && !patch@
struct klp_state *s;
struct klp_state t;
position p;
@@
(
* s->data@p
|
* t.data@p
)

@call depends on sdk && !patch@
identifier f = { klp_get_state, klp_get_prev_state, klp_enable_patch, klp_sdk_enable_patch, klp_sdk_free_patch };
position p;
@@
* f@p(...)

// Names of the engine, and those that the macros make: NAME_klp_sdk_...
@generated depends on sdk && !patch@
identifier f =~ "^(__KLP_SDK_|klp_sdk_compat_|klp_sdk_patch(_init|_exit)?$|klp_sdk_view_ops$|klp_sdk_shadow_(find|find_indexed|find_old|new|remove|walk)$)|._klp_sdk(_|$)";
position p;
@@
* f@p

@internal depends on sdk && !patch@
struct klp_sdk_state s;
struct klp_sdk_state *sp;
struct klp_sdk_shadow_type t;
struct klp_sdk_shadow u;
struct klp_sdk_shadow *up;
identifier m;
position p;
@@
(
* s.m@p
|
* sp->m@p
|
* t.m@p
|
* u.m@p
|
* up->m@p
)

@shadow depends on sdk@
identifier n;
expression I;
@@
struct klp_sdk_shadow_type n = {..., .id = I, ...};

@script:python@
I << shadow.I;
@@
number = re.match(r"KLP_SDK_SHADOW_ID \( (\w+) \)$", I)
ids.add(number[1] if number else I)

@macro depends on sdk@
identifier I;
expression E;
@@
#define I KLP_SDK_SHADOW_ID(E)

@script:python@
I << macro.I;
E << macro.E;
@@
ids.update((I, E))

@by_id depends on sdk && !patch@
expression E, I;
identifier f = { klp_shadow_get, klp_shadow_alloc, klp_shadow_get_or_alloc, klp_shadow_free };
position p : script:python(I) { of_sdk(I) };
@@
* f@p(E, I, ...)

@all_by_id depends on sdk && !patch@
expression I;
identifier f = { klp_shadow_free_all };
position p : script:python(I) { of_sdk(I) };
@@
* f@p(I, ...)

@depends on patch@
expression shadow.I, E;
identifier shadow.n;
type T;
@@
(
- klp_shadow_get(E, I)
+ klp_sdk_shadow_get(n, E)
|
- klp_shadow_get(E, (T)I)
+ klp_sdk_shadow_get(n, E)
)

@script:python depends on report || org@
p << data.p;
@@
tell(p, "klp_state.data belongs to klp-sdk; use klp_sdk_live() or klp_sdk_data()")

@script:python depends on report || org@
f << call.f;
p << call.p;
@@
tell(p, "%s() in a patch that uses klp-sdk, which calls it; leave it to KLP_SDK_PATCH() and KLP_SDK_STATE()" % f)

@script:python depends on report || org@
f << generated.f;
p << generated.p;
@@
tell(p, "%s is the SDK's own and changes with its releases; use what include/klp-sdk documents" % f)

@script:python depends on report || org@
m << internal.m;
p << internal.p;
@@
tell(p, "field %s is the SDK's own and changes with its releases; use what include/klp-sdk documents" % m)

@script:python depends on report || org@
f << by_id.f;
p << by_id.p;
@@
raw(p, f)

@script:python depends on report || org@
f << all_by_id.f;
p << all_by_id.p;
@@
raw(p, f)
