// SPDX-License-Identifier: GPL-2.0
/// A post_unpatch undoes what pre_patch has taken over from the patch below.
///
/// An enable that is reversed runs pre_patch and then post_unpatch. If a patch below
/// has the state, and pre_patch has taken over its data, or has left its work to it,
/// then that patch goes on: post_unpatch must undo only what pre_patch itself has made.
///
/// Confidence: High
// Options: --no-includes --include-headers
// Keywords: livepatch, klp_get_prev_state, post_unpatch, reversed transition, use after free

virtual report
virtual patch
virtual context
virtual org

@initialize:python@
@@
import re

# What is known of the module: the files that spatch looks at together
defs = {}		# (file, function): names of its parameters
calls = []		# (function, name of what it calls, arguments, position)
roles = []		# (object, kind of callback, file, function, what its argument is)
sets = []		# (function, what is set, to what, position)
mine = set()		# (function, local variable)
conds = []		# (function, condition, where, range that depends on it, or its else)
breaks = []		# (function, position)
returns = []		# (function, position, value)
jumps = []		# (function, position, label)
arrays = {}		# array of states: the ids of its entries
parsed = {}		# text: its tree
found = {}		# position: message

UNDO = (r'free|(^|_)put(_|$)|(un|de)register|destroy|remove|(^|_)(del|dec)(_|$)|delete|cancel|stop|'
        r'release|undo|clean|exit|drop|teardown|shutdown|close|^call_s?rcu')
NO_UNDO = (r'(^|_)(seq|pr|dev|trace|print\w*)_|put_(user|unaligned)|^is_|_is_|'
           r'^klp_|mutex_|(spin|rw)_?lock|^timer_delete_hook$|_stopped$')
# What makes nothing if it gets NULL
NULL_IS_FINE = r'free|^debugfs_remove|^proc_remove$|^(kobject|module|fw|bus|device)_put$|^put_device$|destroy$'
NULL_IS_NOT = r'^free_(irq|netdev)|^destroy_workqueue$|^unregister'
GETS = r'(^|_)(get|inc|hold|ref|grab|pin)(_|$|\d)|^refcount_inc|_get$'
PUTS = r'(^|_)(put|dec|drop|release|unpin)(_|$)'
# What only hands on its argument
PARTS = r'(container_of|\w*list_(first|last|next|prev)?_?entry\w*|rb_entry\w*)$'
HANDS = r'(READ_ONCE|rcu_dereference\w*|rcu_access_pointer|smp_load_acquire|xchg|ERR_CAST|likely|unlikely)$'
# What pre_patch and post_unpatch do that is the opposite of each other: two words
OPPOSITES = (('register', 'unregister'), ('register', 'deregister'), ('add', 'del'), ('add', 'delete'),
             ('add', 'remove'), ('create', 'remove'), ('create', 'destroy'), ('create', 'unregister'),
             ('mkdir', 'remove'), ('get', 'put'), ('inc', 'dec'), ('alloc', 'free'), ('alloc', 'destroy'),
             ('request', 'free'), ('request', 'release'), ('run', 'stop'), ('start', 'cancel'),
             ('start', 'stop'), ('setup', 'remove'), ('enable', 'disable'), ('setup', 'shutdown'),
             ('hold', 'put'), ('set', 'clear'), ('init', 'exit'), ('init', 'destroy'),
             ('init', 'cleanup'), ('open', 'close'), ('map', 'unmap'), ('ioremap', 'iounmap'),
             ('schedule', 'cancel'), ('queue', 'cancel'), ('mod', 'del'), ('mod', 'delete'),
             ('mod', 'shutdown'), ('add', 'shutdown'), ('attach', 'detach'), ('symlink', 'remove'),
             ('dget', 'dput'), ('fget', 'fput'), ('igrab', 'iput'), ('open', 'put'))

def start(p):
    return (p.file, int(p.line), int(p.column))

def end(p):
    return (p.file, int(p.line_end), int(p.column_end))

def within(p, what):
    return start(what) <= start(p) < end(what)

def function(p):
    return (p.file, p.current_element)

def find(file, name):
    if (file, name) in defs:
        return (file, name)
    return next((d for d in sorted(defs) if d[1] == name), None)

# Expressions as trees: (kind, ...). What is not understood is ('?',).
TOKEN = re.compile(r'\s*(\x22(?:\\.|[^\x22\\])*\x22|\x27(?:\\.|[^\x27\\])*\x27|\w+|->|\+\+|--|<<=?|>>=?|'
                   r'[-+*/%&|^!=<>]=|&&|\|\||.)')
