#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# harness.sh SERIES - the harness must call a broken run broken: the guest fails
# on purpose in its second test, and vmrun has to say so in one line. A guest that
# does not get on since QEMU is stopped is not broken. On a debug kernel a module does
# in the second test what the kernel's checkers have to find. KTAP.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
series=$1
guest=() append=''	# set by guest_for
# shellcheck disable=SC1091
. "$top/selftests/vm/guest.sh"
guest_for "$series"

# NAME|SECONDS|what vmrun says|who is named in the log or the results|option of vmrun.
# A guest that waits for ever keeps QEMU busy, for time passes by itself then; with
# --real-time QEMU waits as well.
faults=(
	"hang|4|guest hung in test 2|"
	"spin|4|guest hung in test 2|"
	"idle|4|guest hung in test 2||--real-time"
	"panic|60|kernel panic during test 2|"
	"cut|60|results cut after test 1|"
	"warn|60|WARNING: |"
	"starved|2||"
)
if [[ $series == *-debug ]]; then faults=(
	"leak|120|kmemleak: |[klp_sdk_bug]"
	"overrun|120|BUG: KASAN: slab-out-of-bounds in |[klp_sdk_bug]"
	"stale|120|BUG: KASAN: slab-use-after-free in |[klp_sdk_bug]"
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

# qemu_that_stops FILE RESULTS - a QEMU that is stopped for longer than the limit when
# there is a result
qemu_that_stops() {
	cat >"$1" <<-EOF
		#!/bin/bash
		qemu=\$\$
		{
			until grep -q '^ok 1 ' "$2"; do sleep 0.05; done
			kill -STOP \$qemu
			sleep 5
			kill -CONT \$qemu
			echo continued >"$1.continued"
		} </dev/null >/dev/null 2>&1 &
		exec ${QEMU:-qemu-system-x86_64} "\$@"
	EOF
	chmod +x "$1"
	rm -f "$2" "$1.continued"
}

# fault NUMBER NAME SECONDS SAYS CULPRIT [OPTION] - nothing is wrong if SAYS is empty
fault() {
	local out=$top/build/$series/fault-$2 got status=0 named='' good=
	mkdir -p "$out"
	if [[ $2 == starved ]]; then
		qemu_that_stops "$out/qemu" "$out/results.ktap"
		local -x QEMU=$out/qemu
	fi
	got=$("$top/build/vm/vmrun" "${guest[@]}" --initrd "$top/build/$series/initrd.cpio" \
		--out "$out" --timeout "$3" --name "$2" --quiet \
		${6:+"$6"} --append "$append klp_sdk.fault=${4:+$2} klp_sdk.tests=contract-24-[dn]*" 2>&1) ||
		status=$?
	if [[ ! $5 ]] || grep -qF -- "$5" "$out"/{console.log,results.ktap}; then named=1; fi
	if [[ $status != 0 && $4 && $named && $(wc -l <<<"$got") == 1 && $got == *"$4"*"$out"* ]]; then
		good=1
	elif [[ ! $4 && $status == 0 && ! $got && -s $out/qemu.continued ]]; then
		good=1
	fi
	if [[ $good ]]; then
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
		IFS='|' read -r name seconds says culprit option <<<"${faults[n - 1]}"
		fault $n "$name" "$seconds" "$says" "$culprit" "$option" >"$top/build/$series/fault.$n" &
	done
	wait
	cat "$top/build/$series/fault.$((i + 1))"
	if ((i + 2 <= ${#faults[@]})); then cat "$top/build/$series/fault.$((i + 2))"; fi
done
