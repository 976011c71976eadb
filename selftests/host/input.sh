#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# input.sh SERIES - bad input, a full disk and an interrupted download get one clear line and
# a failure; runs side by side do each other no harm. Prints KTAP.
# shellcheck disable=SC2016,SC2031	# what inner shells are to expand; lib.sh sets tmp
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

# report NAME GOOD DIAGNOSTIC
report() {
	n=$((n + 1))
	if [[ $2 ]]; then
		echo "ok $n - input-$1"
	else
		echo "# ${3//$'\n'/$'\n'# }"
		echo "not ok $n - input-$1"
	fi
}

# until_true COMMAND... - for what another process does; 60 s are for busy machines.
until_true() {
	local i
	for ((i = 0; i < 600; i++)); do
		if "$@"; then return; fi
		sleep 0.1
	done
	return 1
}

# on_small_disk MB COMMAND... - with a disk of this size at $tmp/disk, which is there for
# the command only
on_small_disk() {
	unshare "${unshare[@]}" bash -c 'mount -t tmpfs -o size="$1"m disk "$2" && shift 2 && exec "$@"' \
		bash "$1" "$tmp/disk" "${@:2}"
}

# As much of this repository as a build takes, on the small disk; then the disk is full
build_on_full_disk() {
	cp -r "$top"/{Kbuild,tools,include,sdk,examples,selftests} "$tmp/disk/"
	mkdir -p "$tmp/disk/build/$series/vm"
	cp "$top/build/$series/release" "$tmp/disk/build/$series/"
	# It is not the first build, for which there would have to be much more room.
	echo old >"$tmp/disk/build/$series/initrd.cpio"
	dd if=/dev/zero of="$tmp/disk/fill" bs=64k 2>/dev/null || true
	"$tmp/disk/selftests/build.sh" "$series"
}

first_build() {
	cp -r "$top"/{tools,selftests} "$tmp/disk/"
	"$tmp/disk/selftests/build.sh" "$series"
}

vm_on_full_disk() {
	dd if=/dev/zero of="$tmp/disk/fill" bs=4k 2>/dev/null || true
	run_vm /bin/true "$tmp/disk"
}

# QEMU does not say that it cannot write the log.
vm_fills_disk() {
	printf '#!/bin/sh\ndd if=/dev/zero of=%s bs=4k 2>/dev/null\nexit 0\n' "$tmp/disk/fill" >"$tmp/qemu"
	chmod +x "$tmp/qemu"
	run_vm "$tmp/qemu" "$tmp/disk"
}

# apt, of which one can say what a download does: $tmp/download is run for it.
fake_apt() {
	mkdir "$tmp/bin"
	cat >"$tmp/bin/apt-cache" <<-'EOF'
		#!/bin/sh
		case "$*" in
		*pkgnames*)	echo linux-image-99.1.0-1-amd64-unsigned ;;
		*show*)		echo "Depends: linux-headers-99.1.0-1-common, linux-kbuild-99.1" ;;
		esac
	EOF
	cat >"$tmp/bin/apt-get" <<-EOF
		#!/bin/bash
		case "\$*" in
		*print-uris*)	echo "'x' x 1000000 x" ;;
		*download*)	. "$tmp/download" ;;
		esac
	EOF
	chmod +x "$tmp"/bin/apt-*
}

# kernel_99 - sets got and status
kernel_99() {
	status=0
	got=$(PATH=$tmp/bin:$PATH XDG_CACHE_HOME=$tmp/cache "$top/tools/kernel.sh" 99.1 2>&1) || status=$?
}

# not_trusted WORDS - what there is of kernel 99.1 is no kernel.
not_trusted() {
	local trees
	trees=$(find "$kernels" -mindepth 1 ! -name '*.lock' ! -name '*.log')
	[[ $status != 0 && $got == *"$1"* && $got != *"$kernels/99.1"$'\n'* && ! $trees ]]
}

# run_vm QEMU [DIRECTORY] - vmrun with a QEMU that is not one
run_vm() {
	QEMU=$1 "$top/build/vm/vmrun" --kernel "$tmp/k" --initrd "$tmp/i" --out "${2:-$tmp}" --timeout 5
}

mkdir -p "$tmp/unconfigured" "$tmp/nolivepatch/include/config"
touch "$tmp"/{unconfigured,nolivepatch}/Makefile "$tmp/nolivepatch/include/config/auto.conf" "$tmp/k"
echo initrd >"$tmp/i"

series=$1
# shellcheck disable=SC2034	# set by whoever runs the tests, and of no use here
unset "${!KLP_SDK_@}"
mkdir "$tmp/disk"
unshare=(--mount --propagation private)
((EUID == 0)) || unshare+=(--map-root-user)

make=(make -s -C "$top" MAKEFLAGS=)
echo "KTAP version 1"
echo "1..21"
refuses kdir-missing "no such directory" "${make[@]}" KDIR="$tmp/none"
refuses kdir-empty "run 'make setup'" "${make[@]}" KDIR=
refuses kdir-unconfigured "is not configured" "${make[@]}" KDIR="$tmp/unconfigured"
refuses kdir-without-livepatch "CONFIG_LIVEPATCH" "${make[@]}" KDIR="$tmp/nolivepatch"
refuses series-malformed "usage" "$top/tools/kernel.sh" six
refuses qemu-missing "not found" run_vm "$tmp/none"
refuses qemu-dies "QEMU failed" run_vm /bin/false

