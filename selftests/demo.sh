#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# demo.sh SERIES - make demo: shows in a VM how a state survives the upgrade of its patch.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
# shellcheck disable=SC1091
. "$top/tools/lib.sh"
series=$1
out=$top/build/demo

lock_build "$top"
use_kernels "$series"
"$here/build.sh" "$series"
mkdir -p "$out"
"$top/build/vm/vmrun" --plain --timeout 60 --name demo --out "$out" \
	--kernel "$("$top/tools/kernel.sh" "$series")/vmlinux" \
	--initrd "$top/build/$series/initrd.cpio" --append rdinit=/demo