TYPE = r'(struct|union|enum|void|char|int|unsigned|signed|long|short|bool|const|volatile|__\w+|[us](8|16|32|64)|size_t)$'
BINARY = (('||',), ('&&',), ('|', '^', '&'), ('==', '!=', '<', '>', '<=', '>='), ('<<', '>>'),
          ('+', '-'), ('*', '/', '%'))

class Parser:
    def __init__(self, text):
        self.t = TOKEN.findall(text)
        self.i = 0

    def peek(self, n=0):
        return self.t[self.i + n] if self.i + n < len(self.t) else ''

    def next(self):
        self.i += 1
        return self.t[self.i - 1] if self.i <= len(self.t) else ''

    def expect(self, what):
        if self.next() != what:
            raise ValueError

    def assign(self):
        left = self.ternary()
        if re.match(r'([-+*/%&|^]|<<|>>)?=$', self.peek()):
            op = self.next()
            return ('set', left, op, self.assign())
        return left

    def comma(self):
        e = self.assign()
        while self.peek() == ',':
            self.next()
            e = self.assign()
        return e

    def ternary(self):
        c = self.binary(0)
        if self.peek() != '?':
            return c
        self.next()
        a = c if self.peek() == ':' else self.comma()
        self.expect(':')
        return ('if', c, a, self.ternary())

    def binary(self, level):
        if level == len(BINARY):
            return self.unary()
        e = self.binary(level + 1)
        while self.peek() in BINARY[level]:
            op = self.next()
            e = (op, e, self.binary(level + 1))
        return e

    # Is this a parenthesis around a type?
    def cast(self):
        n = 1
        words = []
        while re.match(r'\w+$|\*$', self.peek(n)):
            words.append(self.peek(n))
            n += 1
        if self.peek(n) != ')' or not words or words[0] == '*':
            return 0
        operand = re.match(r'[\w(\x22\x27&*!~-]', self.peek(n + 1))
        if re.match(TYPE, words[0]) or words[-1] == '*' and operand:
            return n + 1
        return n + 1 if re.match(r'[A-Za-z_\x22]', self.peek(n + 1)) else 0

    def unary(self):
        t = self.peek()
        if t == '(' and self.cast():
            self.i += self.cast()
            return self.unary()
        if t in ('!', '&', '*', '-', '~', '+', '++', '--'):
            self.next()
            return (t + 'x', self.unary())
        if t == 'sizeof':
            self.next()
            depth = 0
            while self.peek() and (depth or self.peek() == '('):
                depth += {'(': 1, ')': -1}.get(self.next(), 0)
                if not depth:
                    break
            else:
                self.unary()
            return ('?',)
        return self.postfix()

    def postfix(self):
        t = self.next()
        if t == '(':
            e = self.comma()
            self.expect(')')
        elif re.match(r'[\w\x22\x27]', t):
            e = ('name', t)
        else:
            raise ValueError
        while True:
            t = self.peek()
            if t in ('.', '->'):
                self.next()
                e = ('.', e, self.next())
            elif t == '[':
                self.next()
                e = ('[]', e, self.comma())
                self.expect(']')
            elif t == '(':
                self.next()
                args = []
                while self.peek() not in (')', ''):
                    begin = self.i
                    try:
                        args.append(self.assign())
                    except ValueError:
                        self.i = begin
                        depth = 0
                        while self.peek() and (depth or self.peek() not in ',)'):
                            depth += {'(': 1, ')': -1}.get(self.next(), 0)
                        args.append(('?',))
                    if self.peek() not in ',)':
                        args[-1] = ('?',)		# a type
                    while self.peek() not in (',', ')', ''):
                        self.next()
                    if self.peek() == ',':
                        self.next()
                self.expect(')')
                e = ('call', e, args)
            elif t in ('++', '--'):
                self.next()
            else:
                return e

def parse(text):
    text = str(text)
    if text not in parsed:
        try:
            p = Parser(text)
            parsed[text] = p.comma()
        except ValueError:
            parsed[text] = ('?',)
    return parsed[text]

