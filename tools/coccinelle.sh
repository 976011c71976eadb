#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# coccinelle.sh - gets the Coccinelle of Debian 12, which our rules are written for, into
# the cache, and prints its spatch. Later releases have 1.3, which cannot parse some of
# the rules, and finds other things by many. It takes its own Python along.
set -euo pipefail
# shellcheck disable=SC1091
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

what="Debian 12's Coccinelle"
dir=$CACHE/programs/coccinelle
log=$dir.log
tmp=
# spatch reports through Python's library, of which it asks python3.
packages=(coccinelle libpcre3 python3.11-minimal libpython3.11 libpython3.11-minimal
	libpython3.11-stdlib)

current() { [[ -x $1/spatch && -x $1/usr/bin/spatch && -e $1/usr/bin/python3 ]]; }

unpack() {
	local deb
	for deb in "$tmp"/deb/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" 2>>"$log" |
			tar -x -C "$tmp" --no-same-owner --exclude=./usr/share \
				--exclude=./usr/lib/coccinelle/ocaml --exclude=./etc 2>>"$log" || return 1
	done
	rm -r "$tmp/deb"
	ln -s python3.11 "$tmp/usr/bin/python3"
	ln -s libpython3.11.so.1.0 "$tmp/usr/lib/x86_64-linux-gnu/libpython3.11.so"
	cat >"$tmp/spatch" <<-'EOF'
		#!/bin/sh
		root=$(dirname "$(realpath "$0")")
		export LD_LIBRARY_PATH="$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu"
		export COCCINELLE_HOME="$root/usr/lib/coccinelle" PYTHONHOME="$root/usr"
		export PATH="$root/usr/bin:$PATH"
		exec "$root/usr/bin/spatch" "$@"
	EOF
	chmod +x "$tmp/spatch"
	"$tmp/spatch" --version >>"$log" 2>&1 && current "$tmp"
}

begin_unless_current 100 "$dir/spatch"
mkdir "$tmp/deb"
select_release bookworm
with_lock "$CACHE/apt.lock" prepare_release ||
	die "this machine's package sources name no mirror of Debian, which has $what"
mb=$(download_size "${packages[@]}") || mb=10
say "downloading $what ($mb MB)"
download_to "$tmp/deb" "${packages[@]}" ||
	{ disk_full || apt_update; download_to "$tmp/deb" "${packages[@]}"; } ||
	fail "cannot download $what: check the network, then run this again"
unpack || fail "cannot unpack $what"
publish_kernel
echo "$dir/spatch"
