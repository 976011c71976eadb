#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cocci.sh - each rule of coccinelle/ prints for its fixtures what they say: the
# lines marked "bad", not those marked "miss" nor others. Each has the lines that
# coccicheck and the driver read, and a page, and can be parsed in each mode. None
# finds anything in the examples. Prints KTAP.
#
# Fixtures of a rule ID are coccinelle/fixtures/ID.c and, for what is about a whole
# module, fixtures/ID/*.c; ID.patch is how the rule repairs ID.c. For rules that
# compare, ID/base.c is the older source of ID.c, and ID/NAME/base that of ID/NAME.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck disable=SC1091
. "$top/tools/lib.sh"
use_spatch
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

# header FILE NAME - what the rule lacks of the lines that others read
header() {
	local want first
	[[ $(sed -n 1p "$1") == '// SPDX-License-Identifier: GPL-2.0' ]] || echo "no SPDX line at first"
	for want in '/// Confidence: (High|Moderate|Low)' '// Options: --.+' '// Keywords: .+' \
		'virtual report' 'virtual patch' 'virtual context' 'virtual org'; do
		grep -qxE "$want" "$1" || echo "no line: $want"
	done
	first=$(grep -m1 '^/// ' "$1" || true)
	first=${first#/// }
	[[ $first == *. ]] || echo "the first /// line does not end with a full stop: $first"
	((${#first} <= 90)) || echo "the first /// line has more than 90 columns: $first"
	[[ -s docs/lint/$2.md ]] || echo "no page: docs/lint/$2.md"
}

# expected FIXTURE... - what the fixtures say that the rule prints. In a declaration
# of the SDK spatch sees a structure, whose columns are not the file's: the driver
# gives such a finding the column of the macro, 0.
expected() {
	awk -v fixtures="$fixtures/" '
		FNR == 1 { on = 0; delete macro; dir = FILENAME; sub(/[^\/]*$/, "", dir) }
		/^KLP_SDK_(STATE|SHADOW|PATCH)\(/ { macro[FNR] = 1 }
		/check-output-end/ { on = 0 }
		on {
			sub(/^ \* /, "")
			split($0, part, ":")
			if (part[2] in macro)
				sub(/:[0-9]+: /, ":0: ")
			print dir $0
		}
		/check-output-start/ { on = 1 }' "$@"
}

# marked FIXTURE... - FILE:LINE of what is marked bad
marked() {
	grep -Hn '/\* bad \*/' "$@" | cut -d: -f1,2
}

# marks FIXTURE... - what is not there of each kind
marks() {
	local mark
	for mark in bad miss; do
		grep -q "/\* $mark \*/" "$@" || echo "no line is marked $mark"
	done
	for mark in bad good miss; do
		grep -qE "\<${mark}_" "$@" || echo "nothing is named ${mark}_..."
	done
}

# differ ONLY-EXPECTED EXPECTED ONLY-GOT GOT - lines of one and not of the other
differ() {
	comm -23 <(sort "$2") <(sort "$4") | sed "s/^/$1: /"
	comm -13 <(sort "$2") <(sort "$4") | sed "s/^/$3: /"
}

# modes NAME - errors in the modes that the driver does not use here, as coccicheck
# runs them: org has scripts of its own. Options in the rule's header are words.
modes() {
	local rule=coccinelle/$1.cocci options mode
	options=$(sed -n 's|^// Options: ||p' "$rule")
	for mode in patch context; do
		# Not every rule has a repair, and some need an older source for anything.
		"$spatch" -D $mode --very-quiet --parse-cocci "$rule" 2>&1 >/dev/null |
			{ grep -v '^No rules apply' || true; } | sed "s/^/$mode: /"
	done
	if grep -q '^virtual base' "$rule"; then return; fi
	if grep -qE '^@.*(depends on|&&) patch\b' "$rule"; then
		build/lint/lint --sdk . --mode patch --rules "$1" "$fixtures/$1.c" 2>/dev/null |
			diff <(cat "$fixtures/$1.patch" 2>/dev/null) - | sed "s/^/patch: /"
	fi
	# shellcheck disable=SC2086
	"$spatch" -D org --very-quiet --no-show-diff $options --cocci-file "$rule" \
		"$fixtures/$1.c" >"$tmp/org.$1" 2>"$tmp/error.$1" || echo "org: spatch fails"
	sed "s/^/org: /" "$tmp/error.$1"
	[[ -s $tmp/org.$1 ]] || echo "org: prints nothing for the fixture"
}

cd "$top"
make -s -C tools/lint O="$top/build/lint"
driver=(build/lint/lint --sdk "$top")
# spatch asks the first python3 for its library, and wants Debian's.
export PATH=/usr/bin:/bin:$PATH
spatch=${SPATCH:-spatch}
export fixtures tmp spatch
export -f modes
mapfile -t names < <(for rule in coccinelle/*.cocci; do basename "$rule" .cocci; done)

echo "KTAP version 1"
echo "1..$((4 * ${#names[@]} + 3))"

# All fixtures at once, each by its own rule, and those in one file twice: what a rule
# has seen in a module is nothing to it in the next.
folders=("$fixtures")
for dir in "$fixtures"/*/; do
	if compgen -G "$dir*.c" >/dev/null; then folders+=("${dir%/}"); fi
done
cp -r "$fixtures" "$tmp/again"
status=0
"${driver[@]}" --fixtures --rules 'klp_*' "${folders[@]}" "$tmp/again" >"$tmp/found" 2>"$tmp/error" ||
	status=$?

# compares RULE BASE SOURCE... - the rule's fixtures that have an older source
compares() {
	"${driver[@]}" --rules "$1" --base "$2" "${@:3}" >>"$tmp/found" 2>>"$tmp/error" ||
		{ [[ $? == 1 ]] || status=2; }
}
for base in "$fixtures"/*/base.c "$fixtures"/*/*/base; do
	[[ -e $base ]] || continue
	dir=$(dirname "$base")
	case $base in
	*.c)	compares "${dir##*/}" "$base" "$dir.c" ;;
	*)	compares "$(basename "$(dirname "$dir")")" "$base" "$dir"/*.c ;;
	esac
done
report run "$([[ $status != 2 ]] || sed '/, [0-9.]* s$/d' "$tmp/error")"
sort -u -t: -k1,1 -k2n -k3n "$tmp/found" -o "$tmp/found"
# shellcheck disable=SC2016	# the inner shell is to expand it
printf '%s\n' "${names[@]}" |
	xargs -P "$(nproc)" -I{} bash -c 'modes {} >"$tmp/modes.{}" 2>&1 || true'

for name in "${names[@]}"; do
	report "$name-header" "$(header "coccinelle/$name.cocci" "$name")"
	files=("$fixtures/$name".c)
	if [[ ! -f ${files[0]} ]]; then
		for test in "$name" "$name-marks" "$name-modes"; do
			report "$test" "no fixture ${files[0]}"
		done
		continue
	fi
	if [[ -d $fixtures/$name ]]; then
		mapfile -t -O 1 files < <(find "$fixtures/$name" -name '*.[ch]')
	fi
	expected "${files[@]}" >"$tmp/expected"
	{ grep -E "^$fixtures/$name(\.c|/[^:]*):" "$tmp/found" || true; } >"$tmp/got"
	complaints=$(differ expected "$tmp/expected" got "$tmp/got")
	# The second time there is no older source.
	if ! grep -q '^virtual base' "coccinelle/$name.cocci"; then
		grep "^$fixtures/$name\.c:" "$tmp/got" >"$tmp/once" || true
		sed -n "s|^$tmp/again/$name\.c|$fixtures/$name.c|p" "$tmp/found" >"$tmp/twice"
		complaints+=$(differ "not found again" "$tmp/once" "found only again" "$tmp/twice")
	fi
	if [[ ! -s $tmp/got ]]; then complaints="finds nothing"; fi
	report "$name" "$complaints"

	marked "${files[@]}" >"$tmp/marked" || true
	cut -d: -f1,2 "$tmp/got" | sort -u >"$tmp/lines"
	report "$name-marks" "$(marks "${files[@]}"
		differ "marked, not reported" "$tmp/marked" "reported, not marked" "$tmp/lines")"
	report "$name-modes" "$(cat "$tmp/modes.$name")"
done

# A fixture without a rule tests nothing.
report fixtures "$(for file in "$fixtures"/*; do
	name=$(basename "$file")
	name=${name%.*}
	[[ -f coccinelle/$name.cocci ]] || echo "$file has no rule"
done)"

status=0
got=$("${driver[@]}" --rules 'klp_*' examples 2>&1) || status=$?
if [[ $status == 0 ]]; then got=''; fi
report examples "$got"
