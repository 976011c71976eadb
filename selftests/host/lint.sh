#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# lint.sh SERIES - the driver of make lint: what it reports and how, its exit
# status, silencing, repairs, what makes up a module, bad input. The rules are
# those of selftests/host/lint, the modules are written here. Prints KTAP.
# shellcheck disable=SC2016	# what make is to expand
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck disable=SC1091
. "$top/tools/lib.sh"
use_spatch
series=${1:-6.12}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0

unset MAKEFLAGS MFLAGS MAKEOVERRIDES M
make -s -C "$top/tools/lint" O="$top/build/lint"
kdir=$("$top/tools/kernel.sh" "$series")/kdir
export KLP_SDK_LINT_RULES_DIR=$here/lint/rules
# Where the driver has its copies: nothing may stay.
mkdir "$tmp/tmp" "$tmp/w"
export TMPDIR=$tmp/tmp
cd "$tmp/w"

# report NAME GOOD
report() {
	n=$((n + 1))
	if [[ $2 ]]; then
		echo "ok $n - lint-$1"
	else
		echo "# status $status, stdout: ${out//$'\n'/$'\n'# }"
		echo "# stderr: ${err//$'\n'/$'\n'# }"
		echo "not ok $n - lint-$1"
	fi
}

# lint ARGS... - sets status, out and err
lint() {
	status=0
	out=$("$top/build/lint/lint" --sdk "$top" --kdir "$kdir" "$@" 2>"$tmp/err") || status=$?
	err=$(cat "$tmp/err")
}

# prints NAME STATUS ARGS... - stdin is what the driver prints to its stdout
prints() {
	local name=$1 expected=$2 want good=
	want=$(cat)
	lint "${@:3}"
	if [[ $out == "$want" && $status == "$expected" ]]; then good=1; fi
	[[ $good ]] || echo "# expected status $expected and: ${want//$'\n'/$'\n'# }"
	report "$name" "$good"
}

# refuses NAME WORDS ARGS... - fails with one line, which has the words in it
refuses() {
	local good=
	lint "${@:3}"
	if [[ $status == 2 && ! $out && $(wc -l <<<"$err") == 1 && $err == *"$2"* ]]; then good=1; fi
	[[ $good ]] || echo "# expected one line with: $2"
	report "$1" "$good"
}

# module FOLDER MODULES KBUILD - a folder with a Kbuild file; sources as on stdin,
# each behind a line "FILE:"
module() {
	local line file=
	mkdir -p "$1"
	[[ ! $2 ]] || printf '%s\n' "$2" >"$1/Kbuild"
	while IFS= read -r line; do
		if [[ $line == *.[ch]: ]]; then
			file=$1/${line%:}
			: >"$file"
		else
			printf '%s\n' "$line" >>"$file"
		fi
	done
}

echo "KTAP version 1"
echo "1..45"

# Rules that fail: this is no clean run, and what others find is printed. It takes
# until the time limit, beside the others. The hanging rule waits for a program.
mkdir "$tmp/fails"
printf 'void hang(void) { forbidden(1); }\n' >"$tmp/fails/hang.c"
printf 'void chat(void) { }\n' >"$tmp/fails/chat.c"
printf 'void raises(void) { }\n' >"$tmp/fails/raises.c"
(
	cd "$tmp/fails"
	code=0
	KLP_SDK_LINT_RULES_DIR=$here/lint/broken KLP_SDK_LINT_TIMEOUT=6 HANG=1000.$$ \
		"$top/build/lint/lint" --sdk "$top" --rules 't_*' hang.c chat.c raises.c \
		>"$tmp/fails/out" 2>"$tmp/fails/err" || code=$?
	echo "$code" >"$tmp/fails/status"
) &

