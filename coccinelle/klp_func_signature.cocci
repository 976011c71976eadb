// SPDX-License-Identifier: GPL-2.0
/// A replacement has another signature than the function that it replaces.
///
/// The kernel knows both by address only: callers of the original pass what its
/// prototype says and use what it returns. Neither compiler nor kernel notices that
/// the replacement takes something else. Compares with the prototypes and
/// definitions that the patch's own files have.
///
/// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_func, new_func, old_name, prototype

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import re

# bytes, and whether signed, on the 64 bit machines that have livepatches
BASIC = {
	"void": (0, False), "bool": (1, False), "_Bool": (1, False),
	"char": (1, None), "short": (2, True), "int": (4, True), "long": (8, True),
	"uint": (4, False), "ulong": (8, False), "ushort": (2, False),
	"size_t": (8, False), "ssize_t": (8, True), "loff_t": (8, True),
	"ptrdiff_t": (8, True), "uintptr_t": (8, False), "pid_t": (4, True),
	"gfp_t": (4, False), "umode_t": (2, False), "dev_t": (4, False),
	"sector_t": (8, False), "time64_t": (8, True), "ktime_t": (8, True),
}
for bits in (8, 16, 32, 64):
	for name in ("u%d", "__u%d", "uint%d_t", "__le%d", "__be%d"):
		BASIC[name % bits] = (bits >> 3, False)
	for name in ("s%d", "__s%d", "int%d_t"):
		BASIC[name % bits] = (bits >> 3, True)

# what may stand in a type and does not change how it is passed
NO_TYPE = { "const", "volatile", "restrict", "register", "static", "extern",
	    "inline", "asmlinkage", "noinline", "notrace", "noinstr", "__user",
	    "__kernel", "__iomem", "__percpu", "__rcu", "__force", "__init",
	    "__exit", "__cold", "__hot", "__used", "__sched", "__visible",
	    "__weak", "__maybe_unused", "__always_unused", "__must_check",
	    "__net_init", "__net_exit", "__noreturn", "__ref", "__always_inline",
	    "__klp_init", "fastcall", "__pure", "__nonstring", "__restrict" }

class Type:
	def __init__(self, text):
		tokens = [t for t in re.findall(r"\w+|\S", text)
			  if t not in NO_TYPE]
		self.text = " ".join(text.split())
		# known: all there is to know; a typedef or a macro could be anything
		self.known = "(" not in tokens
		self.depth = tokens.count("*") + ("[" in tokens)
		self.size = None
		self.signed = None
		self.tag = None
		if not self.known:
			# the address of a function, or an attribute with arguments
			return
		if "[" in tokens:
			tokens = tokens[:tokens.index("[")]
		words = [t for t in tokens if t != "*"]
		if words[:1] == ["enum"]:
			self.size = 4
		elif words[:1] in (["struct"], ["union"]):
			self.tag = " ".join(words[:2])
		elif set(words) & { "unsigned", "signed", "long", "short", "char" }:
			self.signed = "unsigned" not in words
			self.size = 8 if "long" in words else 2 if "short" in words \
				    else 1 if "char" in words else 4
		elif words and words[0] in BASIC:
			self.size, self.signed = BASIC[words[0]]
		else:
			self.known = False
		# without the name of the parameter
		last = tokens[-1:]
		if last and self.known and last[0] not in BASIC and \
		   last[0] not in ("*", "unsigned", "signed") and self.tag != " ".join(tokens[-2:]) and \
		   tokens[-2:-1] != ["enum"]:
			self.text = re.sub(r"\s*\b%s\b(?=\W*$)" % last[0], "", self.text)
		self.text = re.sub(r"\*\s+(?=\*)", "*", self.text)

	# None, or what is to be said: is it bound to break?
	def differs(self, other):
		if not self.known or not other.known:
			return None
		if self.depth and other.depth:
			if self.depth != other.depth:
				void = self if self.depth < other.depth else other
				return None if void.size == 0 else False
			if 0 in (self.size, other.size) or self.tag == other.tag and \
			   self.size == other.size:
				return None
			return self.tag is None and other.tag is None
		if self.depth or other.depth:
			value = other if self.depth else self
			return value.size != 8
		if self.tag != other.tag or self.size != other.size:
			return other.size != 0
		if None in (self.signed, other.signed) or self.signed == other.signed:
			return None
		return False

