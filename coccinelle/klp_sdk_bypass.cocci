// SPDX-License-Identifier: GPL-2.0
/// A patch that declares states with klp-sdk must not go round the SDK: its
/// engine owns klp_state.data, decides in phases what klp_get_prev_state()
/// cannot tell (a disable and a reversed enable look alike), and enables the
/// patch itself.
///
// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_state, klp_get_prev_state, klp_enable_patch

virtual report
virtual context
virtual org

@sdk@
@@
(
#include <klp-sdk/klp-sdk.h>
|
#include <klp-sdk/state.h>
|
#include <klp-sdk/patch.h>
)

@depends on sdk && context@
struct klp_state *s;
struct klp_state t;
identifier f = { klp_get_state, klp_get_prev_state, klp_enable_patch };
@@
(
* s->data
|
* t.data
|
* f(...)
)

@arrow depends on sdk && (report || org)@
struct klp_state *s;
position p;
@@
  s->data@p

@member depends on sdk && (report || org)@
struct klp_state s;
position p;
@@
  s.data@p

@call depends on sdk && (report || org)@
identifier f = { klp_get_state, klp_get_prev_state, klp_enable_patch };
position p;
@@
  f@p(...)

@script:python depends on report@
p << arrow.p;
@@
coccilib.report.print_report(p[0], "error: klp_state.data belongs to klp-sdk; use klp_sdk_live() or klp_sdk_data() [klp_sdk_bypass]")

@script:python depends on report@
p << member.p;
@@
coccilib.report.print_report(p[0], "error: klp_state.data belongs to klp-sdk; use klp_sdk_live() or klp_sdk_data() [klp_sdk_bypass]")

@script:python depends on report@
p << call.p;
f << call.f;
@@
coccilib.report.print_report(p[0], "error: %s() in a patch that uses klp-sdk; the SDK calls it [klp_sdk_bypass]" % f)

@script:python depends on org@
p << arrow.p;
@@
coccilib.org.print_todo(p[0], "klp_state.data belongs to klp-sdk")

@script:python depends on org@
p << member.p;
@@
coccilib.org.print_todo(p[0], "klp_state.data belongs to klp-sdk")

@script:python depends on org@
p << call.p;
f << call.f;
@@
coccilib.org.print_todo(p[0], "%s() in a patch that uses klp-sdk" % f)
