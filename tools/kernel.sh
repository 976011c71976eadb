#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernel.sh [--refresh] SERIES - gets the newest Debian kernel of a series
# (e.g. 6.12) into the cache, without installing it, and prints its directory:
#   release   what uname -r says in it
#   vmlinuz, config
#   vmlinux   what is in vmlinuz, which boots faster as it is
#   kdir      the KDIR to build modules against
#   modules/  modules to load, in this order, for a virtio-serial port
set -euo pipefail
# shellcheck disable=SC1091
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A run keeps the kernel that it has begun with.
name=$(kernel_variable "${!#}")
if [[ $# == 1 && ${!name-} ]]; then echo "${!name}"; exit; fi

usage="usage: kernel.sh [--refresh] SERIES (such as 6.12, or 6.12-debug)"
if [[ ${!#} == *-debug ]]; then exec "${BASH_SOURCE[0]%/*}/debug-kernel.sh" "$@"; fi
refresh=	# for lib.sh
# shellcheck disable=SC2034
if [[ ${1-} == --refresh ]]; then refresh=1; shift; fi
[[ $# == 1 && $1 =~ ^[0-9]+\.[0-9]+$ ]] || die "$usage"

series=$1
dir=$CACHE/kernels/$series
log=$dir.log
tmp=

give_up() {
	fail "cannot download kernel $series: check the network, run 'sudo apt-get update', then this again"
}

# Sets image and rel to the newest kernel of the series that apt knows; fails if there
# is none. offered is what there is.
find_image() {
	local all
	# cloud and rt are other flavours, not other versions.
	# shellcheck disable=SC2154	# apt_opts is lib.sh's
	all=$(apt-cache "${apt_opts[@]}" pkgnames linux-image- 2>>"$log" |
		grep -E '^linux-image-[0-9].*-amd64-unsigned$' |
		grep -vE -- '-(cloud|rt)-amd64-unsigned$') || true
	offered=$(sed -E 's/^linux-image-([0-9]+\.[0-9]+).*/\1/' <<<"$offered"$'\n'"$all" |
		sed '/^$/d' | sort -Vu)
	image=$(grep -E "^linux-image-${series/./\\.}[.~]" <<<"$all" |
		sort -V | tail -n1) || true
	rel=${image#linux-image-}
	rel=${rel%-unsigned}
	[[ $image ]]
}

# Fills $tmp/deb with the packages of $rel.
download() {
	local headers=linux-headers-$rel depends common kbuild mb

	depends=$(apt-cache "${apt_opts[@]}" show --no-all-versions "$headers" 2>>"$log" |
		grep '^Depends:') || return 1
	common=$(grep -oE 'linux-headers-[^ ,]+-common' <<<"$depends" | head -n1) || return 1
	kbuild=$(grep -oE 'linux-kbuild-[^ ,]+' <<<"$depends" | head -n1) || return 1
	set -- "$image" "$headers" "$common" "$kbuild"
	mb=$(download_size "$@") || return 1
	say "downloading kernel $rel ($mb MB)"
	download_to "$tmp/deb" "$@"
}

# unpack PACKAGE-GLOB TAR-ARGS... - into $tmp/root; removes the package.
unpack() {
	local deb
	deb=$(find "$tmp/deb" -name "$1") && shift
	dpkg-deb --fsys-tarfile "$deb" 2>>"$log" |
		tar -x -C "$tmp/root" --no-same-owner --wildcards "$@" 2>>"$log" &&
		rm "$deb"
}

# le32 FILE OFFSET
le32() { od -An -tu4 -j "$2" -N 4 --endian=little "$1" | tr -d ' '; }

# decompress VMLINUZ VMLINUX - by the boot protocol's setup_sects, payload_offset
# and payload_length. The payload ends with its unpacked size, which the
# programs do not know.
decompress() {
	local sects start length unpack
	sects=$(od -An -tu1 -j 497 -N 1 "$1")
	start=$(((sects + 1) * 512 + $(le32 "$1" 584)))
	length=$(($(le32 "$1" 588) - 4))
	dd if="$1" of="$2.packed" bs=64K iflag=skip_bytes,count_bytes \
		skip="$start" count="$length" 2>>"$log" || return 1
	case $(od -An -tx4 -N 4 --endian=big "$2.packed" | tr -d ' ') in
	fd377a58) unpack=xz ;;
	28b52ffd) unpack=zstd ;;
	*) return 1 ;;
	esac
	$unpack -dc "$2.packed" >"$2" 2>>"$log" || return 1
	rm "$2.packed"
	[[ $(stat -c %s "$2") == "$(le32 "$1" $((start + length)))" ]]
}

arrange() {
	local hdr=root/usr/src/linux-headers-$rel pair config mod file n=0

	# The headers find their other half by an absolute path; a relative
	# one makes them independent of what is installed in /usr/src.
	# shellcheck disable=SC2016
	sed -i 's|^include /usr/src/|include $(dir $(lastword $(MAKEFILE_LIST)))../|' \
		"$tmp/$hdr/Makefile" || return 1
	if grep -q ' /usr/src/' "$tmp/$hdr/Makefile"; then return 1; fi

	ln -s "$hdr" "$tmp/kdir" && mkdir "$tmp/modules" &&
		mv "$tmp/root/boot/vmlinuz-$rel" "$tmp/vmlinuz" &&
		mv "$tmp/root/boot/config-$rel" "$tmp/config" &&
		decompress "$tmp/vmlinuz" "$tmp/vmlinux" || return 1

	for pair in VIRTIO:virtio_ring VIRTIO:virtio \
		VIRTIO_PCI_LIB_LEGACY:virtio_pci_legacy_dev \
		VIRTIO_PCI_LIB:virtio_pci_modern_dev \
		VIRTIO_PCI:virtio_pci VIRTIO_CONSOLE:virtio_console; do
		config=${pair%:*} mod=${pair#*:}
		grep -q "^CONFIG_$config=m" "$tmp/config" || continue
		file=$(find "$tmp/root" -name "$mod.ko" -o -name "$mod.ko.xz")
		mod=$(printf '%s/modules/%02d-%s.ko' "$tmp" "$n" "$mod")
		case $file in
		*.xz)	xz -dc "$file" >"$mod" || return 1 ;;
		*)	cp "$file" "$mod" || return 1 ;;
		esac
		n=$((n + 1))
	done
	rm -rf "$tmp/deb" "$tmp/root/boot" "$tmp"/root{,/usr}/lib/modules
	echo "$rel" >"$tmp/release"
}

# Whether there is a newer one is not looked for unless it is asked for.
current() { complete "$1"; }

begin_unless_current 200
mkdir "$tmp/deb" "$tmp/root"

offered=
if ! look_for find_image; then
	if [[ ! $offered ]]; then	# apt has no package lists at all
		apt_update
		look_for find_image || [[ $offered ]] || give_up
	fi
	[[ $image ]] ||
		die "no kernel $series in this machine's package sources, they offer: ${offered//$'\n'/ }"
fi

# Old lists name packages that the archive has replaced: look again, once.
download || { disk_full || apt_update; find_image && download; } || give_up

if ! { unpack 'linux-image-*' ./boot '*/kernel/drivers/virtio/*' '*/kernel/drivers/char/*' &&
	unpack 'linux-headers-*-common_*' ./usr/src &&
	unpack 'linux-headers-*' ./usr/src &&
	unpack 'linux-kbuild-*' --exclude=./usr/share . &&
	arrange && complete "$tmp"; }; then
	fail "cannot unpack kernel $rel"
fi

publish_kernel
echo "$dir"
