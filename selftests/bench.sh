#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench.sh SERIES - measures shadow variables in a VM, prints the table and writes
# build/bench/bench.tsv, see docs/performance.md.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
# shellcheck disable=SC1091
. "$top/tools/lib.sh"
series=$1
out=$top/build/bench

lock_build "$top"
use_kernels "$series"
"$here/build.sh" "$series" KLP_SDK_BENCH=m
mkdir -p "$out"
# bench NAME VMRUN-ARGS... - SLUB's debugging is vmrun's default, and far slower than
# what is measured.
bench() {
	local dir=$out/$1
	mkdir -p "$dir"
	"$top/build/vm/vmrun" --plain --timeout 1200 --name "bench-$1" --out "$dir" \
		--kernel "$("$top/tools/kernel.sh" "$series")/vmlinux" \
		--initrd "$top/build/$series/initrd.cpio" "${@:3}" \
		--append "rdinit=/bench slub_debug=-,kmalloc-* $2"
	sed -n 's/^# klp-sdk: bench\t//p' "$dir/results.ktap" >>"$out/bench.tsv"
}

printf 'backend\tn\tids\toperation\tns\tratio\n' >"$out/bench.tsv"
bench real klp_sdk.bench=real --real-time
bench counted ""
