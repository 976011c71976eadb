#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# sim.sh [--check] [SERIES...] - builds the simulation for the given kernels and runs
# it: all sequences over small pools as deep as the time allows, then random ones.
# --check is the part of make check, and prints KTAP: the first series plain, the
# last with sanitizers.
# AGREE=N replays N sequences in VMs as well and compares.
# REPLAY='EVENTS' does these only and shows what is seen, COVERAGE=1 says which lines of
# the engine nothing reaches, FUZZ=SECONDS lets libFuzzer choose the events.
# SECONDS_EACH, EVENTS and SEED are for the long run.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
# shellcheck disable=SC1091
. "$top/tools/lib.sh"

check=
if [[ ${1-} == --check ]]; then check=1; shift; fi
(($#)) || set -- 6.1 6.12
jobs=$(nproc)
: "${SEED:=1}" "${EVENTS:=120M}" "${SECONDS_EACH:=12}"

# build SERIES [VARIANT] - sets sim to the program
build() {
	local out=$top/build/sim/$1${2:+-$2} log
	log=$out.log
	mkdir -p "$out"
	make -s -j"$jobs" -C "$here/sim" O="$out" VARIANT="${2-}" \
		KDIR="$("$top/tools/kernel.sh" "$1")/kdir" \
		SOURCE="$("$top/tools/kernel-source.sh" "$1")" >"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		die "the simulation does not build for $1; see $log"
	}
	sim=$out/sim
}

# tap NAME COMMAND... - a test; what the command says becomes its diagnostics
n=0 bad=0
tap() {
	local name=$1 text status=0
	shift
	n=$((n + 1))
	text=$("$@" 2>&1) || status=1
	echo "# ${text//$'\n'/$'\n'# }"
	if ((status)); then
		bad=1
		echo -n "not "
	fi
	echo "ok $n - $name"
}

# Sets pools to the names of all.
pools() {
	mapfile -t pools < <("$sim" --list | awk '/^patches:/ { exit } NF == 2 && /^ / { print $1 }')
}

# each DEPTH POOL... - all sequences over each
# shellcheck disable=SC2317	# called by tap
each() {
	local depth=$1 pool
	shift
	for pool; do
		"$sim" --explore "$pool" --depth "$depth" --seconds 2 | grep -v ' pools, ' || return 1
	done
}

if [[ $check ]]; then
	echo "KTAP version 1"
	echo "1..8"
	for series in "$1" "${!#}"; do
		variant='' depth=6 events=3M
		if [[ $series != "$1" ]]; then variant=asan depth=5 events=500k; fi
		build "$series" "$variant"
		pools
		tap "sim-stories-$series" "$sim" --stories "$here/sim/stories.txt"
		tap "sim-found-$series" "$sim" --batch "$here/sim/found.txt"
		tap "sim-explore-$series" each "$depth" "${pools[@]}"
		tap "sim-random-$series" "$sim" --random "$events" --seed "$SEED"
	done
	exit "$bad"
fi

lock_build "$top"
use_kernels "$@"
if [[ ${REPLAY-} ]]; then
	for series; do
		build "$series"
		echo "# $series"
		"$sim" --replay "$REPLAY" --verbose
	done
	exit
fi
if [[ ${FUZZ-} ]]; then
	build "${!#}" fuzz
	mkdir -p "$top/build/sim/corpus"
	# It gives up on an empty corpus.
	printf '%64s' ' ' >"$top/build/sim/corpus/blanks"
	exec "$sim" -max_total_time="$FUZZ" -max_len=300 "$top/build/sim/corpus"
fi

# The modules and guests for it are those of make check.
if [[ ${AGREE-} ]]; then
	make -s -j"$jobs" -C "$here" O="$top/build/vm"
	status=0
	for series; do
		build "$series"
		"$here/build.sh" "$series"
		echo "# $series"
		SEQUENCES=$AGREE "$here/host/agree.sh" "$series" || status=1
	done
	exit "$status"
fi

# What of the engine is reached: gcov's numbers for each file, and the lines that are not.
# The exit status is 1 if docs/sim-coverage.md gives no reason for one, or after a difference.
coverage() {
	local gcov status=0 out pool

	build "$1" cov
	out=$(dirname "$sim")/gcov
	rm -rf "$out" "$(dirname "$sim")"/sdk/*.gcda
	# The engine was compiled as ../../sdk, and gcov reads it from there.
	mkdir -p "$out/a/b"
	ln -s "$top/sdk" "$out/sdk"
	"$sim" --stories "$here/sim/stories.txt" || status=1
	"$sim" --batch "$here/sim/found.txt" || status=1
	pools
	for pool in "${pools[@]}"; do
		"$sim" --explore "$pool" --depth 6 --seconds 4 --jobs "$jobs" || status=1
	done
	"$sim" --random 5M --seed "$SEED" --jobs "$jobs" || status=1
	gcov=$(command -v gcov-12 || command -v gcov) || die "gcov is not there; install gcc"
	(cd "$out/a/b" && "$gcov" -b "$(dirname "$sim")"/sdk/*.gcda) >"$out/summary" 2>/dev/null
	awk -f "$here/sim/coverage.awk" "$top/docs/sim-coverage.md" "$out/summary" \
		"$out"/a/b/*.gcov ||
		status=1
	return "$status"
}

if [[ ${COVERAGE-} ]]; then
	coverage "${!#}"
	exit
fi
# A difference ends one of these, not the others.
status=0
for series; do
	build "$series"
	echo "# $series"
	"$sim" --stories "$here/sim/stories.txt" || status=1
	"$sim" --batch "$here/sim/found.txt" || status=1
	pools
	for pool in "${pools[@]}"; do
		"$sim" --explore "$pool" --depth 64 --states 20000000 \
			--seconds "$SECONDS_EACH" --jobs "$jobs" || status=1
	done
	"$sim" --random "$EVENTS" --seed "$SEED" --jobs "$jobs" || status=1
done
exit "$status"