# One run of a function: what its arguments are, and whether it is an undoing one,
# where what another branch does not take is no harm.
class Frame:
    def __init__(self, fn, env, undoing, seen=()):
        self.fn, self.env, self.undoing = fn, env, undoing
        self.seen = seen + (fn,)
        self.open = set()
        self.there_is = None	# a predecessor, where this one is called

    def call(self, name, args):
        fn = find(self.fn[0], name)
        if not fn or fn in self.seen or len(self.seen) > 4:
            return None
        env = {param: names(arg, self) for param, arg in zip(defs[fn], args)}
        return Frame(fn, env, self.undoing, self.seen)

def state_id(array, index):
    ids = arrays[array]
    if sum(len(a) for a in arrays.values()) == 1:
        return 'S'
    if re.match(r'\d+$', index) and int(index) < len(ids):
        return ids[int(index)]
    return '?'

# Which array of states is this?
def array_of(e):
    if e[0] == 'name' and e[1] in arrays:
        return e[1]
    if e[0] == '.' and e[2] == 'states' and len(arrays) == 1:
        return next(iter(arrays))
    return None

def id_of(e, frame):
    if sum(len(a) for a in arrays.values()) == 1:
        return 'S'
    got = names(e, frame)
    return next(iter(got)) if len(got) == 1 else '?'

# The names of what an expression may be, one for all ways to write it: the data of
# a state, "data(ID)", of the predecessor's, "prevdata(ID)", a static variable, or a
# part of them.
def names(e, frame):
    kind = e[0]
    array = array_of(e)
    if array:
        return {'state(%s)' % state_id(array, '0')}
    if kind == 'name':
        return named(e[1], frame)
    if kind in ('[]', '+') and array_of(e[1]):
        return {'state(%s)' % state_id(array_of(e[1]), e[2][1] if e[2][0] == 'name' else '')}
    if kind == '.':
        return {member(n, e[2]) for n in names(e[1], frame)}
    if kind == '[]':
        return {n + '.[]' for n in names(e[1], frame)}
    if kind in ('&x', '*x', '+', '-'):
        return names(e[1], frame)
    if kind == 'set':
        return names(e[3], frame)
    if kind == 'if':
        if frame.undoing and decides(e[1], frame):
            return set()
        return names(e[2], frame) | names(e[3], frame)
    if kind == 'call' and e[1][0] == 'name':
        return given(e[1][1], e[2], frame)
    return set()

def member(n, field):
    m = re.match(r'(prev|state)(\(.*?\))$', n)
    if m and field == 'data':
        return {'prev': 'prevdata', 'state': 'data'}[m.group(1)] + m.group(2)
    if m and field == 'id':
        return m.group(2)[1:-1]
    return n + '.' + field

def named(name, frame):
    if name == 'NULL':
        return set()
    if name in frame.env and (frame.fn, name) not in frame.open:
        out = set(frame.env[name])
    elif (frame.fn, name) in mine:
        out = set()
    else:
        return {name}
    if (frame.fn, name) in frame.open:
        return out
    frame.open.add((frame.fn, name))
    for fn, to, value, p in sets:
        if fn != frame.fn:
            continue
        if to == ('name', name) and not (frame.undoing and decided(p, frame)):
            out |= names(value, frame)
        elif value == ('name', name) and to[0] != 'name':
            out |= names(to, frame)
        elif value == ('name', name) and (fn, to[1]) not in mine:
            out.add(to[1])
    frame.open.discard((frame.fn, name))
    return out or {'%s:%s' % (frame.fn[1], name)}

def given(f, args, frame):
    if f == 'klp_get_prev_state' and args:
        return {'prev(%s)' % id_of(args[0], frame)}
    if f == 'klp_get_state' and len(args) > 1:
        return {'state(%s)' % id_of(args[1], frame)}
    if f in ('klp_shadow_get', 'klp_shadow_get_or_alloc') and len(args) > 1:
        return {'shadow(%s)' % '/'.join(names(args[1], frame))}
    if re.match(HANDS, f) and args:
        return names(args[0], frame)
    if re.match(PARTS, f) and args:
        return {n + '.[]' for n in names(args[0], frame)}
    if re.match(r'k(v)?memdup', f) and args:
        return {'copy:' + n for n in names(args[0], frame)}
    inner = frame.call(f, args)
    if not inner:
        return set()
    out = set()
    for fn, p, value in returns:
        if fn == inner.fn and not (frame.undoing and decided(p, inner)):
            out |= names(value, inner)
    return out

