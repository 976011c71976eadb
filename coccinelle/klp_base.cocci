// SPDX-License-Identifier: GPL-2.0
/// A patch must go on from what its older source says of its states.
/// With the older source of the same patch, "base": no state may have a lower version
/// or be missing in a patch with .replace, and the layout of a state's or a shadow
/// variable's data must not change as long as the version stays: the new functions
/// would read what the old ones have written, by another layout.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_state, version, klp_is_patch_compatible, atomic replace

virtual base
virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import os
import re

class Side:
    """What one of the two sources says."""
    def __init__(self):
        self.files = set()
        self.raw = []           # (array, index, fields, position)
        self.sdk = []           # (kind, name, fields, position)
        self.got = {}           # variables that klp_get_state() has set
        self.types = []         # (expression of the state, type, position)
        self.replace = []       # positions
        self.opaque = False     # there may be states that are not seen

sides = {}
findings = []
flagged = set()

def side(p):
    return sides["base" if p.file.startswith("base/") else "new"]

def strip(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text.replace("\\\n", " "), flags=re.S)

def sources(path, seen):
    """The text of a file and of the local headers that it includes."""
    path = os.path.normpath(path)
    if path in seen or not os.path.isfile(path):
        return ""
    seen.add(path)
    with open(path, errors="replace") as f:
        text = strip(f.read())
    return "".join(sources(os.path.join(os.path.dirname(path), name), seen)
                   for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.M)) + text

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

def fields(parts, order):
    entry = {}
    for i, part in enumerate(parts):
        m = re.match(r"\.\s*(\w+)\s*=\s*(.*)$", part.strip(), re.S)
        if m:
            entry[m.group(1)] = m.group(2)
        elif i < len(order):
            entry[order[i]] = part
    return entry

def body(text, start):
    """What is between the braces of which the first is at @start."""
    deep = 0
    for i in range(start, len(text)):
        deep += text[i] == "{"
        deep -= text[i] == "}"
        if not deep:
            return text[start + 1:i]
    return ""

class Names:
    """The constants and the types of one source."""
    def __init__(self, side):
        seen = set()
        self.text = "".join(sources(path, seen) for path in sorted(side.files))
        self.values = {}        # of each name, as texts
        for m in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(\S.*)$", self.text, re.M):
            self.values.setdefault(m.group(1), set()).add(m.group(2).strip())
        for m in re.finditer(r"\benum\b\s*\w*\s*{", self.text):
            last = None
            for part in commas(body(self.text, m.end() - 1)):
                key, _, value = part.partition("=")
                value = value.strip() or ("0" if last is None else "(%s) + 1" % last)
                last = value if re.match(r"\w+$", value) else key.strip()
                self.values.setdefault(key.strip(), set()).add(value)

    def number(self, text, depth=16):
        """The value of a constant, as far as it is one; otherwise the text."""
        def value(m):
            values = self.values.get(m.group(0), ())
            if not depth or len(values) != 1:
                return m.group(0)
            return "(%s)" % self.number(list(values)[0], depth - 1)

        text = re.sub(r"\bKLP_SDK_(?:STATE|SHADOW)_ID\b", "", text).strip()
        plain = re.sub(r"\b[A-Za-z_]\w*", value, text)
        plain = re.sub(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]*\b", r"\1", plain)
        plain = re.sub(r"\b0(?=[0-7])", "0o", plain)
        if re.match(r"(0[xX][0-9a-fA-F]+|0o[0-7]+|\d+|[-+*|<>()\s])+$", plain):
            try:
                return int(eval(plain, {"__builtins__": {}}))
            except (SyntaxError, TypeError, ValueError):
                pass
        return text

    def members(self, text, seen):
        """[(type, name)] of the body of a struct, or None if it is not known."""
        out = []
        rest, deep, part = [], 0, ""
        for c in text:
            deep += c == "{"
            deep -= c == "}"
            if c == ";" and not deep:
                rest.append(part)
                part = ""
            else:
                part += c
        for part in rest:
            part = re.sub(r"\s+", " ", part).strip()
            if not part or part.startswith("#"):
                return None
            if "{" in part:
                start = part.index("{")
                inner = self.members(body(part, start), seen)
                if inner is None:
                    return None
                tail = part[start + len(body(part, start)) + 2:].strip()
                out.append((part[:start].strip() + str(inner), tail))
                continue
            first = True
            for one in commas(part):
                m = re.match(r"(.*?)(\w+)((?:\s*\[[^]]*\])*(?:\s*:\s*\w+)?)$", one)
                if "(" in one:
                    m = re.match(r"(.*?\(\s*\*\s*)(\w+)(\s*\).*)$", one)
                if not m:
                    return None
                head, name, tail = m.groups()
                if first:
                    kind = re.sub(r"[\s*]*$", "", head)
                stars = head[len(kind):] if first else head
                first = False
                tail = re.sub(r"\[([^]]*)\]",
                              lambda d: "[%s]" % self.number(d.group(1)), tail)
                text = re.sub(r"\s+", "", stars + tail)
                at = re.sub(r"\b(const|volatile|__\w+)\b", "", kind).strip()
                if "*" not in stars:
                    inner = self.layout(at, seen)
                    if isinstance(inner, list):
                        at = str(inner)
                out.append((at + text, name))
        return out

    def layout(self, kind, seen=()):
        """The members of a struct of the source; other types as they are."""
        m = re.match(r"(struct|union)\s+(\w+)$", kind)
        if not m or kind in seen:
            return kind
        found = {body(self.text, d.end() - 1) for d in
                 re.finditer(r"\b%s\s+%s\s*{" % m.groups(), self.text)}
        if not found:
            return kind
        if len(found) > 1:
            return None
        return self.members(found.pop(), tuple(seen) + (kind,))

