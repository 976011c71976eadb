// SPDX-License-Identifier: GPL-2.0
/// Nobody calls forbidden().
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: test

virtual report
virtual patch
virtual context
virtual org

@depends on patch@
expression E;
@@
- forbidden(E)
+ allowed(E)

@call depends on report@
expression E;
position p;
@@
  forbidden@p(E)

@script:python depends on report@
p << call.p;
E << call.E;
@@
coccilib.report.print_report(p[0], "error: forbidden(%s); call allowed() [t_call]" % E)
