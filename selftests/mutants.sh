#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# mutants.sh [SERIES] - breaks the engine on purpose, one mistake of mutants.txt
# at a time, and expects the tests named there to fail; for a debug kernel those
# of mutants-debug.txt. Prints KTAP. Most show in the simulation, see sim/mutants.sh,
# which is much faster; those that do not show there are for a VM, which
# is also where all those of a debug kernel are tried.
# mutants.sh --check - only looks whether each line still changes the sources and
# names a test.
# ONLY=REGEX takes the lines that match; IN=sim leaves out VMs, IN=vm the simulation.
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

# tested GLOB[,GLOB] - is there a test of such a name? sim is all of the simulation.
mapfile -t names < <(sed -n 's/^\t{ "\([a-z0-9-]*\)".*/\1/p' "$here/contract.c")
tested() {
	local globs glob name
	if [[ $1 == sim ]]; then return 0; fi
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

sim=$tree/sim/$series
rm -rf "$sim"/{found,wrong}
if ((${#lines[@]})) && [[ $series != *-debug && ${IN-} != vm ]]; then
	mkdir -p "$sim"
	printf '%s\n' "${lines[@]}" | "$here/sim/mutants.sh" "$series" "$sim"
fi

# in_sim NUMBER - 0 if this mutant shows in the simulation, sets why if it could not be tried.
in_sim() {
	if [[ -s $sim/wrong/$1 ]]; then
		why=$(<"$sim/wrong/$1")
		return 1
	fi
	[[ -s $sim/found/$1 ]] || return 1
	sed -n '1s/^/# in the simulation /p; 2s/^/#   /p' "$sim/found/$1"
}

# in_vm TESTS FILE SCRIPT - 0 if one of the tests fails in a VM, else sets why.
in_vm() {
	if [[ $1 == sim ]]; then
		why="does not show in the simulation"
		return 1
	fi
	guest_for "$series" "$1"
	cp -r --update "$top"/{Kbuild,tools,include,sdk,examples,selftests} "$tree/"
	cp "$top"/sdk/*.[ch] "$tree/sdk/"
	cp "$top"/include/klp-sdk/*.h "$tree/include/klp-sdk/"
	sed -i "$3" "$tree/sdk/$2"
	if cmp -s "$top/sdk/$2" "$tree/sdk/$2"; then
		why="the sed script changes nothing"
	elif ! "$tree/selftests/build.sh" "$series" C=0 W= "KCFLAGS=-w -g0" \
			>"$tree/build.log" 2>&1; then
		why="it does not build: $(grep -m1 error "$tree/build.log" || true)"
	elif "$tree/build/vm/vmrun" "${guest[@]}" --quiet \
			--initrd "$tree/build/$series/initrd.cpio" --out "$out" \
			--append "$append klp_sdk.tests=$1" --timeout 120 2>"$tree/verdict"; then
		why="no test of $1 fails"
	elif grep -q 'no result at all' "$tree/verdict"; then
		why="there is no test $1"
	else
		echo "# $(cut -d: -f3- "$tree/verdict" | cut -d';' -f1 | cut -c1-150)"
	fi
	[[ ! $why ]]
}

n=0 bad=0 shown=0 skipped=0
echo "KTAP version 1"
echo "1..${#lines[@]}"
for line in "${lines[@]}"; do
	IFS='|' read -r tests file script what <<<"$line"
	n=$((n + 1))
	why=
	if in_sim $((n - 1)); then
		echo "ok $n - $what"
		shown=$((shown + 1))
	elif [[ ! $why && $tests == sim && ${IN-} == vm ]]; then
		echo "ok $n - $what # SKIP shows in the simulation only"
		skipped=$((skipped + 1))
	elif [[ ! $why && $tests != sim && ${IN-} == sim ]]; then
		echo "ok $n - $what # SKIP does not show in the simulation"
		skipped=$((skipped + 1))
	elif [[ ! $why ]] && in_vm "$tests" "$file" "$script"; then
		echo "ok $n - $what"
	else
		echo "# $why"
		echo "not ok $n - $what"
		bad=$((bad + 1))
	fi
done
echo "$((n - bad - skipped)) passed, $shown of them in the simulation, $bad failed, $skipped skipped"
exit $((bad > 0))
