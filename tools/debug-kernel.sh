#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# debug-kernel.sh [--refresh] SERIES-debug - builds the kernel of debug.config
# from Debian's newest linux-source-SERIES, in the cache, once, and prints its
# directory. It has what kernel.sh's have, and is built anew if debug.config, the
# source or the compiler is another one. kernel.sh calls this.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC1091
. "$here/lib.sh"

refresh=
if [[ ${1-} == --refresh ]]; then refresh=1; shift; fi
[[ $# == 1 && $1 =~ ^[0-9]+\.[0-9]+-debug$ ]] ||
	die "usage: debug-kernel.sh [--refresh] SERIES-debug (such as 6.12-debug)"

series=$1
dir=$CACHE/kernels/$series
log=$dir.log
tmp=
package=linux-source-${series%-debug}
config=$here/debug.config

# All that makes a difference: this script and the configuration, the compiler
# (which Kbuild wants to be the same for modules), the source.
make_key() {
	{ cat "${BASH_SOURCE[0]}" "$config"; gcc --version; } | sha256sum | cut -c1-16
	newest_version "$package"
}

# current DIRECTORY - it is complete and of this key. Without package lists, the
# source that was taken will do.
current() {
	complete "$1" && [[ -s $1/key ]] || return 1
	[[ $(cat "$1/key") == "$key" ||
		($key != *$'\n'* && $(head -n1 "$1/key") == "$key") ]]
}

# The kernel's makefiles take much from the environment and from make's flags.
run_make() {
	env -i PATH="$PATH" HOME="$HOME" LC_ALL=C make -s -C "$tmp/source" "$@" >>"$log" 2>&1 9>&-
}

# unpack SOURCE-PACKAGE - without most of what is not for this kernel.
unpack() {
	mkdir "$tmp/source" &&
		unpack_source "$1" "$tmp/source" \
			--exclude='linux-source-*/Documentation/*/*' \
			--exclude='linux-source-*/arch/[!x]*/*.[chS]' \
			--exclude='linux-source-*/drivers/gpu/*.[ch]' \
			--exclude='linux-source-*/drivers/media/*.[ch]' \
			--exclude='linux-source-*/drivers/net/*.[ch]' \
			--exclude='linux-source-*/drivers/scsi/*.[ch]' \
			--exclude='linux-source-*/drivers/staging/*.[ch]' \
			--exclude='linux-source-*/sound/*.[ch]' \
			--exclude='linux-source-*/tools/testing/*/*'
}

# Two tables that only make kmemleak slow: KASAN's shadow, and a hash table for a
# million stacks. If the source has changed here, the tests take longer.
trim() {
	local source=$tmp/source
	sed -i '/early_alloc/,/^}/s/MEMBLOCK_ALLOC_ACCESSIBLE/MEMBLOCK_ALLOC_NOLEAKTRACE/' \
		"$source/arch/x86/mm/kasan_init_64.c"
	sed -i 's/^#define STACK_BUCKET_NUMBER_ORDER_MAX 20$/#define STACK_BUCKET_NUMBER_ORDER_MAX 12/' \
		"$source/lib/stackdepot.c"
}

# Every line of debug.config is in the configuration that came of it.
check_config() {
	local lost
	lost=$(grep -E '^(CONFIG_|# CONFIG_)' "$config" | grep -vxFf "$tmp/source/.config") || return 0
	die "kernel $series cannot have what $config asks for: ${lost//$'\n'/, }"
}

# What building modules takes stays, the rest of the source goes.
arrange() {
	local source=$tmp/source
	cp "$source/vmlinux.symvers" "$source/Module.symvers" &&
		cp "$source/.config" "$tmp/config" &&
		cp "$source/include/config/kernel.release" "$tmp/release" &&
		strip --strip-debug -o "$tmp/vmlinux" "$source/vmlinux" &&
		mkdir -p "$tmp"/{modules,kdir/arch/x86,kdir/tools/objtool} &&
		mv "$source"/{Makefile,.config,Module.symvers,include,scripts} "$tmp/kdir/" &&
		mv "$source"/arch/x86/{include,Makefile*} "$tmp/kdir/arch/x86/" &&
		mv "$source/tools/objtool/objtool" "$tmp/kdir/tools/objtool/" &&
		find "$tmp/kdir" -name '*.o' -delete &&
		rm -rf "$source" "$tmp/deb" &&
		complete "$tmp"
}

key=$(make_key)
if [[ ! $refresh ]] && current "$dir"; then echo "$dir"; exit; fi

check_debian
for prog in gcc make flex bison bc perl xz; do
	command -v $prog >/dev/null || die "building kernel $series needs $prog: run 'make setup SERIES=$series'"
done
lock_kernel
if [[ ! $refresh ]] && current "$dir"; then echo "$dir"; exit; fi
begin_kernel 1200

download_source "$package"
make_key >"$tmp/key"

say "building kernel $series, once: about 4 minutes on two cores"
unpack "$tmp"/deb/*.deb || fail "cannot unpack $package"
trim
run_make KCONFIG_ALLCONFIG="$config" allnoconfig || fail "cannot configure kernel $series"
check_config
run_make -j"$(nproc)" vmlinux modules_prepare || fail "cannot build kernel $series"
arrange 2>>"$log" || fail "cannot arrange kernel $series"

publish_kernel
echo "$dir"
