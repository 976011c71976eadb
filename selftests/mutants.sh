#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# mutants.sh [SERIES] - breaks the engine on purpose, one mistake of mutants.txt
# at a time, and expects the tests named there to fail; for a debug kernel those
# of mutants-debug.txt. Prints KTAP.
# mutants.sh --check - only looks whether each line still changes the sources and
# names a test.
# ONLY=REGEX takes the lines that match.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
# shellcheck disable=SC1091
. "$top/tools/lib.sh"

# idle SCRIPT FILE - prints the commands of a sed script that change nothing in FILE.
# An s has done something if its pattern was found, a d if no command follows it.
idle() {
	LC_ALL=C sed --debug -n -e "$1" -e b "$2" | LC_ALL=C awk '
		/^MATCHED REGEX/ { done[command] }
		/^END-OF-CYCLE/ { if (command ~ /d$/) done[command] }
		sub(/^COMMAND: */, "") {
			command = $0
			if (!/[{}]$/ && !/^b$/) all[command]
		}
		END { for (command in all) if (!(command in done)) print command }'
}

# tested GLOB[,GLOB] - is there a test of such a name?
mapfile -t names < <(sed -n 's/^\t{ "\([a-z0-9-]*\)".*/\1/p' "$here/contract.c")
tested() {
	local globs glob name
	IFS=, read -ra globs <<<"$1"
	for glob in "${globs[@]}"; do
		for name in "${names[@]}"; do
			# shellcheck disable=SC2053
			if [[ $name == $glob ]]; then return 0; fi
		done
	done
	return 1
}

# rotten LIST - prints the lines of LIST that do not break what they say any more: the
# sources have changed since, and the test that such a line is for proves nothing.
rotten() {
	local tests file script what why
	grep -v '^#' "$1" | while IFS='|' read -r tests file script what; do
		if [[ -z $tests || -z $what || $what == *'|'* ]]; then
			why="not four fields; a script cannot have a bar"
		elif ! tested "$tests"; then
			why="there is no test $tests"
		elif [[ ! -f $top/sdk/$file ]]; then
			why="there is no file sdk/$file"
		elif ! why=$(sed -n "$script" "$top/sdk/$file" 2>&1); then
			why=${why#*: }
		elif why=$(idle "$script" "$top/sdk/$file") && [[ $why ]]; then
			why="changes nothing in $file: ${why//$'\n'/, and }"
		fi
		if [[ $why ]]; then echo "${1##*/}: ${what:-$tests}: $why"; fi
	done
}

if [[ ${1-} == --check ]]; then
	echo "1..2"
	n=0 bad=0
	for list in "$here"/mutants{,-debug}.txt; do
		n=$((n + 1)) not=
		lines=$(rotten "$list")
		if [[ $lines ]]; then
			echo "# ${lines//$'\n'/$'\n'# }"
			not='not ' bad=1
		fi
		echo "${not}ok $n - each line of ${list##*/} changes the engine"
	done
	exit "$bad"
fi

series=${1:-6.1}
guest=() append=''	# set by guest_for
# shellcheck disable=SC1091
. "$here/vm/guest.sh"
lock_build "$top"
use_kernels "$series"
tree=$top/build/mutants
out=$tree/build/$series/vm

list=$here/mutants.txt
if [[ $series == *-debug ]]; then list=$here/mutants-debug.txt; fi
lines=$(rotten "$list")
if [[ $lines ]]; then
	echo "$lines" >&2
	echo "klp-sdk: mutants: mend these lines, or take them out" >&2
	exit 1
fi
mapfile -t lines < <(grep -v '^#' "$list" | grep -E -- "${ONLY:-.}")
mkdir -p "$tree" "$out"
n=0 bad=0
echo "KTAP version 1"
echo "1..${#lines[@]}"
for line in "${lines[@]}"; do
	IFS='|' read -r tests file script what <<<"$line"
	n=$((n + 1))
	guest_for "$series" "$tests"
	cp -r --update "$top"/{Kbuild,tools,include,sdk,examples,selftests} "$tree/"
	cp "$top"/sdk/*.[ch] "$tree/sdk/"
	cp "$top"/include/klp-sdk/*.h "$tree/include/klp-sdk/"
	sed -i "$script" "$tree/sdk/$file"
	why=
	if cmp -s "$top/sdk/$file" "$tree/sdk/$file"; then
		why="the sed script changes nothing"
	elif ! "$tree/selftests/build.sh" "$series" C=0 W= "KCFLAGS=-w -g0" \
			>"$tree/build.log" 2>&1; then
		why="it does not build: $(grep -m1 error "$tree/build.log" || true)"
	elif "$tree/build/vm/vmrun" "${guest[@]}" --quiet \
			--initrd "$tree/build/$series/initrd.cpio" --out "$out" \
			--append "$append klp_sdk.tests=$tests" --timeout 120 2>"$tree/verdict"; then
		why="no test of $tests fails"
	elif grep -q 'no result at all' "$tree/verdict"; then
		why="there is no test $tests"
	fi
	if [[ $why ]]; then
		echo "# $why"
		echo "not ok $n - $what"
		bad=$((bad + 1))
	else
		echo "# $(cut -d: -f3- "$tree/verdict" | cut -d';' -f1 | cut -c1-150)"
		echo "ok $n - $what"
	fi
done
echo "$((n - bad)) passed, $bad failed"
exit $((bad > 0))