def same(a, b):
    if '(?)' in a or '(?)' in b:
        a, b = (re.sub(r'\(.*?\)', '(?)', x) for x in (a, b))
    return a == b

# Is @n @place, or a part of it?
def part(n, place):
    cut = n[:len(place)] if '(?)' not in n + place else None
    if cut is None:
        n, place = (re.sub(r'\(.*?\)', '(?)', x) for x in (n, place))
        cut = n[:len(place)]
    return cut == place and n[len(place):len(place) + 1] in ('', '.')

def is_theirs(n):
    return re.match(r'(prev|prevdata|shadow)\(', n)

# Does @e being true mean that there is a predecessor (True), that there is none
# (False), or something else (None)?
def meaning(e, frame, deep=0):
    if e[0] == '!x':
        m = meaning(e[1], frame, deep)
        return None if m is None else not m
    if e[0] in ('==', '!='):
        if e[2] in (('name', 'NULL'), ('name', '0'), ('name', 'false')):
            m = meaning(e[1], frame, deep)
            return None if m is None else m ^ (e[0] == '==')
        if e[1] == ('name', 'NULL'):
            m = meaning(e[2], frame, deep)
            return None if m is None else m ^ (e[0] == '==')
        return None
    if e[0] == 'call' and e[1][0] == 'name' and re.match(r'(un)?likely$', e[1][1]) and e[2]:
        return meaning(e[2][0], frame, deep)
    if e[0] == 'name' and deep < 3:
        told = {meaning(value, frame, deep + 1) for fn, to, value, p in sets
                if fn == frame.fn and to == e and (value[0] in ('!x', '==', '!=') or
                is_call(value))}
        if len(told) == 1 and None not in told:
            return told.pop()
    if is_call(e) and deep < 3:
        inner = frame.call(e[1][1], e[2])
        if inner:
            told = {meaning(value, inner, deep + 1) for fn, p, value in returns if fn == inner.fn}
            if len(told) == 1 and None not in told:
                return told.pop()
    got = names(e, frame)
    return True if got and all(re.match(r'(prev|prevdata|shadow)\([^.]*$', n) for n in got) else None

def is_call(e):
    return e[0] == 'call' and e[1][0] == 'name'

def parts(e, op):
    return parts(e[1], op) + parts(e[2], op) if e[0] == op else [e]

def leaves(fn, where):
    return [value for f, p, value in returns if f == fn and within(p, where)] + \
        [('name', 'goto') for f, p, label in jumps if f == fn and within(p, where)]

# What holds at @p: for each condition that it depends on, whether it is true there
def holds(p, fn):
    for f, cond, at, then, other in conds:
        if f != fn:
            continue
        if within(p, at) and cond[0] == '&&':
            yield parts(cond, '&&')[0], True, None
        elif within(p, then):
            for c in parts(cond, '&&'):
                yield c, True, None
        elif other and within(p, other):
            for c in parts(cond, '||'):
                yield c, False, None
        elif end(then) <= start(p) and leaves(fn, then) and not reached_by_goto(fn, then, p):
            for c in parts(cond, '||'):
                yield c, False, then
        elif other and end(other) <= start(p) and leaves(fn, other) and \
             not reached_by_goto(fn, other, p):
            for c in parts(cond, '&&'):
                yield c, True, other

# A branch that jumps here, or before it, does not leave.
def reached_by_goto(fn, where, p):
    if any(f == fn and within(at, where) for f, at, value in returns):
        return False
    labels = {label for f, at, label in jumps if f == fn and within(at, where)}
    return any(f == fn and label in labels and start(at) <= start(p) for f, at, label in targets)

targets = []		# (function, position, label)

# Is there a predecessor at @p? True, False, or None if that is not known, and
# whether the other way ends in an error.
def mode(p, frame):
    for c, truth, left in holds(p, frame.fn):
        m = meaning(c, frame)
        if m is None:
            continue
        if left and all(fails(v) for v in leaves(frame.fn, left)):
            continue
        return m == truth
    return frame.there_is

def fails(value):
    return value[0] == '-x' or is_call(value) and value[1][1] in ('PTR_ERR', 'ERR_PTR')

# In post_unpatch: a test of whether the thing is there tells nothing of its origin.
taken = {}		# place: (function, position) that took it

