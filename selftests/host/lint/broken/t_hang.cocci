// SPDX-License-Identifier: GPL-2.0
/// Takes for ever where there is a function hang().
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: test

virtual report
virtual patch
virtual context
virtual org

@hang@
identifier hang = hang;
position p;
@@
  hang@p(...) { ... }

@script:python@
p << hang.p;
@@
import os, subprocess
subprocess.call(["sleep", os.environ["HANG"]])