# What is found: sorted, each once, though two modules have the header and a
# folder is named twice. Nothing is found elsewhere.
module two '' <<'C'
b.c:
#include "../common.h"
int b(void)
{
	forbidden(2); forbidden(1);
	return 0;
}
a.c:
#include "../common.h"
int a(void)
{
	return forbidden("a, b: 100%");
}
C
cat >common.h <<'C'
static inline int c(void)
{
	return forbidden(3);
}
C
prints findings 1 --rules 't_*' two ./two <<'OUT'
common.h:3:8: error: forbidden(3); call allowed() [t_call]
two/a.c:4:8: error: forbidden("a, b: 100%"); call allowed() [t_call]
two/b.c:4:1: error: forbidden(2); call allowed() [t_call]
two/b.c:4:15: error: forbidden(1); call allowed() [t_call]
OUT
report summary "$([[ $err =~ ^'klp-sdk: lint: 4 errors, 0 warnings; 4 rules, 4 modules, 3 files, '[0-9.]+' s'$ ]] && echo 1)"
prints selected 0 --rules 't_never t_state' two </dev/null
prints one-file 1 --rules t_call "$tmp/w/two/b.c" <<'OUT'
common.h:3:8: error: forbidden(3); call allowed() [t_call]
two/b.c:4:1: error: forbidden(2); call allowed() [t_call]
two/b.c:4:15: error: forbidden(1); call allowed() [t_call]
OUT
prints elsewhere 1 --rules t_call "$here/lint/elsewhere.c" <<OUT
$here/lint/elsewhere.c:5:8: error: forbidden(1); call allowed() [t_call]
OUT

# Forms for code review
prints github 1 --rules t_call --format github two/a.c <<'OUT'
::error file=common.h,line=3,col=9,title=t_call::forbidden(3); call allowed()
::error file=two/a.c,line=4,col=9,title=t_call::forbidden("a, b: 100%25"); call allowed()
OUT
lint --rules t_call,t_state --format sarif two/a.c
good=
if [[ $status == 1 ]] && jq -e '
	.version == "2.1.0" and (.runs | length) == 1 and (.runs[0] |
	(.tool.driver.rules | map(.id)) == ["t_call", "t_state", "klp_lint_comment"] and
	(.tool.driver.rules[0] | .shortDescription.text == "Nobody calls forbidden()." and
		.helpUri == "docs/lint/t_call.md") and
	.invocations[0].executionSuccessful and
	(.results | length) == 2 and
	(.results[1] | .ruleId == "t_call" and .ruleIndex == 0 and .level == "error" and
		.message.text == "forbidden(\"a, b: 100%\"); call allowed()" and
		(.locations[0].physicalLocation |
			.artifactLocation.uri == "two/a.c" and
			.region == { startLine: 4, startColumn: 9 })))' <<<"$out" >/dev/null; then
	good=1
fi
report sarif "$good"

# What spatch sees in place of the SDK's macros, and where that is
cat >macros.c <<'C'
KLP_SDK_STATE(one, struct x, .version = 7, .id = 1);
KLP_SDK_STATE(two, /* a, (b */ struct x,
	      .name = "),(", /* ) */
	      .version = 7);
KLP_SDK_SHADOW(three, struct a /* { */,
	       struct b,	.version = 3);
KLP_SDK_STATE(four,
	      struct x // (
	      , .version = 9);
KLP_SDK_PATCH(.objs = X(')'), .version = 7);
/* in a comment:
KLP_SDK_STATE(five, struct x, .version = 7); */
#define FIVE \
KLP_SDK_STATE(five, struct x, .version = 7)
int six(int a, /*
KLP_SDK_STATE(*/ int b, int c);
int f(void)
{
	KLP_SDK_STATE(five, struct x, .version = 7);
	return 0;
}
C
prints macros 1 --rules t_state macros.c <<'OUT'
macros.c:1:0: warning: one is a seven [t_state]
macros.c:1:0: warning: version 7 [t_state]
macros.c:2:0: warning: two is a seven [t_state]
macros.c:4:18: warning: version 7 [t_state]
macros.c:5:0: warning: of type struct b [t_state]
macros.c:9:20: warning: version 9 [t_state]
OUT

