// SPDX-License-Identifier: GPL-2.0
/// A function was there before.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: test

virtual report
virtual patch
virtual context
virtual org
virtual base

@old depends on base@
identifier f;
position p : script:python() { p[0].file.startswith("base/") };
@@
  f@p(...) { ... }

@new@
identifier old.f;
position p : script:python() { p[0].file.startswith("new/") };
@@
  f@p(...) { ... }

@script:python depends on report@
p << new.p;
q << old.p;
f << old.f;
@@
coccilib.report.print_report(p[0], "warning: %s() was in %s [t_base]" % (f, q[0].file))
