#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# harness.sh SERIES - the harness must call a broken run broken: the guest fails
# on purpose in its second test, and vmrun has to say so in one line. KTAP.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
series=$1
vmrun=$top/build/vm/vmrun
kernel=$("$top/tools/kernel.sh" "$series")

# fault NUMBER NAME TIMEOUT EXPECTED
fault() {
	local out=$top/build/$series/fault-$2 got status=0
	mkdir -p "$out"
	got=$("$vmrun" --kernel "$kernel/vmlinux" --initrd "$top/build/$series/initrd.cpio" \
		--out "$out" --timeout "$3" --name "$2" --quiet \
		--append "klp_sdk.fault=$2 klp_sdk.tests=contract-24-*" 2>&1) || status=$?
	if [[ $status != 0 && $(wc -l <<<"$got") == 1 && $got == *"$4"*"$out"* ]]; then
		echo "ok $1 - harness-$2"
	else
		echo "# status $status, expected '$4', got: $got"
		echo "not ok $1 - harness-$2"
	fi
}

echo "KTAP version 1"
echo "1..4"
# Two at a time, for the two cores that these tests are made for.
fault 1 panic 60 "kernel panic during test 2" >"$top/build/fault.1" &
fault 2 hang 12 "guest hung in test 2" >"$top/build/fault.2"
wait
cat "$top"/build/fault.[12]
fault 3 cut 60 "results cut after test 1" >"$top/build/fault.3" &
fault 4 warn 60 "WARNING: " >"$top/build/fault.4"
wait
cat "$top"/build/fault.[34]
