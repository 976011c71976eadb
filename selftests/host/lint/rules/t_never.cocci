// SPDX-License-Identifier: GPL-2.0
/// A module that has probe() calls mark() somewhere.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: test

virtual report
virtual patch
virtual context
virtual org

@mark@
@@
  mark(...)

@probe depends on report && never mark@
identifier probe = probe;
position p;
@@
  probe@p(...) { ... }

@script:python depends on report@
p << probe.p;
@@
coccilib.report.print_report(p[0], "warning: probe() and no mark() in the module [t_never]")
