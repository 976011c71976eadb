// SPDX-License-Identifier: GPL-2.0
/// A livepatch must say that it is one, and have a licence that goes with the GPL.
/// klp_enable_patch() refuses a module without MODULE_INFO(livepatch, "Y"), and
/// only a module with a licence that is compatible with the GPL can call it.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, MODULE_INFO, MODULE_LICENSE, klp_enable_patch

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import os
import re

LICENSES = ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL",
            "Dual MIT/GPL", "Dual MPL/GPL")
SAID = {
    "info": re.compile(r"\bMODULE_INFO\s*\(\s*livepatch\b"),
    "license": re.compile(r"\bMODULE_LICENSE\s*\("),
}

# What is in the bodies of macros, here and in local headers, is not matched.
def in_macro(what, path, seen=None):
    seen = set() if seen is None else seen
    if path in seen or not os.path.isfile(path):
        return False
    seen.add(path)
    with open(path, errors="replace") as f:
        text = f.read().replace("\\\n", " ")
    for line in text.split("\n"):
        if re.match(r"\s*#\s*define\b", line) and SAID[what].search(line):
            return True
        m = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if m and in_macro(what, os.path.join(os.path.dirname(path), m.group(1)),
                          seen):
            return True
    return False

def is_free(text):
    # Only a string can be judged.
    if not re.match(r'("[^"]*"\s*)+$', text.strip()):
        return True
    return "".join(re.findall(r'"([^"]*)"', text)) in LICENSES

@info@
declarer name MODULE_INFO;
identifier tag = {livepatch};
expression v;
@@
  MODULE_INFO(tag, v);

@license@
declarer name MODULE_LICENSE;
expression l;
@@
  MODULE_LICENSE(l);

// KLP_SDK_PATCH() says it for its module. Not "never": that is for all groups.
@unmarked depends on !info && (context || org || report)@
expression e;
position p : script:python() { not in_macro("info", p[0].file) };
@@
* klp_enable_patch@p(e)

@script:python depends on report@
p << unmarked.p;
@@
coccilib.report.print_report(p[0], "error: klp_enable_patch() refuses a module that is not marked; add MODULE_INFO(livepatch, \"Y\") [klp_module_info]")

@script:python depends on org@
p << unmarked.p;
@@
coccilib.org.print_todo(p[0], "klp_enable_patch() without MODULE_INFO(livepatch, \"Y\")")

@unlicensed depends on !license && (context || org || report)@
expression e;
position p : script:python() { not in_macro("license", p[0].file) };
@@
* klp_enable_patch@p(e)

@unlicensed_sdk depends on !license && (context || org || report)@
identifier x;
position p : script:python() { not in_macro("license", p[0].file) };
@@
* struct klp_sdk_patch x@p = {...};

@script:python depends on report@
p << unlicensed.p;
@@
coccilib.report.print_report(p[0], "error: a livepatch without MODULE_LICENSE() cannot call klp_enable_patch(); add MODULE_LICENSE(\"GPL\") [klp_module_info]")

@script:python depends on org@
p << unlicensed.p;
@@
coccilib.org.print_todo(p[0], "livepatch without MODULE_LICENSE()")

@script:python depends on report@
p << unlicensed_sdk.p;
@@
coccilib.report.print_report(p[0], "error: a livepatch without MODULE_LICENSE() cannot call klp_enable_patch(); add MODULE_LICENSE(\"GPL\") [klp_module_info]")

@script:python depends on org@
p << unlicensed_sdk.p;
@@
coccilib.org.print_todo(p[0], "livepatch without MODULE_LICENSE()")

@raw@
expression e;
@@
  klp_enable_patch(e)

@sdk@
identifier x;
@@
  struct klp_sdk_patch x = {...};

@unfree depends on (raw || sdk) && (context || org || report)@
declarer name MODULE_LICENSE;
expression l : script:python() { not is_free(l) };
position p;
@@
* MODULE_LICENSE@p(l);

@script:python depends on report@
p << unfree.p;
l << unfree.l;
@@
coccilib.report.print_report(p[0], "error: licence %s is not compatible with the GPL, klp_enable_patch() cannot be called; use \"GPL\" [klp_module_info]" % l)

@script:python depends on org@
p << unfree.p;
@@
coccilib.org.print_todo(p[0], "licence of a livepatch that is not compatible with the GPL")

@mark depends on !info && patch@
expression e;
position p : script:python() { not in_macro("info", p[0].file) };
@@
  klp_enable_patch@p(e)

@depends on mark@
declarer name MODULE_LICENSE, MODULE_INFO;
expression l;
@@
  MODULE_LICENSE(l);
+ MODULE_INFO(livepatch, "Y");
