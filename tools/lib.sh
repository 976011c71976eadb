#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What setup.sh and those that get kernels or their source share: messages, the cache
# directory, calls of apt-get and how a kernel gets into the cache. Sourced, not
# run.
set -euo pipefail

# apt's messages land in logs; keep them in one language for bug reports.
export LC_ALL=C

# Everything said goes to stderr: kernel.sh's stdout is its result.
say() { echo "klp-sdk: $*" >&2; }
die() { say "$@"; exit 1; }

CACHE=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
[[ -n $CACHE ]] || die "no place for the cache: set HOME or XDG_CACHE_HOME"
CACHE+=/klp-sdk
[[ $CACHE == /* ]] || die "XDG_CACHE_HOME must be an absolute path, it is '$XDG_CACHE_HOME'"
# The kernel's build system refuses such paths much later and less clearly.
[[ $CACHE != *[[:space:]:]* ]] ||
	die "kernels cannot be used in '$CACHE': set XDG_CACHE_HOME to a path without blanks and colons"

log=/dev/null	# until the script that sources this has a better one
series='' dir='' tmp=''	# set by those that get a kernel

# make_cache DIR FILE - makes DIR and an empty FILE in it.
make_cache() {
	local err
	err=$({ mkdir -p "$1" && touch "$2"; } 2>&1) ||
		die "cannot write to the cache: ${err#*: }; set XDG_CACHE_HOME to a writable directory"
	: >"$2"
}

# run_as_root COMMAND... - as root, else by sudo if that asks no password.
run_as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo -n "$@"
	fi
}

# Never fails: a source of other packages that is out of reach must not stop
# us, and whether the lists are good enough shows when they are used.
apt_update() {
	run_as_root apt-get -qq -o Acquire::Retries=2 update >>"$log" 2>&1 || true
}

# Kernels in the cache. A kernel is made in a directory with a name of its own and
# published by replacing a link to it, which is atomic: whoever reads the cache
# finds a complete kernel or none. The script sets series, dir (the link), log and
# tmp, which is empty until begin_kernel.

# complete DIRECTORY
complete() {
	[[ -s $1/release && -s $1/vmlinux && -s $1/config &&
		-d $1/modules && -e $1/kdir/Makefile ]]
}

free_mb() { df -Pm "${dir%/*}" | awk 'END { print $4 }'; }
# The log may have had no room for the message, either.
disk_full() { (($(free_mb) < 2)) || grep -qE 'No space left|quota exceeded' "$log"; }

# fail MESSAGE - a full disk breaks anything, so it is named before MESSAGE.
fail() {
	if disk_full; then
		die "the disk of ${dir%/*} is full: make room ($need_mb MB) and run this again"
	fi
	die "$1 (log: $log)"
}

# lock_kernel - only one run makes this kernel. Programs that are started while
# the lock is held get 9>&-, or they hold it when this run is killed.
lock_kernel() {
	make_cache "${dir%/*}" "$dir.lock"
	exec 9>"$dir.lock"
	flock -n 9 || { say "waiting for another run to get kernel $series"; flock 9; }
}

# begin_kernel MB - makes tmp, a new directory, if there is room.
begin_kernel() {
	local mb
	need_mb=$1
	make_cache "${dir%/*}" "$log"
	remove_old
	mb=$(free_mb)
	((mb >= need_mb)) ||
		die "kernel $series needs $need_mb MB of disk in ${dir%/*}, only $mb MB are free"
	trap '[[ $tmp -ef $dir ]] || rm -rf "$tmp"' EXIT
	tmp=$(mktemp -d "$dir-XXXXXX") && chmod 755 "$tmp"
}

# publish_kernel - $dir is $tmp from now on.
publish_kernel() {
	if [[ ! -L $dir ]]; then rm -rf "$dir"; fi
	ln -s "${tmp##*/}" "$tmp/link"
	mv -T "$tmp/link" "$dir"
	remove_old
}

# Trees that are not $dir's are replaced ones, or left over from killed runs.
remove_old() {
	local tree
	for tree in "$dir"-??????; do
		[[ $tree -ef $dir ]] || rm -rf "$tree"
	done
}

# check_debian - kernels are made of Debian packages for amd64.
check_debian() {
	local prog
	for prog in apt-get apt-cache dpkg-deb; do
		command -v $prog >/dev/null ||
			die "kernels are taken from Debian packages, and there is no $prog on this machine"
	done
	[[ $(dpkg --print-architecture) == amd64 ]] ||
		die "only amd64 machines are supported, this one is $(dpkg --print-architecture)"
}

# _apt cannot write to our directory.
apt_opts=(-q -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o APT::Sandbox::User=root)

# download_size PACKAGE... - in MB; fails if apt knows no place to get one from.
download_size() {
	local uris
	uris=$(apt-get "${apt_opts[@]}" download --print-uris "$@" 2>>"$log") || return 1
	awk '{ n += $(NF - 1) } END { print int(n / 1000000) }' <<<"$uris"
}

# download_to DIRECTORY PACKAGE...
download_to() {
	local to=$1
	shift
	(cd "$to" && apt-get "${apt_opts[@]}" download "$@") >>"$log" 2>&1 9>&-
}

# newest_version PACKAGE - that apt knows, or nothing.
newest_version() {
	apt-cache policy "$1" 2>/dev/null | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# download_source PACKAGE - a linux-source-SERIES, into $tmp/deb.
download_source() {
	local mb
	mkdir "$tmp/deb"
	[[ $(newest_version "$1") ]] || apt_update
	[[ $(newest_version "$1") ]] ||
		die "no $1 in this machine's package sources: add Debian's security updates to them"
	# Old lists name a package that the archive has replaced: look again, once.
	mb=$(download_size "$1") || mb=150
	say "downloading the source of kernel $series ($mb MB)"
	download_to "$tmp/deb" "$1" || { disk_full || apt_update; download_to "$tmp/deb" "$1"; } ||
		fail "cannot download $1: check the network, run 'sudo apt-get update', then this again"
}

# unpack_source PACKAGE-FILE DIRECTORY TAR-ARGS...
unpack_source() {
	dpkg-deb --fsys-tarfile "$1" 2>>"$log" 9>&- |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' 2>>"$log" 9>&- |
		tar -xJ -C "$2" --strip-components=1 --no-same-owner "${@:3}" 2>>"$log" 9>&-
}
