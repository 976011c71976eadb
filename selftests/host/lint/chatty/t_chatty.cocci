// SPDX-License-Identifier: GPL-2.0
/// Says what is no report.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: test

virtual report
virtual patch
virtual context
virtual org

@f@
identifier g;
position p;
@@
  g@p(...) { ... }

@script:python@
p << f.p;
g << f.g;
@@
print("found %s" % g)
