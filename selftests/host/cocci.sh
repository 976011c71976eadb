#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cocci.sh - each rule of coccinelle/ prints for its fixture what the fixture says:
# its lines marked "bad", not those marked "miss" nor others. Each has the lines
# that coccicheck and the driver read, and a page, and can be parsed in each mode.
# None finds anything in the examples. Prints KTAP.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
fixtures=coccinelle/fixtures
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0

# report NAME COMPLAINTS - good if there are none
report() {
	n=$((n + 1))
	if [[ $2 ]]; then
		echo "# ${2//$'\n'/$'\n'# }"
		echo "not ok $n - coccinelle-$1"
	else
		echo "ok $n - coccinelle-$1"
	fi
}

# header FILE - what the rule lacks of the lines that others read
header() {
	local want first
	[[ $(sed -n 1p "$1") == '// SPDX-License-Identifier: GPL-2.0' ]] || echo "no SPDX line at first"
	for want in '/// Confidence: (High|Moderate|Low)' '// Options: --.+' '// Keywords: .+' \
		'virtual report' 'virtual patch' 'virtual context' 'virtual org'; do
		grep -qxE "$want" "$1" || echo "no line: $want"
	done
	first=$(grep -m1 '^/// ' "$1" || true)
	[[ $first == *. ]] || echo "the first /// line does not end with a full stop: $first"
	((${#first} <= 94)) || echo "the first /// line is longer than 90 columns: $first"
	[[ -s docs/lint/$2.md ]] || echo "no page: docs/lint/$2.md"
}

# marks FILE - lines FILE:LINE of what is marked, and at least one of each kind
marks() {
	local mark
	for mark in bad miss; do
		grep -q "/\* $mark \*/" "$1" || echo "no line marked $mark" >&2
	done
	for mark in bad good miss; do
		grep -q "${mark}_" "$1" || echo "nothing is named ${mark}_..." >&2
	done
	grep -Hn '/\* bad \*/' "$1" | cut -d: -f1,2
}

# modes RULE FIXTURE - errors of spatch without the driver, as coccicheck runs it.
# The options in the rule's header are words.
modes() {
	local rule=$1 options mode
	options=$(sed -n 's|^// Options: ||p' "$rule")
	for mode in report patch context org; do
		# shellcheck disable=SC2086
		spatch -D $mode --very-quiet --no-show-diff $options --cocci-file "$rule" "$2" \
			>"$tmp/${rule##*/}.$mode" 2>"$tmp/error.${rule##*/}" ||
			echo "spatch -D $mode fails" >>"$tmp/error.${rule##*/}"
		sed "s/^/$mode: /" "$tmp/error.${rule##*/}" |
			grep -v 'No rules apply' || true
	done
	[[ -s $tmp/${rule##*/}.org ]] || echo "org: prints nothing for the fixture"
}
export -f modes
export tmp
# spatch asks the first python3 for its library, and wants Debian's
export PATH=/usr/bin:/bin:$PATH

cd "$top"
make -s -C tools/lint O="$top/build/lint"
mapfile -t names < <(for rule in coccinelle/*.cocci; do basename "$rule" .cocci; done)
driver=(build/lint/lint --sdk "$top")

echo "KTAP version 1"
echo "1..$((4 * ${#names[@]} + 2))"

# All fixtures at once, each by its own rule
base=()
if [[ -d $fixtures/base ]]; then base=(--base "$fixtures/base"); fi
status=0
"${driver[@]}" --fixtures --rules 'klp_*' "${base[@]}" "$fixtures" >"$tmp/found" 2>"$tmp/error" || status=$?
[[ $status != 2 ]] || cat "$tmp/error" >>"$tmp/found"
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I{} bash -c \
	'modes coccinelle/{}.cocci coccinelle/fixtures/{}.c >$tmp/modes.{} 2>&1'

for name in "${names[@]}"; do
	fixture=$fixtures/$name.c
	report "$name-header" "$(header "coccinelle/$name.cocci" "$name")"
	if [[ ! -f $fixture ]]; then
		report "$name" "no fixture $fixture"
		report "$name-marks" "no fixture $fixture"
		report "$name-modes" "no fixture $fixture"
		continue
	fi
	sed -n '/check-output-start/,/check-output-end/ s|^ \* \([^ ]*:[0-9]*:[0-9]*: .*\)|\1|p' \
		"$fixture" >"$tmp/expected"
	sed -n "s|^$fixtures/\($name\.c:.*\)|\1|p" "$tmp/found" >"$tmp/got"
	complaints=$(diff "$tmp/expected" "$tmp/got" | sed -n 's/^</expected:/p; s/^>/got:/p')
	[[ -s $tmp/got ]] || complaints+=$'\nfinds nothing:\n'$(cat "$tmp/error")
	report "$name" "$complaints"

	complaints=$(marks "$fixture" 2>&1 >"$tmp/expected")
	sed "s|^|$fixtures/|" "$tmp/got" | cut -d: -f1,2 | sort -u -t: -k2n >"$tmp/lines"
	complaints+=$(diff "$tmp/expected" "$tmp/lines" |
		sed -n 's/^</marked, not reported:/p; s/^>/reported, not marked:/p')
	report "$name-marks" "$complaints"
	report "$name-modes" "$(cat "$tmp/modes.$name")"
done

# A fixture without a rule tests nothing.
report fixtures "$(comm -13 <(printf '%s.c\n' "${names[@]}") \
	<(cd "$fixtures" && printf '%s\n' *.c) | sed 's/$/ has no rule/')"

status=0
got=$("${driver[@]}" --rules 'klp_*' examples 2>&1) || status=$?
if [[ $status == 0 ]]; then got=''; fi
report examples "$got"