def changed(old, new):
    """Not told from a change: a type of the kernel's against one of the source."""
    if old is None or new is None or isinstance(old, str) != isinstance(new, str):
        return False
    if isinstance(old, str):
        return old != new
    if [t for t, _ in old] != [t for t, _ in new]:
        return True
    olds, news = [n for _, n in old], [n for _, n in new]
    return any(a != b and (a in news or b in olds) for a, b in zip(olds, news))

def type_of(text):
    m = re.match(r"sizeof\s*\(\s*(.*?)\s*\)$", text.strip(), re.S)
    return re.sub(r"\s+", " ", m.group(1)) if m else ""

def states(side, names):
    """{(kind, id): entry} of what is declared once."""
    out = {}
    for array, i, entry, p in side.raw:
        ident = names.number(entry.get("id", "0"))
        if ident != 0:
            out.setdefault(("state", ident), []).append(
                dict(entry, sdk=False, p=p, name="state %s" % entry["id"],
                     types=set(), at=(array, i)))
    for kind, name, entry, p in side.sdk:
        ident = names.number(entry.get("id", "0"))
        out.setdefault((kind, ident), []).append(
            dict(entry, sdk=True, p=p,
                 name="%s %s" % ("state" if kind == "state" else "shadow type", name),
                 types={type_of(entry.get("data_type", ""))} - {""}))
    out = {k: v[0] for k, v in out.items() if len(v) == 1}
    raw = [v for v in out.values() if not v["sdk"]]
    for expr, kind, p in side.types:
        kind = re.sub(r"\s+", " ", kind).strip()
        m = re.match(r"(\w+)\s*\[\s*(\w+)\s*\]$", expr.strip())
        if m:
            hits = [v for v in raw if v["at"] == (m.group(1), m.group(2))]
        else:
            m = re.match(r"klp_get_state\s*\(.*,\s*([^,]+?)\s*\)$", expr.strip(), re.S)
            idents = {m.group(1)} if m else side.got.get(
                (p.file, p.current_element, expr.strip()), set())
            hits = [out[("state", names.number(i))] for i in idents
                    if ("state", names.number(i)) in out]
            hits = [v for v in hits if not v["sdk"]] if len(idents) == 1 else []
        for v in hits:
            if kind not in ("void", "char", "u8"):
                v["types"].add(kind)
    return out

def say(p, text):
    key = (p.file, p.line, p.column)
    if (key, text) not in flagged:
        flagged.add((key, text))
        flagged.add(key)
        findings.append((p, text))

def compare():
    old_side, new_side = sides["base"], sides["new"]
    old_names, new_names = Names(old_side), Names(new_side)
    olds, news = states(old_side, old_names), states(new_side, new_names)
    raw = not any(v["sdk"] for v in news.values())
    missing = []
    for key, old in olds.items():
        new = news.get(key)
        refused = key[0] == "state" and (raw or not old["sdk"])
        if new is None:
            known = [e for _, _, e, _ in new_side.raw] + \
                    [e for kind, _, e, _ in new_side.sdk if kind == "state"]
            permanent = old.get("permanent", "false").strip() not in ("false", "0")
            if not (refused or permanent) or new_side.opaque or \
               key[1] in [new_names.number(e.get("id", "0")) for e in known]:
                continue
            missing.append(old["name"])
            continue
        was = old_names.number(old.get("version", "0"))
        now = new_names.number(new.get("version", "0"))
        if not isinstance(was, int) or not isinstance(now, int):
            continue
        if now < was:
            if refused:
                say(new["p"], "error: %s has version %d, and %d in the base: the "
                              "kernel refuses the patch; do not lower it"
                    % (new["name"], now, was))
            else:
                say(new["p"], "warning: %s has version %d, and %d in the base: its "
                              "data is dropped; do not lower it"
                    % (new["name"], now, was))
        elif now == was and len(old["types"]) == 1 and len(new["types"]) == 1:
            before, after = list(old["types"])[0], list(new["types"])[0]
            # A shadow type grows at the same version.
            if key[0] == "shadow" and "grow" in new:
                continue
            if changed(old_names.layout(before), new_names.layout(after)):
                say(new["p"], "error: %s has version %d as in the base, and %s is "
                              "laid out another way; raise the version"
                    % (new["name"], now, after))
    for p in new_side.replace[:1] if missing else []:
        say(p, "error: %s of the base: missing here, and a patch with .replace "
               "is refused without; keep what is in use" % ", ".join(missing))