# Repairs: the diff fits what the author has written, macros and all
cat >repair.c <<'C'
KLP_SDK_STATE(two, struct x,
	      .name = "two",
	      .version = 7,
	      .id = 1);
KLP_SDK_STATE(last, struct x,
	      .version = 7);
int f(void)
{
	return forbidden(1);
}
C
cp repair.c repaired.c
lint --mode patch --rules 't_*' repair.c
report patch-status "$([[ $status == 1 ]] && echo 1)"
printf '%s\n' "$out" >repair.diff
good=
if patch -s -p1 --dry-run <repair.diff >/dev/null && git apply --check repair.diff &&
	patch -s repaired.c <repair.diff && [[ $(cat repaired.c) == "\
KLP_SDK_STATE(two, struct x,
	      .name = \"two\",
	      .version = 8,
	      .id = 1);
KLP_SDK_STATE(last, struct x,
	      .version = 8);
int f(void)
{
	return allowed(1);
}" ]]; then
	good=1
fi
report patch-applies "$good"
prints patch-nothing 0 --mode patch --rules 't_*' repaired.c </dev/null

# Silencing
cat >silence.c <<'C'
int f(void)
{
	forbidden(1);	/* klp-lint: ignore t_call: a reason */
	/* klp-lint: ignore t_call: a reason,
	 * in two lines */
	/* klp-lint: ignore t_never: which does not see this */
	forbidden(2);
	forbidden(3);	// klp-lint: ignore t_call: a reason
	forbidden(4);
	/* klp-lint: ignore sparse: which is not run */
	return 0;	/* this klp-lint: stands within */
}
C
prints silencing 1 --rules 't_*' silence.c <<'OUT'
silence.c:6:1: warning: silences nothing: t_never finds nothing here [klp_lint_comment]
silence.c:9:1: error: forbidden(4); call allowed() [t_call]
OUT
report silenced "$([[ $err == *"1 error, 1 warning, 3 silenced;"* ]] && echo 1)"
prints silencing-not-run 1 --rules t_call silence.c <<'OUT'
silence.c:9:1: error: forbidden(4); call allowed() [t_call]
OUT
cat >silence-bad.c <<'C'
int f(void)
{
	forbidden(1);	/* klp-lint: ignore t_call */
	forbidden(2);	/* klp-lint: ignore t_call: */
	forbidden(3);	/* klp-lint: ignore t_cal: a reason */
	forbidden(4);	/* klp-lint: disable t_call: a reason */
	forbidden(5);

	/* klp-lint: ignore t_call: not the line below */
	return 0;
}
const char *s = "/* klp-lint: ignore t_call: a string */";
C
prints silencing-bad 1 --rules t_call silence-bad.c <<'OUT'
silence-bad.c:3:1: error: forbidden(1); call allowed() [t_call]
silence-bad.c:3:15: warning: silences t_call without a reason; write "klp-lint: ignore t_call: reason" [klp_lint_comment]
silence-bad.c:4:1: error: forbidden(2); call allowed() [t_call]
silence-bad.c:4:15: warning: silences t_call without a reason; write "klp-lint: ignore t_call: reason" [klp_lint_comment]
silence-bad.c:5:1: error: forbidden(3); call allowed() [t_call]
silence-bad.c:5:15: warning: silences t_cal, and there is no such rule [klp_lint_comment]
silence-bad.c:6:1: error: forbidden(4); call allowed() [t_call]
silence-bad.c:6:15: warning: this is no "klp-lint: ignore RULE: reason" [klp_lint_comment]
silence-bad.c:7:1: error: forbidden(5); call allowed() [t_call]
silence-bad.c:9:1: warning: silences nothing: t_call finds nothing here [klp_lint_comment]
OUT

# What a module is. t_never finds probe() where no file of the module has mark().
module composite 'obj-m := marked.o plain.o sub/ klp_sdk_made_elsewhere/
marked-y := m1.o
ifdef CONFIG_LIVEPATCH
marked-y += m2.o
endif
plain-objs := \
	p1.o
obj-$(CONFIG_NO_SUCH_OPTION) += off.o marked_off.o
marked_off-y := off1.o off2.o
ifneq ($(KERNELRELEASE),)
obj-m += late.o
endif' <<'C'
m1.c:
void m1(void) { mark(1); }
m2.c:
void probe(void) { }
p1.c:
#include "p.h"
p.h:
static void probe(void) { }
off.c:
void probe(void) { }
off1.c:
void off1(void) { mark(1); }
off2.c:
void probe(void) { }
late.c:
void probe(void) { }
loose.c:
void probe(void) { }
C
module composite/sub 'obj-m := below.o' <<'C'
below.c:
static void probe(void) { }
C
module composite/klp_sdk_made_elsewhere 'klp-sdk-m := with_sdk.o
with_sdk-y := v1.o v2.o
KLP_SDK ?= $(src)/nowhere
include $(KLP_SDK)/sdk/Kbuild.include' <<'C'
v1.c:
static void probe(void) { }
v2.c:
void m2(void) { mark(2); }
C
prints modules 1 --rules t_never composite <<'OUT'
composite/late.c:1:5: warning: probe() and no mark() in the module [t_never]
composite/loose.c:1:5: warning: probe() and no mark() in the module [t_never]
composite/off.c:1:5: warning: probe() and no mark() in the module [t_never]
composite/p.h:1:12: warning: probe() and no mark() in the module [t_never]
composite/sub/below.c:1:12: warning: probe() and no mark() in the module [t_never]
OUT
prints one-file-alone 1 --rules t_never composite/m2.c <<'OUT'
composite/m2.c:1:5: warning: probe() and no mark() in the module [t_never]
OUT

# An older source of the same patch
mkdir old new
echo 'int was(void) { return 1; }' >old/patch.c
echo 'int was(void) { return 1; } int is(void) { return 1; }' >new/patch.c
prints base 1 --rules t_base --base old new <<'OUT'
new/patch.c:1:4: warning: was() was in old/patch.c [t_base]
OUT
prints base-none 0 --rules t_base new </dev/null
refuses base-unused "no rule that is selected compares" --rules t_call --base old new
refuses base-missing "older: no such file or folder" --rules t_base --base older new

# Bad input
mkdir empty "with blank" broken unnamed
touch "with blank/a.c"
echo 'obj-m := missing.o' >unnamed/Kbuild
echo '$(error on purpose)' >broken/Kbuild
refuses path-missing "none: no such file or folder" --rules t_call none
refuses path-empty "empty: no C files" --rules t_call empty
refuses path-blank "with blank: modules cannot be built" --rules t_call "with blank"
refuses path-other "repair.diff is neither" --rules t_call repair.diff
refuses kbuild-missing "module missing, and there is no source" --rules t_call unnamed
refuses kbuild-broken "on purpose" --rules t_call broken
refuses rule-unknown "no rule is named t_none" --rules 't_call t_none' two
refuses mode-unknown "MODE=report,patch" --mode report,patch two
refuses kdir-missing "KDIR=$tmp/none: no such directory" --kdir "$tmp/none" two
# Code that spatch passes over in silence. A macro's definition is none.
cat >unparsable.c <<'C'
#define OPEN {
#define FIELDS	.a = 1, .b = 2
int fine(void) OPEN return 1; }

