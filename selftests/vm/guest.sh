#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How a cached kernel is run. Sourced, with top set to the repository.
# shellcheck disable=SC2034,SC2154

# plain_guest NAME SERIES [VAR=VALUE...] - builds what build.sh builds and sets out to
# build/NAME, made, and guest to vmrun's arguments for a guest that runs one program.
plain_guest() {
	lock_build "$top"
	use_kernels "$2"
	"$top/selftests/build.sh" "${@:2}"
	out=$top/build/$1
	mkdir -p "$out"
	guest=(--plain --kernel "$("$top/tools/kernel.sh" "$2")/vmlinux"
		--initrd "$top/build/$2/initrd.cpio")
}

# guest_for SERIES [TESTS] - sets guest to vmrun's arguments for this kernel, append
# to what its command line needs, and timeout to the seconds of QEMU's own time after
# which a test must be hanging: several times what the longest takes. Tests called smp-*
# get two processors.
guest_for() {
	guest=(--kernel "$("$top/tools/kernel.sh" "$1")/vmlinux")
	# slab_count() asks for the site of an allocation, not for its stack.
	append=stack_depot_disable=on timeout=300
	[[ ${2-} != smp-* ]] || guest+=(--cpus 2)
	[[ $1 == *-debug ]] || return 0
	# kmemleak and KASAN find there what SLUB's own debugging is for on the
	# other kernels, at 50 s a test. kmemleak reads all of the memory, twice a
	# test, so there is little. failslab takes no caches that were merged.
	guest+=(--memory 256)
	append="slub_debug=-,kmalloc-* slab_nomerge log_buf_len=1M"
}
