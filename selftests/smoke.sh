#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# smoke.sh [--built] FOLDER... - puts a patch author's own modules through their
# life in a VM, on each kernel of $SERIES (see selftests/smoke.c). Each folder
# has a Kbuild file or Makefile and gives one or more livepatches, in the order
# of its obj-m; other modules are loaded before all livepatches. Prints KTAP as
# it comes, and last a line "N passed, N failed".
# Output goes to $OUT; --built says that our own modules are built already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
# shellcheck disable=SC1091
. "$here/vm/guest.sh"
: "${SERIES:=6.1 6.12}" "${OUT:=$top/build/smoke}" "${TIMEOUT:=120}"

# The folder's own make is not to take variables of ours, like M=.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES

# shellcheck disable=SC1091
. "$top/tools/lib.sh"
die() { echo "klp-sdk: smoke: $*" >&2; exit 1; }

built=
if [[ ${1-} == --built ]]; then built=1; shift; fi
(($#)) || die 'no modules: make smoke M="FOLDER...", folders with a Kbuild file each, oldest first'

folders=()
for arg; do
	[[ -e $arg ]] || die "$arg: no such folder"
	[[ -d $arg ]] || die "$arg is not a folder; name the one that its Kbuild file is in"
	folder=$(realpath "$arg")
	[[ $folder != *[[:space:]:]* ]] ||
		die "$arg: modules cannot be built in a path with blanks or colons"
	[[ -e $folder/Kbuild || -e $folder/Makefile ]] ||
		die "$arg has neither a Kbuild file nor a Makefile"
	folders+=("$folder")
done

# mirror TREE - a copy of the folders in TREE, at the same path as from /, for
# Kbuild puts its output beside the sources. Files are links; what stands beside
# the folders and above them is linked, too, so that ../FILE is found. What an
# earlier build left in them is not taken.
mirror() {
	local tree=$1 folder path entry part parts links
	rm -rf "$tree"
	mkdir -p "$tree"
	for folder in "${folders[@]}"; do
		find -L "$folder" \( -name .git -o -path "$top/build" \) -prune -o \
			-type d -printf "$tree%p\\0" 2>/dev/null | xargs -0 mkdir -p
		find -L "$folder" \( -name .git -o -path "$top/build" \) -prune -o \
			\( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
			-o -name '.*.cmd' -o -name '.*.d' -o -name modules.order \
			-o -name Module.symvers \) -o \
			-type f -print 2>/dev/null |
			while read -r path; do ln -sf "$path" "$tree$path"; done
	done
	for folder in "${folders[@]}"; do
		IFS=/ read -ra parts <<<"${folder#/}"
		path=
		for part in "${parts[@]}"; do
			links=()
			for entry in "$path"/*; do
				if [[ -e $entry && ! -e $tree$entry ]]; then links+=("$entry"); fi
			done
			if ((${#links[@]})); then ln -st "$tree$path" "${links[@]}"; fi
			path+=/$part
		done
	done
}

# is_livepatch MODULE
is_livepatch() {
	objcopy -O binary --only-section=.modinfo "$1" /dev/stdout | tr '\0' '\n' |
		grep '^livepatch=' >/dev/null
}

# build SERIES - the folders' modules, into an initramfs of their own
build() {
	local series=$1 dir=$OUT/$1 kernel i arg folder module name any symbols=
	local log=$dir/build.log
	kernel=$("$top/tools/kernel.sh" "$series")
	mkdir -p "$dir"
	mirror "$dir/tree"
	rm -rf "$dir/initrd"
	mkdir -p "$dir/initrd/lib/modules/smoke"
	: >"$dir/initrd/smoke.list"
	declare -A owner=()
	for ((i = 0; i < ${#folders[@]}; i++)); do
		arg=${args[i]} folder=$dir/tree${folders[i]} any=
		make -s -j2 -C "$kernel/kdir" M="$folder" KLP_SDK="$top" \
			KBUILD_EXTRA_SYMBOLS="$symbols" modules >"$log" 2>&1 || {
			cat "$log" >&2
			die "$arg does not build for $series; see $log"
		}
		symbols+=" $folder/Module.symvers"
		while read -r module; do
			[[ $module == /* ]] || module=$folder/$module
			module=${module%.*}.ko
			name=$(basename "$module" .ko)
			[[ ! ${owner[$name]-} ]] ||
				die "two modules named $name, in ${owner[$name]} and in $arg"
			owner[$name]=$arg
			if is_livepatch "$module"; then
				echo "klp $name"
				any=1
			else
				echo "mod $name"
			fi >>"$dir/initrd/smoke.list"
			cp "$module" "$dir/initrd/lib/modules/smoke/"
		done <"$folder/modules.order"
		[[ -s $folder/modules.order ]] || die "$arg: builds no module; is obj-m set?"
		[[ $any ]] ||
			die "$arg: none of its modules is a livepatch; MODULE_INFO(livepatch, \"Y\") makes one"
	done
	strip --strip-debug "$dir"/initrd/lib/modules/smoke/*.ko
	(cd "$dir/initrd" && find . | cpio -o -H newc -R 0:0 --quiet) >"$dir/initrd.cpio" ||
		die "cannot write $dir/initrd.cpio"
}

# vm SERIES ARGS...
vm() {
	local series=$1
	local guest=() append=''
	shift
	guest_for "$series"
	# klp_sdk_watch knows who allocated what. Caches are to have their own names. A
	# debug kernel would panic for memory that a patch without the SDK hands on.
	if [[ $series == *-debug ]]; then
		append+=' sysctl.vm.mem_profiling=0'
	else
		append+=' slub_debug=FZP,kmalloc-* slab_nomerge'
	fi
	"$top/build/vm/vmrun" "${guest[@]}" \
		--initrd "$top/build/$series/initrd.cpio,$OUT/$series/initrd.cpio" \
		--out "$OUT/$series/vm" --append "$append rdinit=/smoke" --timeout "$TIMEOUT" \
		--name "$series" --summary "$OUT/$series/summary" "$@"
}

args=("$@")
read -ra list <<<"$SERIES"
if [[ ! $built ]]; then
	"$top/tools/setup.sh" "${list[@]}"
	lock_build "$top"
	use_kernels "${list[@]}"
fi
for series in "${list[@]}"; do
	build "$series"
done
for series in "${list[@]}"; do
	if [[ ! $built ]]; then "$here/build.sh" "$series"; fi
	rm -f "$OUT/$series/summary"
done

# One guest on each core. The results of the first are shown as they come, those
# of the others afterwards.
first=${list[0]} others=("${list[@]:1}")
for series in "${others[@]}"; do
	vm "$series" --quiet 2>"$OUT/$series/verdict" &
done
echo "# suite: $first"
vm "$first" || true
for series in "${others[@]}"; do
	wait -n || true
done
for series in "${others[@]}"; do
	echo "# suite: $series"
	grep -v '^# klp-sdk:' "$OUT/$series/vm/results.ktap" || true
	cat "$OUT/$series/verdict" >&2
done
for series in "${list[@]}"; do
	cat "$OUT/$series/summary" 2>/dev/null || echo "$series 0 1 0"
done | awk '{ ok += $2; bad += $3; skip += $4 }
	END {
		printf "%d passed, %d failed", ok, bad
		if (skip) printf ", %d skipped", skip
		print ""
		exit bad || !ok
	}'