if on_small_disk 1 true 2>/dev/null; then
	export -f build_on_full_disk first_build vm_on_full_disk vm_fills_disk run_vm
	export tmp top series
	XDG_CACHE_HOME=$tmp/disk refuses disk-cache "needs 200 MB of disk in $tmp/disk" \
		on_small_disk 8 "$top/tools/kernel.sh" "$series"
	refuses disk-build "needs 200 MB of disk in $tmp/disk" on_small_disk 16 bash -c first_build
	refuses disk-build-full "the disk of $tmp/disk/build/$series is full" \
		on_small_disk 16 bash -c build_on_full_disk
	refuses disk-vm "cannot write $tmp/disk/initrd: No space left" on_small_disk 1 bash -c vm_on_full_disk
	refuses disk-log "the disk of $tmp/disk is full" on_small_disk 1 bash -c vm_fills_disk
	# A chroot in which nothing is mounted
	refuses proc "/proc or /dev is missing" on_small_disk 1 \
		sh -c "mount -t tmpfs proc /proc && exec '$top/tools/kernel.sh' $series"
else
	for name in disk-{cache,build,build-full,vm,log} proc; do
		n=$((n + 1))
		echo "ok $n - input-$name # SKIP no mounts for this user"
	done
fi

if unshare --user true 2>/dev/null; then
	refuses fresh-user "has to be root: sudo make check-fresh" \
		unshare --user "$top/tools/check-fresh.sh"
else
	n=$((n + 1))
	echo "ok $n - input-fresh-user # SKIP no other user for this one"
fi

# A download that is killed, with all that it has started, or not; one that is cut; none
kernels=$tmp/cache/klp-sdk/kernels
fake_apt
echo 'echo cut >linux-image.deb; echo $$ >"'"$tmp"'/downloads"; exec sleep 1000' >"$tmp/download"
PATH=$tmp/bin:$PATH XDG_CACHE_HOME=$tmp/cache "$top/tools/kernel.sh" 99.1 >"$tmp/first" 2>&1 &
first=$!
until_true test -s "$tmp/downloads" || true
PATH=$tmp/bin:$PATH XDG_CACHE_HOME=$tmp/cache "$top/tools/kernel.sh" 99.1 >"$tmp/second" 2>&1 &
second=$!
good=
if until_true grep -qs 'waiting for another run' "$tmp/second"; then good=1; fi
report second-waits "$good" "$(cat "$tmp/second")"
downloads=$(cat "$tmp/downloads")
rm "$tmp/downloads"
{ kill -9 "$first"; wait "$first"; } 2>/dev/null || true
# The killed run's download continues, and keeps nobody waiting.
good=
if until_true test -s "$tmp/downloads" && kill -0 "$downloads"; then good=1; fi
report killed-lets-go "$good" "$(cat "$tmp/second")"
{ kill -9 "$downloads" "$second" "$(cat "$tmp/downloads")"; wait "$second"; } 2>/dev/null || true
echo 'exit 100' >"$tmp/download"
kernel_99
report killed-download "$(not_trusted "cannot download kernel 99.1" && echo 1)" "status $status: $got"
echo 'for p; do case $p in linux-*) echo cut >${p}_1_all.deb; esac; done' >"$tmp/download"
kernel_99
report cut-package "$(not_trusted "cannot unpack kernel 99.1.0-1" && echo 1)" "status $status: $got"

# A kernel that a run uses stays when another run replaces it, and is used to the end.
status=0 base=$tmp
got=$(
	export XDG_CACHE_HOME=$tmp/cache
	# shellcheck disable=SC1091
	. "$top/tools/lib.sh"
	dir=$kernels/99.1 tmp=$base
	mkdir -p "$dir-user00"/{modules,kdir} "$dir-newer0" "$dir-killed"
	for file in release vmlinux config kdir/Makefile; do echo x >"$dir-user00/$file"; done
	ln -s 99.1-user00 "$dir"
	(use_kernels 99.1 && until_true test -e "$tmp/replaced" && "$top/tools/kernel.sh" 99.1) &
	until_true sh -c "! flock -n $dir-user00 true"
	ln -sfn 99.1-newer0 "$dir"
	remove_old
	touch "$tmp/replaced"
	wait
	remove_old
	ls "$kernels"
) || status=$?
good=
if [[ $got == "$kernels/99.1-user00"* && $got != *$'\n'99.1-user00* && $got != *killed* &&
	$got == *99.1-newer0* ]]; then good=1; fi
report kernel-in-use "$good" "status $status: $got"

# Two runs in one folder: one after the other; parts of a run do not wait for it.
mkdir "$tmp/folder"
locked=(bash -c '. "$1/tools/lib.sh"; lock_build "$2"; eval "$3"' locked "$top" "$tmp/folder")
"${locked[@]}" 'touch "$2/first"; exec sleep 1000' &
first=$!
until_true test -e "$tmp/folder/first" || true
"${locked[@]}" 'touch "$2/second"' >"$tmp/second" 2>&1 &
good=
if until_true grep -qs 'waiting for another run' "$tmp/second" && [[ ! -e $tmp/folder/second ]]; then good=1; fi
report one-run "$good" "$(cat "$tmp/second")"
{ kill -9 "$first"; wait "$first"; } 2>/dev/null || true
good=
if until_true test -e "$tmp/folder/second"; then good=1; fi
report next-run "$good" "$(cat "$tmp/second")"
