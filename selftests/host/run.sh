#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh TREE KDIR [--no-sparse] - tests that need a compiler only; prints KTAP. TREE is
# a copy of the sources to build in, KDIR the kernel to build against. What only sparse
# notices is the same with all kernels: --no-sparse leaves it out.
set -euo pipefail

tree=$1 kdir=$2
dir=$tree/selftests/host/bad
log=$tree/bad.log
n=0

# report NAME STATUS DIAGNOSTIC
report() {
	n=$((n + 1))
	if [[ $2 == 0 ]]; then
		echo "ok $n $1"
	else
		echo "# ${3//$'\n'/$'\n'# }"
		echo "not ok $n $1"
	fi
}

# All of the compiler's output for one source: -O keeps a target's lines together.
output_of() {
	awk -v obj="/$1.o" '/^  (CC|CHECK)/ { on = index($0, obj) || index($0, "/'"$1"'.c") } on' "$log"
}

# disassembly FUNCTION
disassembly() {
	objdump -dr --no-show-raw-insn "$dir/good.o" | awk -v f="<$1>:" '
		/^$/ { on = 0 } /^[0-9a-f]+ </ { on = $2 == f } on'
}

# Without addresses, padding, and the names of functions that are the file's own.
# instructions FUNCTION
instructions() {
	disassembly "$1" | sed -En '2,$ {
		s/^ +[0-9a-f]+:\t//
		/^(data16 |cs )*nop|^xchg +%ax,%ax/d
		s/^(call|j[a-z]+) +[0-9a-f]+ <[^+>]*(\+0x[0-9a-f]+)?>/\1 \2/
		s/(R_X86_64_[A-Z0-9]+)\t\.text\+0x[0-9a-f]+$/\1 FUNCTION/
		s/^\t+[0-9a-f]+: //
		p
	}'
}

# count FUNCTION REGEX
count() { disassembly "$1" | grep -cE "$2" || true; }

# build C CASE... - what the one notices need not be given to the other.
build() {
	local check=$1
	shift
	make -k -j2 -Otarget -C "$kdir" M="$dir" W=1 C="$check" CF=-Wsparse-error \
		CASES="$*" "${@/%/.o}" >>"$log" 2>&1 || true
}

mapfile -t for_gcc < <(grep -L '^/\* sparse: ' "$dir"/*.c | xargs -n1 basename -s .c | grep -vx good)
mapfile -t for_sparse < <(grep -l '^/\* sparse: ' "$dir"/*.c | xargs -n1 basename -s .c)
if [[ ${3-} == --no-sparse ]]; then for_sparse=(); fi

# What was compiled last time with a warning would not be compiled again.
rm -f "$dir"/*.o "$log"
build 1 good "${for_sparse[@]}"
build 0 "${for_gcc[@]}"

names=(good "${for_sparse[@]}" "${for_gcc[@]}")
echo "KTAP version 1"
shadow_calls=(get alloc get_or_alloc free alloc_bare free_bare)
echo "1..$((${#names[@]} + ${#shadow_calls[@]} + 3))"
for name in "${names[@]}"; do
	expect=$(sed -nE 's@^/\* (expect|sparse): (.*) \*/$@\2@p' "$dir/$name.c")
	got=$(output_of "$name")
	status=0
	if [[ $name == good ]]; then
		if grep -qE 'error|warning' <<<"$got" || [[ ! -f $dir/good.o ]]; then status=1; fi
	elif [[ -z $expect ]] || ! grep -q -- "$expect" <<<"$got" ||
		{ [[ -f $dir/$name.o ]] && ! grep -q warning: <<<"$got"; }; then
		status=1
	# Only the compiler, which names the option, may have warned: not sparse.
	elif [[ -f $dir/$name.o ]] && grep warning: <<<"$got" | grep -qv '\[-W'; then
		status=1
	fi
	report "declaration-${name//_/-}" "$status" "expected: ${expect:-no error}; got:
$got"
done

# What a reader costs: one load of the slot, one branch, no call but ftrace's.
status=0
loads=$(count read_live 'R_X86_64_PC32\s+\.(data|bss)')
branches=$(count read_live $'\t(j[^m]|cmov)')
calls=$(count read_live $'\tcall ')
[[ $loads == 1 && $branches == 1 && $calls == 1 ]] || status=1
report reader-live-cost $status "$loads loads, $branches branches, $calls calls in:
$(disassembly read_live)"

status=0
loads=$(count read_data 'R_X86_64_PC32\s+\.(data|bss)')
branches=$(count read_data $'\t(j[^m]|cmov)')
[[ $loads == 1 && $branches == 0 ]] || status=1
report reader-data-cost $status "$loads loads, $branches branches in:
$(disassembly read_data)"

# What a plain shadow type costs: nothing, its calls are the kernel's own.
for call in "${shadow_calls[@]}"; do
	status=0
	typed=$(instructions "typed_$call")
	raw=$(instructions "raw_$call")
	counts="$(grep -vc R_X86 <<<"$typed") instructions, by hand $(grep -vc R_X86 <<<"$raw")"
	[[ $typed && $typed == "$raw" ]] || status=1
	echo "# klp_sdk_shadow_${call%_bare}(): $counts"
	report "shadow-${call//_/-}-cost" $status "$counts:
$(diff <(echo "$raw") <(echo "$typed"))"
done

# Every public name is documented, and what is documented exists.
status=0
flags=(-none -Werror)
if grep -qe -Wall "$kdir/scripts/kernel-doc"; then flags+=(-Wall); fi
got=$("$kdir/scripts/kernel-doc" "${flags[@]}" "$tree"/include/klp-sdk/*.h 2>&1) || status=1
report kernel-doc $status "$got"
