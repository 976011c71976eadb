// SPDX-License-Identifier: GPL-2.0
/// A state of the SDK says its version, and 7 is not one.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: test

virtual report
virtual patch
virtual context
virtual org

@depends on patch@
identifier s;
@@
  struct klp_sdk_state s = { ...,
- .version = 7,
+ .version = 8,
  ... };

@seven depends on report@
identifier s;
position p;
@@
  struct klp_sdk_state s@p = { ..., .version = 7, ... };

@digit depends on report@
identifier s;
expression E;
position p;
@@
  struct klp_sdk_state s = { ..., .version = E@p, ... };

@wide depends on report@
identifier s;
type T;
position p;
@@
  struct klp_sdk_shadow_type s@p = { ..., .data_type = sizeof(T), ... };

@script:python depends on report@
p << seven.p;
s << seven.s;
@@
coccilib.report.print_report(p[0], "warning: %s is a seven [t_state]" % s)

@script:python depends on report@
p << digit.p;
E << digit.E;
@@
coccilib.report.print_report(p[0], "warning: version %s [t_state]" % E)

@script:python depends on report@
p << wide.p;
T << wide.T;
@@
coccilib.report.print_report(p[0], "warning: of type %s [t_state]" % T)