def decides(c, frame, truth=None):
    if truth is None and c[0] in ('&&', '||'):
        return decides(c[1], frame) or decides(c[2], frame)
    m = meaning(c, frame)
    if m is not None:
        return truth is None or m != truth
    while True:
        if c[0] in ('!x', '&x', '*x'):
            c = c[1]
        elif c[0] in ('==', '!=') and c[2] in (('name', 'NULL'), ('name', '0')):
            c = c[1]
        elif is_call(c) and c[2] and re.match(r'IS_ERR|WARN_ON|(un)?likely$|PTR_ERR', c[1][1]):
            c = c[2][0]
        else:
            break
    if c[0] not in ('name', '.', '[]', 'call', 'set'):
        return True
    if frame.fn in tops and c[0] == '.' and base(c) in defs.get(frame.fn, ())[:1]:
        return False			# which object it is
    got = names(c, frame)
    return not got or not all(re.match(r'state\(', n) or any(same(n, place) for place in taken)
                              or n in asked_for for n in got)

tops = set()		# post_unpatch functions
asked_for = set()	# the names of what is being undone

def base(e):
    while e[0] in ('.', '[]', '&x', '*x'):
        e = e[1]
    return e[1] if e[0] == 'name' else None

def decided(p, frame):
    return any(f == frame.fn and start(p) < start(at) for f, at in breaks) or any(decides(c, frame, truth) for c, truth, left in holds(p, frame.fn))

# All calls that a callback makes, in the frames that it makes them in
def walk(frame):
    for fn, name, args, p in calls:
        if fn != frame.fn:
            continue
        inner = frame.call(name, args)
        yield frame, name, args, p
        if inner and not frame.undoing:
            inner.there_is = mode(p, frame)
        if inner and not (frame.undoing and decided(p, frame)):
            for call in walk(inner):
                yield call

def frames(frame):
    out = [frame]
    for fn, name, args, p in calls:
        if fn == frame.fn:
            inner = frame.call(name, args)
            if inner:
                out += frames(inner)
    return out

def words(name):
    return {w.rstrip('s') for w in re.sub(r'(un|de)register', 'register', name).split('_')}

def opposite(do, undo):
    if not any(re.search(r'(^|_)%s(_|$)|^%s|%s$' % (a, a, a), do) and re.search(r'(^|_)%s|%s(_|$)' % (b, b), undo)
               for a, b in OPPOSITES):
        return False
    return bool((words(do) & words(undo)) - {'', 'or', 'and', 'the', 'all', 'sync'}) or \
        re.sub(r'\W', '', do)[:4] == re.sub(r'\W', '', undo)[:4] or (do, undo) in ODD

ODD = {('alloc_workqueue', 'destroy_workqueue'), ('refcount_inc', 'refcount_dec'),
       ('request_irq', 'free_irq'), ('dget', 'dput'), ('fget', 'fput'), ('igrab', 'iput'),
       ('mod_timer', 'timer_delete'), ('mod_timer', 'timer_delete_sync')}

@script:python@
@@
for known in (defs, calls, roles, sets, mine, conds, returns, jumps, arrays, parsed, found,
              breaks, targets, taken, tops, asked_for):
    known.clear()

@asked@
@@
\(klp_get_prev_state\|klp_shadow_get\|klp_shadow_get_or_alloc\)(...)

@def depends on asked@
identifier f;
parameter list ps;
position p;
@@
f@p(ps) { ... }

@script:python@
f << def.f;
ps << def.ps;
p << def.p;
@@
defs[(p[0].file, f)] = [(re.findall(r'\w+', x) or [''])[-1] for x in str(ps).split(',')]

@call depends on asked@
identifier f;
expression list es;
position p;
@@
f@p(es)

@script:python@
f << call.f;
es << call.es;
p << call.p;
@@
tree = parse('f(%s)' % es)
calls.append((function(p[0]), f, tree[2] if tree[0] == 'call' else [], p[0]))

// The designators are read in Python: to match them takes time exponential in
// the number of objects.
@object depends on asked@
identifier a;
initializer I;
position p;
@@
(
struct klp_object a[] = {..., I@p, ...};
|
struct klp_object a = I@p;
|
struct klp_callbacks a = I@p;
)

@script:python@
I << object.I;
p << object.p;
@@
for k, f in re.findall(r'\. ((?:pre|post)_(?:un)?patch) = (?:& ?)?(\w+)', str(I)):
    roles.append((start(p[0]), k, p[0].file, f))

@assigned depends on asked@
expression o;
identifier f;
identifier k = {pre_patch, post_unpatch};
position p;
@@
o->callbacks.k =@p f

