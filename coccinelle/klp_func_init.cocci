// SPDX-License-Identifier: GPL-2.0
/// A livepatch uses code or data that is freed when its module is loaded.
///
/// What is __init or __initdata is freed as soon as the module's init returns, but
/// a replacement is called, and the kernel's lists lead through the arrays, until
/// the patch is disabled. What is __exit goes with it where modules cannot be
/// unloaded. An original that is __init is not there any more to be replaced.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_func, new_func, __init, __exit, __initdata

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
def place(p):
	return (p[0].file, int(p[0].line), int(p[0].column))

@initialize:python depends on report@
@@
def tell(p, text):
	coccilib.report.print_report(p[0], text + " [klp_func_init]")

@initialize:python depends on org@
@@
def tell(p, text):
	coccilib.org.print_todo(p[0], text)

@initialize:python@
@@
def gone(p, f):
	tell(p, "error: %s() is freed once the kernel or its module has started and cannot be replaced; patch what uses its results" % f)

// For one group of files: what replaces what.
@script:python@
@@
originals = {}
replaced = set()

@func@
identifier a, f;
expression E, N;
@@
(
struct klp_func a[] = {..., {..., .old_name = E, .new_func = f, ...}, ...};
|
struct klp_func a[N] = {..., {..., .old_name = E, .new_func = f, ...}, ...};
|
struct klp_func a[] = {..., {E, f, ...}, ...};
|
struct klp_func a[N] = {..., {E, f, ...}, ...};
)

@script:python@
E << func.E;
f << func.f;
@@
originals.setdefault(f, E.strip('"'))
replaced.add(E.strip('"'))

@early@
attribute name __init, __net_init;
type T;
identifier f;
position p : script:python(f) { f in originals };
@@
(
T __init f@p(...) { ... }
|
T __net_init f@p(...) { ... }
)

@late@
attribute name __exit, __net_exit;
type T;
identifier f;
position p : script:python(f) { f in originals };
@@
(
T __exit f@p(...) { ... }
|
T __net_exit f@p(...) { ... }
)

@original@
attribute name __init;
type T;
identifier f;
position p : script:python(f) { f in replaced and f not in originals };
@@
T __init f@p(...) { ... }

@declared@
attribute name __init;
type T;
identifier f;
position p : script:python(f) { f in replaced and f not in originals };
@@
T __init f@p(...);

@data@
attribute name __initdata, __initconst;
identifier t = { klp_func, klp_object, klp_patch, klp_state };
identifier v;
expression N;
position p;
@@
(
struct t v@p[] __initdata = ...;
|
struct t v@p[N] __initdata = ...;
|
struct t v@p __initdata = ...;
|
struct t v@p[] __initconst = ...;
|
struct t v@p[N] __initconst = ...;
|
struct t v@p __initconst = ...;
)

@depends on context@
type T;
identifier early.f;
position early.p;
@@
  T
* f@p
  (...) { ... }

@depends on context@
type T;
identifier late.f;
position late.p;
@@
  T
* f@p
  (...) { ... }

@depends on context@
type T;
identifier original.f;
position original.p;
@@
  T
* f@p
  (...) { ... }

@depends on context@
type T;
identifier declared.f;
position declared.p;
@@
  T
* f@p
  (...);

@depends on context@
type T;
identifier data.v;
position data.p;
@@
  T
* v@p
  = ...;

@depends on patch@
attribute name __init;
identifier early.f;
@@
- __init
  f(...) { ... }

@depends on patch@
attribute name __init;
type T;
identifier early.f;
@@
  T
- __init
  f(...);

@depends on patch@
attribute name __net_init;
identifier early.f;
@@
- __net_init
  f(...) { ... }

@depends on patch@
attribute name __net_init;
type T;
identifier early.f;
@@
  T
- __net_init
  f(...);

@depends on patch@
attribute name __exit;
identifier late.f;
@@
- __exit
  f(...) { ... }

@depends on patch@
attribute name __exit;
type T;
identifier late.f;
@@
  T
- __exit
  f(...);

@depends on patch@
attribute name __net_exit;
identifier late.f;
@@
- __net_exit
  f(...) { ... }

@depends on patch@
attribute name __net_exit;
type T;
identifier late.f;
@@
  T
- __net_exit
  f(...);

@depends on patch@
attribute name __initdata, __initconst;
identifier data.v;
expression N;
type T;
@@
(
  T v[]
- __initdata
  = ...;
|
  T v[N]
- __initdata
  = ...;
|
  T v
- __initdata
  = ...;
|
  T v[]
- __initconst
  = ...;
|
  T v[N]
- __initconst
  = ...;
|
  T v
- __initconst
  = ...;
)

@script:python depends on report || org@
f << early.f;
p << early.p;
@@
tell(p, "error: %s() replaces %s() but is freed when the module is loaded; drop its __init" % (f, originals[f]))

@script:python depends on report || org@
f << late.f;
p << late.p;
@@
tell(p, "warning: %s() replaces %s() but is not kept by kernels that cannot unload modules; drop its __exit" % (f, originals[f]))

@script:python depends on report || org@
f << original.f;
p << original.p;
@@
gone(p, f)

@script:python depends on report || org@
f << declared.f;
p << declared.p;
@@
gone(p, f)

@script:python depends on report || org@
v << data.v;
p << data.p;
@@
tell(p, "error: %s is freed when the module is loaded, the kernel keeps using it; drop its __initdata" % v)
