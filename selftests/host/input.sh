#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# input.sh - bad input gets one clear line and a failure. Prints KTAP.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0

# refuses NAME EXPECTED COMMAND... - fails, and says one line of klp-sdk.
refuses() {
	local name=$1 expected=$2 got status=0
	shift 2
	got=$("$@" 2>&1) || status=$?
	n=$((n + 1))
	if [[ $status != 0 && $(grep -c '^klp-sdk: ' <<<"$got") == 1 && $got == *"klp-sdk: "*"$expected"* ]]; then
		echo "ok $n - input-$name"
	else
		echo "# status $status, expected '$expected', got: ${got//$'\n'/$'\n'# }"
		echo "not ok $n - input-$name"
	fi
}

# vmrun with a QEMU that is not one
run_vm() {
	QEMU=$1 "$top/build/vm/vmrun" --kernel "$tmp/k" --initrd "$tmp/i" --out "$tmp" --timeout 5
}

mkdir -p "$tmp/unconfigured" "$tmp/nolivepatch/include/config"
touch "$tmp"/{unconfigured,nolivepatch}/Makefile "$tmp/nolivepatch/include/config/auto.conf" "$tmp/k" "$tmp/i"

make=(make -s -C "$top" MAKEFLAGS=)
echo "KTAP version 1"
echo "1..7"
refuses kdir-missing "no such directory" "${make[@]}" KDIR="$tmp/none"
refuses kdir-empty "run 'make setup'" "${make[@]}" KDIR=
refuses kdir-unconfigured "is not configured" "${make[@]}" KDIR="$tmp/unconfigured"
refuses kdir-without-livepatch "CONFIG_LIVEPATCH" "${make[@]}" KDIR="$tmp/nolivepatch"
refuses series-malformed "usage" "$top/tools/kernel.sh" six
refuses qemu-missing "not found" run_vm "$tmp/none"
refuses qemu-dies "QEMU failed" run_vm /bin/false