class Function:
	def __init__(self, p, result, parameters):
		parameters = str(parameters)
		self.file = p[0].file
		self.line = int(p[0].line)
		self.result = Type(result)
		self.unknown = not parameters.strip()
		parts, depth = [""], 0
		for c in parameters:
			depth += (c in "([{") - (c in ")]}")
			if c == "," and not depth:
				parts.append("")
			else:
				parts[-1] += c
		self.parameters = [Type(part) for part in parts]
		if len(parts) == 1 and self.parameters[0].size == 0 and \
		   not self.parameters[0].depth:
			self.parameters = []

	# None, or whether it is bound to break, and how
	def differs(self, name, old, old_name):
		found = []
		if not self.unknown and not old.unknown:
			if len(self.parameters) != len(old.parameters):
				return True, "%s() has another number of parameters than %s(), %d and not %d" % (
					name, old_name, len(self.parameters), len(old.parameters))
			for i, (a, b) in enumerate(zip(self.parameters, old.parameters)):
				found.append((a.differs(b), "parameter %d of %s() is %s, that of %s() is %s" %
					      (i + 1, name, a.text, old_name, b.text)))
		a, b = self.result, old.result
		found.append((a.differs(b), "%s() returns %s, %s() returns %s" %
			      (name, a.text, old_name, b.text)))
		found = [f for f in found if f[0] is not None]
		return max(found, key=lambda f: f[0]) if found else None

	# Is there an #if around it, other than the guard of a header?
	def conditional(self):
		try:
			with open(self.file, errors="replace") as source:
				lines = source.readlines()[:self.line]
		except OSError:
			return False
		around = []
		for i, line in enumerate(lines):
			word = re.match(r"\s*#\s*(ifndef|if|endif)\w*\s*(\w*)", line)
			if word and word[1] != "endif":
				guard = word[1] == "ifndef" and \
					re.match(r"\s*#\s*define\s+%s\b" % word[2], "".join(lines[i + 1:i + 2]))
				around.append(not guard)
			elif word and around:
				around.pop()
		return any(around)

@initialize:python depends on report@
@@
def tell(p, text):
	coccilib.report.print_report(p[0], text + " [klp_func_signature]")

@initialize:python depends on org@
@@
def tell(p, text):
	coccilib.org.print_todo(p[0], text)

// For one group of files.
@script:python@
@@
originals = {}
known = {}
said = {}

@func@
identifier a, f;
expression E, N;
@@
(
struct klp_func a[] = {..., {..., .old_name = E, .new_func = f, ...}, ...};
|
struct klp_func a[N] = {..., {..., .old_name = E, .new_func = f, ...}, ...};
|
struct klp_func a[] = {..., {E, f, ...}, ...};
|
struct klp_func a[N] = {..., {E, f, ...}, ...};
)

@script:python@
E << func.E;
f << func.f;
@@
originals.setdefault(f, set()).add(E.strip('"'))

@declared@
type T;
identifier f;
parameter list ps;
position p;
@@
T f@p(ps);

@defined@
type T;
identifier f;
parameter list ps;
position p;
@@
T f@p(ps) { ... }

@script:python@
T << declared.T;
f << declared.f;
ps << declared.ps;
p << declared.p;
@@
known.setdefault(f, []).append(Function(p, T, ps))

@script:python@
T << defined.T;
f << defined.f;
ps << defined.ps;
p << defined.p;
@@
known.setdefault(f, []).append(Function(p, T, ps))

@script:python@
T << defined.T;
f << defined.f;
ps << defined.ps;
p << defined.p;
@@
new = Function(p, T, ps)
text = None
for name in sorted(originals.get(f, ())):
	olds = known.get(name, [])
	how = [new.differs(f, old, name) for old in olds]
	# one that fits is enough; alternatives for several kernels are not compared
	if how and all(how) and \
	   not any(each.conditional() for each in olds + [new]):
		text = "%s: %s; give it the original's signature" % (
			"error" if how[0][0] else "warning", how[0][1])
if text:
	said[f, new.file, new.line] = text

@depends on context@
type T;
identifier f;
position p : script:python(f) { (f, p[0].file, int(p[0].line)) in said };
@@
  T
* f@p
  (...) { ... }

@script:python depends on report || org@
f << defined.f;
p << defined.p;
@@
key = f, p[0].file, int(p[0].line)
if key in said:
	tell(p, said[key])