@script:python@
@@
sides["base"], sides["new"] = Side(), Side()
findings.clear()
flagged.clear()

@raw depends on base@
identifier x;
initializer list[n] before;
initializer list inner;
expression size;
position p;
@@
(
  struct klp_state x[] = { before, {@p inner, }, ... };
|
  struct klp_state x[size] = { before, {@p inner, }, ... };
)

@script:python@
x << raw.x;
n << raw.n;
inner << raw.inner;
p << raw.p;
@@
s = side(p[0])
s.files.add(p[0].file)
s.raw.append((x, n, fields(list(inner), ["id", "version", "data"]), p[0]))

// Entries that are macros or have an index, states that come from elsewhere.
@entry depends on base@
identifier x;
initializer e : script:python() { not strip(e).strip().startswith("{") };
position p;
@@
  struct klp_state x[] = { ..., e@p, ... };

@script:python@
p << entry.p;
@@
side(p[0]).opaque = True

@filled depends on base@
identifier x;
expression i, v;
position p;
@@
  x[i].id@p = v

@script:python@
p << filled.p;
@@
side(p[0]).opaque = True

@sdk depends on base@
identifier t = {klp_sdk_state, klp_sdk_shadow_type};
identifier x;
initializer list inner;
position p;
@@
  struct t x@p = { inner, };

@script:python@
t << sdk.t;
x << sdk.x;
inner << sdk.inner;
p << sdk.p;
@@
s = side(p[0])
s.files.add(p[0].file)
s.sdk.append(("state" if t == "klp_sdk_state" else "shadow", x,
              fields(list(inner), []), p[0]))

@replace depends on base@
identifier t = {klp_patch, klp_sdk_patch};
identifier x;
identifier f = {replace};
expression E : script:python() { E.strip() not in ("false", "0") };
position p;
@@
(
  struct t x@p = {..., .f = E, ...};
|
  x.f@p = E;
)

@script:python@
p << replace.p;
@@
s = side(p[0])
s.files.add(p[0].file)
s.replace.append(p[0])

// Which state a variable stands for. One that may be the predecessor's is none.
@got depends on base@
identifier s;
identifier get = {klp_get_state, klp_get_prev_state};
expression id;
position p;
@@
(
  s@p = get(..., id);
|
  struct klp_state *s@p = get(..., id);
)

@script:python@
s << got.s;
get << got.get;
id << got.id;
p << got.p;
@@
side(p[0]).got.setdefault((p[0].file, p[0].current_element, s), set()).add(
    id if get == "klp_get_state" else "of the predecessor")

// Which type its data has. Not one rule for both: it would lose what s is.
@member depends on base@
type T;
T *v;
identifier i, make;
struct klp_state s;
position p;
@@
(
  v@p = s.data;
|
  T *i@p = s.data;
|
  s.data@p = v;
|
  s.data@p = make(sizeof(T), ...);
|
  s.data@p = make(sizeof(*v), ...);
)

@script:python@
T << member.T;
s << member.s;
p << member.p;
@@
side(p[0]).types.append((s, T, p[0]))

@member_cast depends on base@
type T;
struct klp_state s;
position p;
@@
  (T *)s.data@p

@script:python@
T << member_cast.T;
s << member_cast.s;
p << member_cast.p;
@@
side(p[0]).types.append((s, T, p[0]))

@arrow depends on base@
type T;
T *v;
identifier i, make;
struct klp_state *s;
position p;
@@
(
  v@p = s->data;
|
  T *i@p = s->data;
|
  s->data@p = v;
|
  s->data@p = make(sizeof(T), ...);
|
  s->data@p = make(sizeof(*v), ...);
)

@script:python@
T << arrow.T;
s << arrow.s;
p << arrow.p;
@@
side(p[0]).types.append((s, T, p[0]))

@arrow_cast depends on base@
type T;
struct klp_state *s;
position p;
@@
  (T *)s->data@p

@script:python@
T << arrow_cast.T;
s << arrow_cast.s;
p << arrow_cast.p;
@@
side(p[0]).types.append((s, T, p[0]))

@script:python depends on base@
@@
compare()

@depends on base && context@
identifier x;
initializer e;
position p : script:python() { (p[0].file, p[0].line, p[0].column) in flagged };
@@
  struct klp_state x[] = { ...,
* e@p
  , ... };

@depends on base && context@
identifier t = {klp_sdk_state, klp_sdk_shadow_type, klp_patch, klp_sdk_patch};
identifier x;
position p : script:python() { (p[0].file, p[0].line, p[0].column) in flagged };
@@
* struct t x@p = {...};

@script:python depends on base && report@
@@
for p, text in findings:
    coccilib.report.print_report(p, text + " [klp_base]")

@script:python depends on base && org@
@@
for p, text in findings:
    coccilib.org.print_todo(p, text)
