// SPDX-License-Identifier: GPL-2.0
/// Has an error in its script, which shows at a function raises().
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: test

virtual report
virtual patch
virtual context
virtual org

@raises@
identifier raises = raises;
position p;
@@
  raises@p(...) { ... }

@script:python@
p << raises.p;
@@
raise ValueError("on purpose")
