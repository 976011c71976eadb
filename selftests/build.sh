#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# build.sh SERIES [VAR=VALUE...] - builds all modules and the guest's initramfs
# for one of the cached kernels, in build/SERIES. Kbuild puts its output beside
# the sources, so each kernel gets a tree of links to them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
# shellcheck disable=SC1091
. "$top/tools/lib.sh"
series=$1
shift
tree=$top/build/$series
log=$tree/build.log

lock_build "$top"
lap
kernel=$("$top/tools/kernel.sh" "$series")
[[ -e $tree/initrd.cpio ]] || { mkdir -p "$tree"; need_room "$tree" 200 "building for $series"; }
mkdir -p "$tree"
on_full_disk "$tree" "$log"

# A tree built for another release of the series is of no use.
if ! cmp -s "$kernel/release" "$tree/release"; then
	rm -rf "$tree"
	mkdir -p "$tree"
	cp "$kernel/release" "$tree/release"
fi
cp -rsf "$top"/{Kbuild,include,sdk,examples,selftests} "$tree/"
# What was built beside the sources, for whatever kernel, is not ours.
find "$tree" -xtype l -delete -o -type l \( -name '*.o' -o -name '*.ko' -o \
	-name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' -o -name '.*.d' -o \
	-name modules.order -o -name Module.symvers \) -delete

jobs=$(nproc)
((jobs > 1)) || jobs=2
# The rules ask for no warning at W=1 nor from sparse: any line is a failure.
# Nothing here reads DWARF or BTF, and to write them takes its time.
make -s -j"$jobs" -C "$kernel/kdir" M="$tree" W=1 C=1 CF=-Wsparse-error \
	CONFIG_DEBUG_INFO_BTF_MODULES= KCFLAGS=-g0 "$@" \
	modules >"$log" 2>&1 || {
	! full "$tree" "$log" || die "the disk of $tree is full: make room and run this again"
	cat "$log" >&2
	die "cannot build the modules for $series; see $log"
}
if grep -v 'Skipping BTF generation' "$log" >&2; then
	die "building the modules for $series gave warnings; see $log"
fi
lap "build-$series:modules"

make -s -j"$jobs" -C "$here" O="$top/build/vm"
root=$tree/initrd
rm -rf "$root"
mkdir -p "$root"/{dev,proc,sys,lib/modules/boot,lib/modules/test}
cp "$top"/build/vm/{bench,contract,demo,smoke} "$root/"
ln -s contract "$root/init"
for ko in "$kernel"/modules/*.ko; do
	[[ -e $ko ]] && cp "$ko" "$root/lib/modules/boot/"
done
find "$tree/examples" "$tree/selftests" -name '*.ko' -exec cp -t "$root/lib/modules/test" {} +
strip --strip-debug "$root"/lib/modules/*/*.ko
(cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet) >"$tree/initrd.cpio.new"
mv "$tree/initrd.cpio.new" "$tree/initrd.cpio"
lap "build-$series:initrd"