int broken(void)
{
	if (fine()
		return 1;
}
C
refuses unparsable "unparsable.c:8: " --rules t_call unparsable.c
sed -i '/if/s/$/)/' unparsable.c
prints parsable 0 --rules t_call unparsable.c </dev/null
printf 'int a;\n/* int b;\n' >open.c
refuses comment-open "open.c:2: " --rules t_call open.c

# sparse, with the flags that Kbuild gives it; nothing is written to the folder.
module sparse 'klp-sdk-m := user.o
user-y := read.o state.o
ccflags-y += -DREAD_NOTHING
ccflags-remove-y += -DNONE
include $(KLP_SDK)/sdk/Kbuild.include' <<'C'
read.c:
// SPDX-License-Identifier: GPL-2.0
#include <linux/uaccess.h>
#include "read.h"

#ifdef READ_NOTHING
int read_it(int __user *from)
{
	return *from;	/* a tab before it */
}
#endif

int quiet(int __user *from)
{
	return *from;	/* klp-lint: ignore sparse: it is a test */
}
read.h:
int read_it(int __user *from);
int quiet(int __user *from);
static int *here __maybe_unused = (int __user *)8;
state.c:
// SPDX-License-Identifier: GPL-2.0
#include <klp-sdk/klp-sdk.h>

struct s {
	int a;
};

KLP_SDK_STATE(s, struct s,
	      .id	= 5,
	      .version	= 1);
C
lint --rules sparse sparse
good=
if [[ $status == 1 && $out =~ ^"sparse/read.c:8:9: error: dereference of noderef expression [sparse]
sparse/read.h:3:35: error: incorrect type in initializer (different address spaces), "[^$'\n']*" [sparse]
sparse/state.c:8:0: error: incorrect type in initializer (different base types), "[^$'\n']*" [sparse]"$ &&
	$(ls sparse) == $'Kbuild\nread.c\nread.h\nstate.c' ]]; then
	good=1
fi
report sparse "$good"
lint --rules sparse sparse/read.c
report sparse-one-file "$([[ $status == 1 && $out == *"sparse/read.c:8:9: error: "* && $out != *state.c* ]] && echo 1)"
cat >uncompiled.c <<'C'
#include "no-such.h"
C
lint --rules sparse uncompiled.c
report sparse-uncompiled "$([[ $status == 2 && $err == *"uncompiled.c"*"no-such.h"* ]] && echo 1)"

# As people call it
status=0 out='' err=
out=$(make -s -C "$top" lint M="$top/examples/loglevel" RULES='t_call sparse' KDIR="$kdir" 2>"$tmp/err") || status=$?
err=$(cat "$tmp/err")
report make "$([[ $status == 0 && ! $out && $err == *"0 errors, 0 warnings; 1 rule and sparse, 3 modules"* ]] && echo 1)"
out=$("$top/tools/lint.sh" --rules t_call two/b.c 2>"$tmp/err") || status=$?
report script "$([[ $status == 1 && $out == *"two/b.c:4:1: error"* ]] && echo 1)"
out=$(make -s -C "$top" lint-rules 2>"$tmp/err") || status=$?
report rules "$([[ $out =~ (^|$'\n')t_call\ +'Nobody calls forbidden().' && $out == *sparse* ]] && echo 1)"

wait
status=$(cat "$tmp/fails/status") out=$(cat "$tmp/fails/out") err=$(cat "$tmp/fails/err")
report fails "$([[ $status == 2 && $out == "hang.c:1:18: error: forbidden(1); call allowed() [t_call]" ]] && echo 1)"
report fails-timeout "$([[ $err == *"rule t_hang takes more than 6 s"* ]] && echo 1)"
report fails-output "$([[ $err == *"rule t_chatty says what is no report: found chat()"* ]] && echo 1)"
report fails-script "$([[ $err == *"rule t_raises failed: "* ]] && echo 1)"
out=$(pgrep -f "^sleep 1000.$$" || true)
report fails-killed "$([[ $out ]] || echo 1)"

out=$(ls -A "$tmp/tmp")
report no-litter "$([[ $out ]] || echo 1)"