@script:python@
o << assigned.o;
k << assigned.k;
f << assigned.f;
p << assigned.p;
@@
roles.append(((p[0].file, o), k, p[0].file, f))

@macro depends on asked@
declarer name KPATCH_PRE_PATCH_CALLBACK, KLP_PRE_PATCH_CALLBACK;
declarer name KPATCH_POST_UNPATCH_CALLBACK, KLP_POST_UNPATCH_CALLBACK;
identifier pre, last;
position p;
@@
(
KPATCH_PRE_PATCH_CALLBACK@p(pre);
|
KLP_PRE_PATCH_CALLBACK@p(pre);
|
KPATCH_POST_UNPATCH_CALLBACK@p(last);
|
KLP_POST_UNPATCH_CALLBACK@p(last);
)

@script:python@
p << macro.p;
pre << macro.pre = "";
last << macro.last = "";
@@
for k, f in (('pre_patch', pre), ('post_unpatch', last)):
    if f:
        roles.append((('', 'macro'), k, p[0].file, f))

@states depends on asked@
identifier a;
initializer list xs;
@@
struct klp_state a[...] = { xs };

@script:python@
a << states.a;
xs << states.xs;
@@
arrays[a] = [re.sub(r'\s', '', x) for x in re.findall(r'\. ?id = ([^,}]+)', str(xs))]

@set depends on asked@
expression L, R;
assignment operator op;
position p;
@@
L@p op R

@script:python@
L << set.L;
R << set.R;
p << set.p;
@@
sets.append((function(p[0]), parse(L), parse(R), p[0]))

@begun depends on asked@
type T;
identifier i;
expression R;
position p;
@@
T i@p = R;

@script:python@
i << begun.i;
R << begun.R;
p << begun.p;
@@
mine.add((function(p[0]), i))
sets.append((function(p[0]), ('name', i), parse(R), p[0]))

@once depends on asked@
expression L, R;
position p;
@@
\(WRITE_ONCE\|rcu_assign_pointer\|RCU_INIT_POINTER\)(L@p, R)

@script:python@
L << once.L;
R << once.R;
p << once.p;
@@
sets.append((function(p[0]), parse(L), parse(R), p[0]))

@each depends on asked@
iterator I =~ "^(h?list|plist)_for_each_entry";
expression x;
expression list es;
statement S;
position p;
@@
I(x@p, es) S

@script:python@
x << each.x;
es << each.es;
p << each.p;
@@
for arg in parse('f(%s)' % es)[2]:
    sets.append((function(p[0]), parse(x), ('[]', arg, ('?',)), p[0]))

@own depends on asked@
local idexpression v;
position p;
@@
v@p

@script:python@
v << own.v;
p << own.p;
@@
mine.add((function(p[0]), v))

@cond depends on asked@
expression e;
statement S;
position p, q;
@@
if (e@q) S@p

@script:python@
e << cond.e;
p << cond.p;
q << cond.q;
@@
conds.append((function(q[0]), parse(e), q[0], p[0], None))

// A switch cannot be matched as a whole. What is before a break
// is taken to depend on a test.
@choice depends on asked@
position p;
@@
break@p;

@script:python@
p << choice.p;
@@
breaks.append((function(p[0]), p[0]))

@either depends on asked disable neg_if@
expression e;
statement S1, S2;
position p1, p2, q;
@@
if (e@q) S1@p1 else S2@p2

@script:python@
e << either.e;
p1 << either.p1;
p2 << either.p2;
q << either.q;
@@
conds.append((function(q[0]), parse(e), q[0], p1[0], p2[0]))

@ternary depends on asked@
expression e, e1, e2;
position p1, p2, q;
@@
e@q ? e1@p1 : e2@p2

@script:python@
e << ternary.e;
p1 << ternary.p1;
p2 << ternary.p2;
q << ternary.q;
@@
conds.append((function(q[0]), parse(e), q[0], p1[0], p2[0]))

@leave depends on asked@
expression e;
position p;
@@
(
return@p;
|
return@p e;
)

@script:python@
p << leave.p;
e << leave.e = "";
@@
returns.append((function(p[0]), p[0], parse(e) if e else ('?',)))

@jump depends on asked@
identifier l;
position p;
@@
goto@p l;

@script:python@
l << jump.l;
p << jump.p;
@@
jumps.append((function(p[0]), p[0], l))

