#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench.sh SERIES - measures shadow variables in a VM, prints the table and writes
# build/bench/bench.tsv, see docs/performance.md.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
guest=() out=	# set by plain_guest
# shellcheck disable=SC1091
. "$top/tools/lib.sh"
# shellcheck disable=SC1091
. "$here/vm/guest.sh"

plain_guest bench "$1" KLP_SDK_BENCH=m

# bench NAME VMRUN-ARGS... - SLUB's debugging is vmrun's default, and far slower than
# what is measured.
bench() {
	local dir=$out/$1
	mkdir -p "$dir"
	"$top/build/vm/vmrun" "${guest[@]}" --timeout 1200 --name "bench-$1" --out "$dir" "${@:3}" \
		--append "rdinit=/bench slub_debug=-,kmalloc-* $2"
	sed -n 's/^# klp-sdk: bench\t//p' "$dir/results.ktap" >>"$out/bench.tsv"
}

printf 'backend\tn\tids\toperation\tns\tratio\n' >"$out/bench.tsv"
bench real klp_sdk.bench=real --real-time
bench counted ""
