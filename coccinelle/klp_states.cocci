// SPDX-License-Identifier: GPL-2.0
/// Arrays of states, functions and objects must have one empty entry, at their end.
/// The kernel knows no other end of these arrays: without it, it reads on in
/// whatever the linker has put behind. An entry that counts as empty, such as
/// a state with id 0, hides those that follow. A second state with the same id
/// is never found, and version 0 is that of a state whose version was forgotten.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_state, klp_func, klp_object, klp_get_state

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import re

defines = {}
written = set()
counted = set()
# What ends an array is an entry that has none of these.
KEYS = {
    "klp_state": ["id"],
    "klp_func": ["old_name", "new_func", "old_sympos"],
    "klp_object": ["name", "funcs"],
}
ORDER = {
    "klp_state": ["id", "version", "data"],
    "klp_func": ["old_name", "new_func", "old_sympos"],
    "klp_object": ["name", "funcs", "callbacks"],
}
def number(text, depth=8):
    """The value of a constant, as far as it is one; otherwise the text."""
    text = text.strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    m = re.match(r"(0[xX][0-9a-fA-F]+|\d+)[uUlL]*$", text)
    if m:
        n = m.group(1)
        return int(n, 8 if re.match(r"0[0-7]+$", n) else 0)
    if text == "NULL":
        return 0
    values = defines.get(text)
    if depth and values and len(values) == 1:
        return number(list(values)[0], depth - 1)
    return text

def commas(text):
    parts, deep, part = [], 0, ""
    for c in text:
        deep += c in "({["
        deep -= c in ")}]"
        if c == "," and not deep:
            parts.append(part.strip())
            part = ""
        else:
            part += c
    return [p for p in parts + [part.strip()] if p]

def fields(struct, text):
    """The fields of an entry; None for a macro and what else is not plain."""
    text = re.sub(r"^\[[^]]*\]\s*=", "", text).strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    entry = {}
    for i, part in enumerate(commas(text[1:-1])):
        m = re.match(r"\.\s*(\w+)\s*(?:\.[^=]*)?=\s*(.*)$", part, re.S)
        if m:
            entry[m.group(1)] = m.group(2)
        elif i < len(ORDER[struct]) and not part.startswith("."):
            entry[ORDER[struct][i]] = part
        else:
            return None
    return entry

def is_end(struct, entry):
    return all(number(entry.get(key, "0")) == 0 for key in KEYS[struct])

def is_empty(entry):
    return all(number(v) == 0 or v == '""' for v in entry.values())

@script:python@
@@
defines.clear()
written.clear()
counted.clear()

@define@
identifier d;
expression v;
@@
#define d v

@script:python@
d << define.d;
v << define.v;
@@
defines.setdefault(d, set()).add(v)

// Entries that are filled at run time, and arrays whose length is known otherwise.
@write@
identifier x;
expression i, v;
identifier f =~ "^(id|version|old_name|new_func|old_sympos|name|funcs)$";
@@
  x[i].f = v

@script:python@
x << write.x;
@@
written.add(x)

@count@
identifier x;
@@
(
  ARRAY_SIZE(x)
|
  sizeof(x)
)

@script:python@
x << count.x;
@@
counted.add(x)

@array@
identifier s = {klp_state, klp_func, klp_object};
identifier x;
expression size;
initializer e;
initializer list before, after;
position p;
@@
(
  struct s x[] = { before, e@p, after };
|
  struct s x[size] = { before, e@p, after };
)

@script:python check@
s << array.s;
x << array.x;
size << array.size = "";
e << array.e;
before << array.before;
after << array.after;
message;
unended;
@@
before = list(before)
after = list(after)
entry = fields(s, e)
others = [fields(s, o) for o in before + after]
messages = []
coccinelle.unended = "no"
# A macro can be anything, and an index put an entry anywhere.
if None not in [entry] + others and "[" not in [o[0] for o in before + [e] + after]:
    rest = [o for o in others[len(before):] if not is_end(s, o)]
    if is_end(s, entry):
        if x in written or is_empty(entry) and not rest:
            pass
        elif s == "klp_object" and "callbacks" in entry:
            messages.append("error: %s[] ends here, at an entry without .name "
                            "and .funcs, so its callbacks never run; add "
                            ".funcs" % x)
        else:
            messages.append("error: %s[] ends here, at an entry without %s; "
                            "add it, or remove the entry"
                            % (x, " and ".join("." + k for k in KEYS[s])))
    elif not after and x not in counted and size in ("", str(len(before) + 1)):
        messages.append("error: %s[] of struct %s has no end, so the kernel "
                        "reads on behind it; add { }" % (x, s))
        if not size:
            coccinelle.unended = "yes"
if s == "klp_state" and entry and not is_end(s, entry) and x not in written:
    same = [o for o in others[:len(before)]
            if o and number(o.get("id", "0")) == number(entry["id"])]
    if same:
        messages.append("error: %s[] has id %s twice, and klp_get_state() "
                        "finds the first only; give it another"
                        % (x, entry["id"]))
    if number(entry.get("version", "0")) == 0:
        messages.append("warning: state %s of %s[] has version 0, as if it was "
                        "forgotten; start with 1" % (entry["id"], x))
coccinelle.message = "\n".join(messages)
if not messages:
    cocci.include_match(False)

@depends on context@
identifier array.s;
identifier array.x;
initializer array.e;
expression size;
position array.p;
@@
(
  struct s x[] = { ...,
* e@p
  , ... };
|
  struct s x[size] = { ...,
* e@p
  , ... };
)

@script:python depends on patch@
unended << check.unended;
@@
if unended == "no":
    cocci.include_match(False)

@depends on patch@
identifier array.s;
identifier array.x;
initializer array.e;
position array.p;
@@
  struct s x[] = { ..., e@p,
+	{ },
  };

@script:python depends on report@
p << array.p;
message << check.message;
@@
for m in message.split("\n"):
    coccilib.report.print_report(p[0], m + " [klp_states]")

@script:python depends on org@
p << array.p;
message << check.message;
@@
for m in message.split("\n"):
    coccilib.org.print_todo(p[0], m)
