#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# harness.sh SERIES - the harness must call a broken run broken: the guest fails
# on purpose in its second test, and vmrun has to say so in one line. On a debug
# kernel a module does there what the kernel's checkers have to find. KTAP.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
series=$1
guest=() append=''	# set by guest_for
# shellcheck disable=SC1091
. "$top/selftests/vm/guest.sh"
guest_for "$series"

# NAME|SECONDS|what vmrun says|who is named in the log or the results
faults=(
	"panic|60|kernel panic during test 2|"
	"hang|12|guest hung in test 2|"
	"cut|60|results cut after test 1|"
	"warn|60|WARNING: |"
)
if [[ $series == *-debug ]]; then faults=(
	"leak|120|kmemleak: |[klp_sdk_bug]"
	"overrun|120|BUG: KASAN: slab-out-of-bounds in klp_sdk_bug_init|"
	"stale|120|BUG: KASAN: slab-use-after-free in klp_sdk_bug_init|"
	"sleep|120|BUG: sleeping function called from invalid context|klp_sdk_bug_init+"
	"deadlock|120|WARNING: possible circular locking dependency|klp_sdk_bug_init+"
	"timer|120|ODEBUG: free active|"
	"account|120|allocated at module unload|module klp_sdk_bug func:account has "
	"shadow-atomic|120|BUG: sleeping function called from invalid context|include/klp-sdk/shadow.h"
	"shadow-hardirq|120|WARNING: |is changed in a hard interrupt"
	"shadow-irqsoff|120|WARNING: |or with interrupts off"
	"shadow-twice|120|WARNING: |the parent has a shadow of type 'index' already"
	"shadow-early|120|WARNING: |allocated before its state is live"
); fi

# fault NUMBER NAME SECONDS SAYS CULPRIT
fault() {
	local out=$top/build/$series/fault-$2 got status=0 named=
	mkdir -p "$out"
	got=$("$top/build/vm/vmrun" "${guest[@]}" --initrd "$top/build/$series/initrd.cpio" \
		--out "$out" --timeout "$3" --name "$2" --quiet \
		--append "$append klp_sdk.fault=$2 klp_sdk.tests=contract-24-[dn]*" 2>&1) || status=$?
	if [[ ! $5 ]] || grep -qF -- "$5" "$out"/{console.log,results.ktap}; then named=1; fi
	if [[ $status != 0 && $named && $(wc -l <<<"$got") == 1 && $got == *"$4"*"$out"* ]]; then
		echo "ok $1 - harness-$2"
	else
		echo "# status $status, expected '$4', culprit '$5', got: $got"
		echo "not ok $1 - harness-$2"
	fi
}

echo "KTAP version 1"
echo "1..${#faults[@]}"
# Two at a time, for the two cores that these tests are made for.
for ((i = 0; i < ${#faults[@]}; i += 2)); do
	for ((n = i + 1; n <= i + 2 && n <= ${#faults[@]}; n++)); do
		IFS='|' read -r name seconds says culprit <<<"${faults[n - 1]}"
		fault $n "$name" "$seconds" "$says" "$culprit" >"$top/build/$series/fault.$n" &
	done
	wait
	cat "$top/build/$series/fault.$((i + 1))"
	if ((i + 2 <= ${#faults[@]})); then cat "$top/build/$series/fault.$((i + 2))"; fi
done