@target depends on asked@
identifier l;
position p;
@@
l@p:

@script:python@
l << target.l;
p << target.p;
@@
targets.append((function(p[0]), p[0], l))

@script:python depends on asked@
@@
def top(file, name, undoing):
    fn = find(file, name)
    return fn and Frame(fn, {param: {'obj'} for param in defs[fn][:1]}, undoing)

def key(obj, kind):
    return sorted({(file, f) for o, k, file, f in roles if o == obj and k == kind})

# What pre_patch functions take over, what they make, and whether there is a
# predecessor then
handles = set()		# places that were set to what was read there
copied = {}		# place: (function, position)
made = []		# (object, function, name, arguments, is there a predecessor?)
leaving = {}		# object: the pre_patch that does less with a predecessor
shadows = {}		# (object, id): (pre_patch, how it gets them)
fresh = set()		# parts that pre_patch sets itself

for obj, kind, file, f in roles:
    pre = kind == 'pre_patch' and top(file, f, False)
    if not pre:
        continue
    for frame in frames(pre):
        for fn, to, value, p in sets + sets:
            if fn != frame.fn:
                continue
            got = names(value, frame)
            places = {n for n in names(to, frame) if not is_theirs(n) and ':' not in n}
            if to[0] == 'name' and (fn, to[1]) in mine:
                continue
            if any(is_theirs(n) or n in taken for n in got):
                by_value = value[0] == '*x' and not any(n.startswith('prev(') for n in got)
                for place in places:
                    place = re.sub(r'^state\(', 'data(', place)
                    if by_value and to[0] != '*x':
                        handles.add(place)
                    (copied if by_value else taken).setdefault(place, (f, p))
            elif any(n.startswith('copy:prevdata') for n in got):
                for place in places:
                    copied.setdefault(place, (f, p))
            else:
                fresh |= places
        for fn, name, args, p in calls:
            if fn == frame.fn and re.match(r'(__builtin_)?mem(cpy|move)$', name) and len(args) > 1 and \
               any(n.startswith('prevdata(') for n in names(args[1], frame)):
                for place in names(args[0], frame):
                    if not is_theirs(place) and ':' not in place:
                        copied.setdefault(place, (f, p))
        for fn, cond, at, then, other in conds:
            if fn == frame.fn and any(meaning(c, frame) is not None for c in parts(cond, '&&')) and \
               not all(fails(v) for v in leaves(fn, then) or [('?',)]):
                leaving.setdefault(obj, f)
    for frame, name, args, p in walk(pre):
        there_is = mode(p, frame)
        outer = [names(a, frame) for a in args]
        outer += [names(to, frame) for fn, to, value, at in sets
                  if fn == frame.fn and is_call(value) and value[1][1] == name]
        for a in args:
            if a[0] == '&x':
                fresh |= names(a, frame)
        made.append((obj, f, name, outer, there_is))
        if re.match(r'klp_shadow_(get|alloc|get_or_alloc)$', name) and len(args) > 1:
            shadows.setdefault((obj, '/'.join(names(args[1], frame))), []).append((name, there_is, f))

# Calls that run under both, in two branches, run always.
def made_by(obj, undo, outer):
    out = []
    for o, f, name, args, there_is in made:
        if o != obj or not opposite(name, undo):
            continue
        if args and outer and set().union(*args) & set().union(*outer) or \
           not set().union(*args, *outer):
            out.append((f, name, there_is))
    return out

def counted(undo, thing):
    for o, f, name, args, there_is in made:
        if there_is is not False and re.search(GETS, name) and re.search(PUTS, undo) and \
           any(same(n.replace('prevdata(', 'data('), thing) or n == thing
               for a in args for n in a):
            return True
    return False

# Has this been set to something else right before?
def replaced(e, frame, p):
    last = max((start(at) for fn, to, value, at in sets if fn == frame.fn and to == e and
                start(at) < start(p) and names(value, frame)), default=('', 0, 0))
    return any(fn == frame.fn and to == e and last < start(at) < start(p) and
               not names(value, frame) for fn, to, value, at in sets)

