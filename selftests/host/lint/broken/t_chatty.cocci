// SPDX-License-Identifier: GPL-2.0
/// Says what is no report, about a function chat().
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: test

virtual report
virtual patch
virtual context
virtual org

@chat@
identifier chat = chat;
position p;
@@
  chat@p(...) { ... }

@script:python@
p << chat.p;
@@
print("found chat()")
