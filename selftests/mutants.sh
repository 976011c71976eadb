#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# mutants.sh [SERIES] - breaks the engine on purpose, one mistake of mutants.txt
# at a time, and expects the tests named there to fail; for a debug kernel those
# of mutants-debug.txt. Prints KTAP.
# ONLY=REGEX takes the lines that match.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
# shellcheck disable=SC1091
. "$top/tools/lib.sh"
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
	sed -i "$script" "$tree/sdk/$file" || true
	why=
	if [[ -z $what || $what == *'|'* ]]; then
		why="not four fields; a script cannot have a bar"
	elif cmp -s "$top/sdk/$file" "$tree/sdk/$file"; then
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
