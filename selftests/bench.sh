#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench.sh SERIES - measures shadow variables in a VM, prints the table and writes
# build/bench/bench.tsv, see docs/performance.md.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
series=$1
out=$top/build/bench

"$here/build.sh" "$series" KLP_SDK_BENCH=m
mkdir -p "$out"
# SLUB's debugging is vmrun's default, and far slower than what is measured.
"$top/build/vm/vmrun" --plain --timeout 1200 --name bench --out "$out" \
	--kernel "$("$top/tools/kernel.sh" "$series")/vmlinux" \
	--initrd "$top/build/$series/initrd.cpio" \
	--append "rdinit=/bench slub_debug=-,kmalloc-*"
{
	printf 'backend\tn\tids\toperation\tns\tratio\n'
	sed -n 's/^# klp-sdk: bench\t//p' "$out/results.ktap"
} >"$out/bench.tsv"
