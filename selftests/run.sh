#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [SERIES...] - builds and runs all tests for the given kernels, prints
# KTAP as it comes, then the figures and where the time went, and last a line
# "N passed, N failed".
# TESTS=GLOB[,GLOB] selects tests of the guest by name, TESTS=!GLOB[,GLOB] all
# others; SEED and STEPS are for the random sequences. With a debug kernel, STOCK names
# the series whose sources are linted.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
guest=() append='' timeout=''	# set by guest_for
# shellcheck disable=SC1091
. "$top/tools/lib.sh"
# shellcheck disable=SC1091
. "$here/vm/guest.sh"
out=$top/build
summary=$out/summary
(($#)) || set -- 6.1 6.12

vmrun=$out/vm/vmrun
options=${TESTS:+klp_sdk.tests=$TESTS}${SEED:+ klp_sdk.seed=$SEED}${STEPS:+ klp_sdk.steps=$STEPS}

# suite NAME COMMAND... - a test that prints KTAP on the host. Results that the
# plan announces and that do not come count as failed.
suite() {
	local name=$1 file=$out/$1.ktap status=0
	shift
	"$@" >"$file" || status=1
	awk -v name="$name" -v status=$status '
		/^1\.\.[0-9]+$/ { plan = substr($0, 4) }
		/^ok .*# SKIP/ { skip++; next }
		/^ok / { ok++ }
		/^not ok / { bad++ }
		END {
			missing = plan - ok - bad - skip
			if (missing > 0) bad += missing
			if (!bad && (status || missing || !plan)) bad = 1
			print name, ok + 0, bad + 0, skip + 0, 0, 0, 0, "-"
		}' "$file" >"$summary.$name"
}

# vm NAME ARGS... - the tests in a guest, for series[NAME] and tests[NAME]; vmrun
# writes the summary's line.
declare -A series_of tests_of
dir_of() { echo "$out/${series_of[$1]}/vm${1#"${series_of[$1]}"}"; }
vm() {
	local name=$1 series=${series_of[$1]} tests=${tests_of[$1]}
	shift
	mkdir -p "$(dir_of "$name")"
	guest_for "$series" "${tests:-${TESTS-}}"
	# Stock kernels can do either, and patch less text for a transition in this one;
	# the guests with two processors and debug kernels do as they are configured.
	if [[ $name != *-smp && $series != *-debug ]]; then append+=' preempt=full'; fi
	"$vmrun" "${guest[@]}" --initrd "$out/$series/initrd.cpio" --name "$name" \
		--out "$(dir_of "$name")" --timeout "${TIMEOUT:-$timeout}" \
		--summary "$summary.$name" \
		--append "$append $options${tests:+ klp_sdk.tests=$tests}" "$@"
}

# start NAME COMMAND... - in the background, as soon as a core is free
cores=$(nproc)
names=()
running=0
start() {
	names+=("$1")
	if ((running >= (cores > 2 ? cores : 2))); then
		wait -n || true
		running=$((running - 1))
	fi
	running=$((running + 1))
	{
		lap
		# shellcheck disable=SC2064	# the name is that of now
		trap "lap '$1'" EXIT
		"${@:2}"
	} 2>"$out/verdict.$1" &
}

lock_build "$top"
use_kernels "$@"
mkdir -p "$out"
on_full_disk "$out" /dev/null
rm -f "$summary"* "$out"/verdict.*
export KLP_SDK_TIMES=$out/times
: >"$KLP_SDK_TIMES"
began=$SECONDS
# Programs that all of them use, and two suites
lap
make -s -j"$cores" -C "$here" O="$out/vm"
make -s -C "$top/tools/lint" O="$out/lint"
lap build:programs
# Beside each other, for what one of them does alone keeps one processor busy.
builds=()
for series; do
	"$here/build.sh" "$series" &
	builds+=($!)
done
for build in "${builds[@]}"; do
	wait "$build" || died=1
done
[[ ! $died ]] || exit 1
built=$SECONDS

# As many jobs at a time as there are cores, the long ones first, so that all cores
# have work to the end. The tests of states of modules take a third of the time and
# are a guest of their own.
guests=()
add_guest() {
	guests+=("$1")
	series_of[$1]=$2 tests_of[$1]=${3-}
}
debug=()
stock=()
modules=()
for series; do
	if [[ $series == *-debug ]]; then debug+=("$series"); else stock+=("$series"); fi
	if [[ $options ]]; then
		add_guest "$series" "$series"
	elif [[ $series == *-debug ]]; then
		add_guest "$series" "$series" 'contract-1*'
		add_guest "$series-others" "$series" '!contract-1*,smp-*'
	else
		add_guest "$series" "$series" '!contract-18*,smp-*'
		modules+=("$series")
	fi
	# Tests that have two processors, on stock kernels all in one.
	if [[ ! $options ]]; then
		if [[ $series == *-debug ]]; then smp='smp-[!a]*'; else smp='smp-all,smp-grace'; fi
		add_guest "$series-smp" "$series" "$smp"
	fi
done
for series in "${modules[@]}"; do
	add_guest "$series-modules" "$series" 'contract-18*'
done

# The results of the first are shown as they come, those of the others afterwards.
echo "# suite: ${guests[0]}"
start "${guests[0]}" vm "${guests[0]}"
for name in "${guests[@]:1}"; do
	start "$name" vm "$name" --quiet
done
# What a debug kernel has nothing to say about is tested on the others.
if [[ ! $options && ${#stock[@]} != 0 ]]; then
	start smoke suite smoke "$here/host/smoke.sh" "${stock[0]}"
	start sim suite sim "$here/sim.sh" --check "${stock[@]}"
	start harness suite harness "$here/host/harness.sh" "${stock[-1]}"
	for series in "${stock[@]}"; do
		sparse=--no-sparse
		if [[ $series == "${stock[-1]}" ]]; then sparse=; fi
		start "compile-$series" suite "compile-$series" "$here/host/run.sh" \
			"$out/$series" "$("$top/tools/kernel.sh" "$series")/kdir" $sparse
	done
	start coccinelle suite coccinelle "$here/host/cocci.sh"
	start lint suite lint "$here/host/lint.sh" "${stock[-1]}"
	start input suite input "$here/host/input.sh" "${stock[0]}"
	start verdict suite verdict "$out/vm/verdict_test"
	start owntime suite owntime "$out/vm/owntime_test"
	start mutants suite mutants "$here/mutants.sh" --check
fi
if [[ ! $options ]]; then
	for series in "${debug[@]}"; do
		start "checkers-$series" suite "checkers-$series" "$here/host/harness.sh" "$series"
	done
	# It needs the kernel's sources, as a debug kernel does.
	if ((${#debug[@]})); then
		read -ra stock <<<"${STOCK:-6.1 6.12}"
		start lint-kernel suite lint-kernel "$here/host/kernel.sh" "${stock[@]}"
	fi
fi
wait

for name in "${names[@]}"; do
	if [[ $name != "${guests[0]}" ]]; then
		echo "# suite: $name"
		if [[ ${series_of[$name]-} ]]; then
			grep -v '^# klp-sdk:' "$(dir_of "$name")/results.ktap" || true
		else
			cat "$out/$name.ktap"
		fi
	fi
	cat "$out/verdict.$name" >&2
	if [[ -s $summary.$name ]]; then
		cat "$summary.$name" >>"$summary"
	else
		echo "$name 0 1 0 0 0 0 -" >>"$summary"
	fi
done

all=$((SECONDS - began))
echo "# figures: build $((built - began)) s, all $all s"
awk '$5 {
	printf "# %s: %.1f s from start to first test, %.2f s a test on average, slowest %.1f s (%s)\n",
		$1, $5 / 1000, $6 / 1000 / ($2 + $3 ? $2 + $3 : 1), $7 / 1000, $8
}' "$summary"
# Jobs run beside each other; on a machine with other load they take longer.
awk -v all=$all -v cores="$cores" '
	BEGIN { format = "# %-28s %8s %8s\n"; printf format, "where the time went", "wall s", "CPU s" }
	{
		printf format, $1, sprintf("%.1f", $2 / 1000), sprintf("%.1f", $3 / 1000)
		cpu += $3 / 1000
	}
	END {
		printf format, "all, on " cores " processors", all, sprintf("%.1f", cpu)
	}' "$KLP_SDK_TIMES"
awk '{ ok += $2; bad += $3; skip += $4 }
	END {
		printf "%d passed, %d failed", ok, bad
		if (skip) printf ", %d skipped", skip
		print ""
		exit bad || !ok
	}' "$summary"