def judge(obj, f, frame, name, args, p):
    outer = [names(a, frame) for a in args]
    if name.startswith('klp_shadow_free') and len(args) > 1:
        number = '/'.join(names(args[0 if name.endswith('_all') else 1], frame))
        ways = shadows.get((obj, number), [])
        if any(w == 'klp_shadow_alloc' and there_is is None for w, there_is, by in ways) and \
           not any(w == 'klp_shadow_get' for w, there_is, by in ways):
            return None
        by = next((by for w, there_is, by in ways if w != 'klp_shadow_alloc'), leaving.get(obj))
        return by and "%s() calls %s() on what may be those of the patch below, as %s() has met it" % (
            f, name, by)
    if not re.search(UNDO, name) or re.search(NO_UNDO, name):
        return None
    for a, got in zip(args, outer):
        for n in sorted(got):
            if replaced(a, frame, p) or counted(name, n):
                continue
            for place, (by, at) in sorted(taken.items(), key=lambda x: x[0]):
                if part(n, place) and not any(part(n, x) for x in fresh if x != place and part(x, place)):
                    return "%s() calls %s() on what %s() may have taken over from the patch below" % (
                        f, name, by)
            for place, (by, at) in copied.items():
                if part(n, place) and a[0] != '&x' and (n in handles or n != place and n not in fresh):
                    return "%s() calls %s() on a pointer that %s() may have copied from the patch below" % (
                        f, name, by)
    ways = made_by(obj, name, outer)
    if ways and all(there_is is False for by, do, there_is in ways):
        variables = any(a[0] in ('name', '.') and got & fresh for a, got in zip(args, outer))
        if variables and re.search(NULL_IS_FINE, name) and not re.search(NULL_IS_NOT, name):
            return None
        return "%s() calls %s(), but if a patch below has the state, %s() does not call %s()" % (
            f, name, ways[0][0], ways[0][1])
    return None

# A test that does not tell whose the data is: of whether a step has failed
def is_failure_test(c, frame):
    while c[0] in ('!x', '==', '!=', '<', '>', '<=', '>='):
        c = c[1]
    got = names(c, frame)
    if got and all(n in taken for n in got):
        return True			# is it there?
    if c[0] != 'name':
        return is_call(c) and not frame.call(c[1][1], c[2])
    values = [value for fn, to, value, p in sets if fn == frame.fn and to == c]
    return any(map(is_call, values)) and all(is_call(v) or v[0] == '-x' or v == ('name', '0')
                                             for v in values)

# Does a step that fails undo what pre_patch has taken over before it?
for obj, kind, file, f in roles:
    pre = kind == 'pre_patch' and top(file, f, False)
    for frame, name, args, p in list(walk(pre)) if pre else ():
        if find(frame.fn[0], name) or not re.search(UNDO, name) or re.search(NO_UNDO, name) or \
           mode(p, frame) is not None:
            continue
        if any(meaning(c, frame) is None and not is_failure_test(c, frame)
               for c, truth, left in holds(p, frame.fn)):
            continue
        for a in args:
            for n in names(a, frame):
                by, at = taken.get(n, (None, None))
                if at and function(at) == frame.fn and start(at) < start(p) and not counted(name, n) and \
                   not any(fn == frame.fn and within(at, then) and leaves(fn, then)
                           for fn, cond, q, then, other in conds):
                    found[start(p)] = "%s() calls %s() on what it may have taken over from the patch " \
                        "below; that one goes on without it; test whether it is so" % (f, name)

for obj, kind, file, f in roles:
    if kind == 'post_unpatch' and find(file, f):
        tops.add(find(file, f))
for obj, kind, file, f in roles:
    post = kind == 'post_unpatch' and top(file, f, True)
    if not post:
        continue
    for frame, name, args, p in list(walk(post)):
        if find(frame.fn[0], name):
            continue
        asked_for.clear()
        for a in args:
            for n in names(a, frame):
                asked_for.update('.'.join(n.split('.')[:i + 1]) for i in range(n.count('.') + 1))
        message = judge(obj, f, frame, name, args, p)
        # Made here or not at all: then a test of the thing itself tells.
        if message and ' does not call ' in message:
            asked_for.clear()
        if message and not decided(p, frame):
            found[start(p)] = message + "; a reversal leaves that one without it; " \
                "test a flag that pre_patch sets"

@at depends on context || org || report@
identifier f;
position p : script:python() { start(p[0]) in found };
@@
* f@p(...)

@script:python depends on report@
p << at.p;
@@
coccilib.report.print_report(p[0], "error: %s [klp_undoes_inherited]" % found[start(p[0])])

@script:python depends on org@
p << at.p;
@@
coccilib.org.print_todo(p[0], found[start(p[0])])
