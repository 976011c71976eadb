#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [SERIES...] - builds and runs all tests for the given kernels, prints
# KTAP as it comes, then the figures, and last a line "N passed, N failed".
# TESTS=GLOB[,GLOB] selects tests of the guest by name, TESTS=!GLOB[,GLOB] all
# others; SEED and STEPS are for the random sequences.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
guest=() append='' timeout=''	# set by guest_for
# shellcheck disable=SC1091
. "$here/vm/guest.sh"
out=$top/build
summary=$out/summary
(($#)) || set -- 6.1 6.12

vmrun=$out/vm/vmrun
: "${TIMEOUT:=300}"
append=${TESTS:+klp_sdk.tests=$TESTS}${SEED:+ klp_sdk.seed=$SEED}${STEPS:+ klp_sdk.steps=$STEPS}

# suite NAME COMMAND... - a test that prints KTAP on the host. Results that the
# plan announces and that do not come count as failed.
suite() {
	local name=$1 file=$out/$1.ktap status=0
	shift
	echo "# suite: $name"
	"$@" | tee "$file" || status=1
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
		}' "$file" >>"$summary"
}

# vm SERIES ARGS... - the tests in the guest; vmrun writes the summary's line.
vm() {
	local series=$1
	shift
	mkdir -p "$out/$series/vm"
	"$vmrun" --kernel "$("$top/tools/kernel.sh" "$series")/vmlinux" \
		--initrd "$out/$series/initrd.cpio" --out "$out/$series/vm" \
		--timeout "$TIMEOUT" --name "$series" "$@"
}

mkdir -p "$out"
rm -f "$summary"*
start=$SECONDS
for series; do
	"$here/build.sh" "$series"
done
built=$SECONDS

# One guest on each core. The results of the first are shown as they come, those
# of the others afterwards.
first=$1
shift
for series; do
	vm "$series" --append "$append" --summary "$summary.$series" --quiet 2>"$out/$series/verdict" &
done
echo "# suite: $first"
vm "$first" --append "$append" --summary "$summary" || true
for series; do
	wait -n || true
done
for series; do
	echo "# suite: $series"
	grep -v '^# klp-sdk:' "$out/$series/vm/results.ktap" || true
	cat "$out/$series/verdict" >&2
	if [[ -s $summary.$series ]]; then
		cat "$summary.$series" >>"$summary"
	else
		echo "$series 0 1 0 0 0 0 -" >>"$summary"
	fi
done

if [[ -z $append ]]; then
	suite verdict "$out/vm/verdict_test"
	for series in "$first" "$@"; do
		suite "compile-$series" "$here/host/run.sh" "$out/$series" \
			"$("$top/tools/kernel.sh" "$series")/kdir"
	done
	suite coccinelle "$here/host/cocci.sh"
	suite input "$here/host/input.sh"
	suite harness "$here/host/harness.sh" "${!#}"
	suite smoke "$here/host/smoke.sh" "$first"
fi

echo "# figures: build $((built - start)) s, all $((SECONDS - start)) s"
awk '{ ok += $2; bad += $3; skip += $4 }
	$5 {
		printf "# %s: %.1f s from start to first test, %.2f s a test on average, slowest %.1f s (%s)\n",
			$1, $5 / 1000, $6 / 1000 / ($2 + $3 ? $2 + $3 : 1), $7 / 1000, $8
	}
	END {
		printf "%d passed, %d failed", ok, bad
		if (skip) printf ", %d skipped", skip
		print ""
		exit bad || !ok
	}' "$summary"
