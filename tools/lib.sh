#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The scripts share this: messages, locks, full disks, the cache directory, calls of
# apt-get and how a kernel gets into the cache. Sourced, not run.
set -euo pipefail

# apt's messages land in logs; keep them in one language for bug reports.
export LC_ALL=C LANG=C LC_CTYPE=C LC_MESSAGES=C	# Kbuild drops the first
unset LANGUAGE

# Everything said goes to stderr: kernel.sh's stdout is its result.
say() { echo "klp-sdk: $*" >&2; }
died=
die() { say "$@"; died=1; exit 1; }

CACHE=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
[[ -n $CACHE ]] || die "no place for the cache: set HOME or XDG_CACHE_HOME"
CACHE+=/klp-sdk
[[ $CACHE == /* ]] || die "XDG_CACHE_HOME must be an absolute path, it is '$XDG_CACHE_HOME'"
# The kernel's build system refuses such paths much later and less clearly.
[[ $CACHE != *[[:space:]:]* ]] ||
	die "kernels cannot be used in '$CACHE': set XDG_CACHE_HOME to a path without blanks and colons"

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
log=/dev/null	# until the script that sources this has a better one
series='' dir='' tmp='' what='' refresh=''	# set by those that get a kernel

# use_spatch - that of coccinelle.sh, where it is needed.
use_spatch() {
	if [[ ! ${SPATCH-} && -x $CACHE/programs/coccinelle/spatch ]]; then
		export SPATCH=$CACHE/programs/coccinelle/spatch
	fi
}

# make_cache DIR FILE - makes DIR and an empty FILE in it.
make_cache() {
	local err
	err=$({ mkdir -p "$1" && touch "$2"; } 2>&1) ||
		die "cannot write to the cache: ${err#*: }; set XDG_CACHE_HOME to a writable directory"
	: >"$2"
}

# Most programs of this folder cannot do without these.
[[ -e /dev/null && -e /dev/fd/0 && -r /proc/self/stat ]] ||
	die "/proc or /dev is missing here; mount them, in a chroot: mount -t proc proc /proc"

# lap [NAME] - writes to the file $KLP_SDK_TIMES, if there is one, how much time has passed
# since the last call, and how much of processors this process and what it has waited
# for took: NAME MILLISECONDS MILLISECONDS. The first call has no name.
lap() {
	local name=${1-} now=${EPOCHREALTIME/[.,]/} stat fields cpu
	read -r stat <"/proc/$BASHPID/stat"
	read -ra fields <<<"${stat##*) }"	# the third one is the first
	cpu=$((10 * (fields[11] + fields[12] + fields[13] + fields[14])))
	if [[ $name && ${KLP_SDK_TIMES-} ]]; then
		echo "$name $(((now - lap_at) / 1000)) $((cpu - lap_cpu))" >>"$KLP_SDK_TIMES"
	fi
	lap_at=$now lap_cpu=$cpu
}

# run_as_root COMMAND... - as root, else by sudo if that asks no password.
run_as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo -n "$@"
	fi
}

# with_lock FILE COMMAND... - one run at a time. Programs that the command starts do not
# hold the lock, should this run be killed.
with_lock() {
	local status=0
	exec 7>"$1"
	flock -n 7 || { say "waiting for another run that has locked $1"; flock 7; }
	"${@:2}" 7>&- || status=$?
	exec 7>&-
	return $status
}

# Package sources. apt_opts are those of the machine, or of an older release of Debian
# from the same mirrors: Debian 13 has no kernel 6.1. An older release's programs run
# on a newer one, not the other way round.
# _apt cannot write to our directory.
own_opts=(-q -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o APT::Sandbox::User=root)
apt_opts=("${own_opts[@]}")
releases=(trixie bookworm)	# the newest first
release=''			# whose sources apt_opts are, empty for the machine's own

own_release() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

older_releases() {
	local own
	own=$(own_release)
	# An unknown one is newer than all.
	if [[ " ${releases[*]} " == *" $own "* ]]; then
		printf '%s\n' "${releases[@]}" | sed "0,/^$own\$/d"
	else
		printf '%s\n' "${releases[@]}"
	fi
}

# select_release [RELEASE] - sets apt_opts.
select_release() {
	local root
	release=${1-}
	apt_opts=("${own_opts[@]}")
	[[ $release ]] || return 0
	root=$CACHE/apt/$release
	apt_opts+=(-o Dir::Etc::SourceList="$root/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
		-o Dir::State="$root" -o Dir::State::status="$root/status"
		-o Dir::Cache="$root" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
		-o Acquire::GzipIndexes=true -o Acquire::Languages=none)
}

# release_sources RELEASE - lines for sources.list: what the machine has of its own
# release, of RELEASE. apt knows of whom a source is when it has lists.
release_sources() {
	local own keys=
	own=$(own_release)
	if [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]]; then
		keys='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] '
	fi
	# shellcheck disable=SC2016	# apt is to expand it
	apt-get "${own_opts[@]}" indextargets 'Created-By: Packages' 'Origin: Debian' 'Component: main' \
		--format '$(CODENAME) $(REPO_URI)' 2>>"$log" | sort -u |
		while read -r codename uri; do
			if [[ $codename == "$own" || $codename == "$own"-* ]]; then
				echo "deb $keys$uri $1${codename#"$own"} main"
			fi
		done
}

# prepare_release - lists for the release that is selected; not for the machine's own.
# The file complete has the sources of which all lists are there.
prepare_release() {
	local root=$CACHE/apt/$release
	mkdir -p "$root/lists/partial" "$root/archives/partial"
	: >>"$root/status"
	release_sources "$release" >"$root/sources.list"
	[[ -s $root/sources.list ]] || return 1
	if cmp -s "$root/sources.list" "$root/complete"; then return; fi
	say "getting the package lists of Debian's $release"
	if update_lists; then cp "$root/sources.list" "$root/complete"; fi
}

update_lists() {
	local as=run_as_root
	if [[ $release ]]; then as=; fi
	$as apt-get "${apt_opts[@]}" -qq -o APT::Update::Error-Mode=any update >>"$log" 2>&1 9>&-
}

# Never fails: a source of other packages that is out of reach must not stop us, and
# whether the lists are good enough shows when they are used. apt does not wait for
# another run that gets lists.
apt_update() { with_lock "$CACHE/apt.lock" update_lists || true; }

# look_for COMMAND... - runs it with the sources of the machine, and then with those of
# older releases, until it succeeds; apt_opts stay as they are then.
look_for() {
	local older
	select_release
	if "$@"; then return; fi
	for older in $(older_releases); do
		select_release "$older"
		with_lock "$CACHE/apt.lock" prepare_release || continue
		if "$@"; then return; fi
	done
	select_release
	return 1
}

# Kernels in the cache. A kernel is made in a directory with a name of its own and
# published by replacing a link to it, which is atomic: whoever reads the cache
# finds a complete kernel or none. The script sets series, dir (the link), log, refresh
# if what is there is not wanted, and tmp, which is empty until begin_kernel.

# complete DIRECTORY
complete() {
	[[ -s $1/release && -s $1/vmlinux && -s $1/config &&
		-d $1/modules && -e $1/kdir/Makefile ]]
}

free_mb() { df -Pm "$1" | awk 'END { print $4 }'; }

# full DIRECTORY LOG - the log may have had no room for the message, either.
full() {
	(($(free_mb "$1") < 2)) ||
		grep -qsE 'No space left|quota exceeded|enough free space' "$2"
}
disk_full() { full "${dir%/*}" "$log"; }

# need_room DIRECTORY MB WHAT
need_room() {
	local mb
	mb=$(free_mb "$1")
	((mb >= $2)) || die "$3 needs $2 MB of disk in $1, only $mb MB are free"
}

# on_full_disk DIRECTORY LOG - from here on a failure says that the disk is full if it is,
# for that breaks anything.
on_full_disk() {
	full_dir=$1 full_log=$2
	trap 'status=$?
		if [[ $status != 0 && ! $died ]] && full "$full_dir" "$full_log"; then
			say "the disk of $full_dir is full: make room and run this again"
		fi
		exit $status' EXIT
}

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
	flock -n 9 || { say "waiting for another run to get ${what:-kernel $series}"; flock 9; }
}

# begin_kernel MB - makes tmp, a new directory, if there is room.
begin_kernel() {
	need_mb=$1
	make_cache "${dir%/*}" "$log"
	remove_old
	need_room "${dir%/*}" "$need_mb" "${what:-kernel $series}"
	trap '[[ $tmp -ef $dir ]] || rm -rf "$tmp"' EXIT
	tmp=$(mktemp -d "$dir-XXXXXX") && chmod 755 "$tmp"
}

# begin_unless_current MB [RESULT] - prints RESULT (by default $dir) and ends the script
# if the script's current() says that $dir is to be used as it is. Otherwise begin_kernel,
# with the lock: the run that had it before may have made what is wanted.
begin_unless_current() {
	if [[ ! $refresh ]] && current "$dir"; then echo "${2-$dir}"; exit; fi
	check_debian
	lock_kernel
	if [[ ! $refresh ]] && current "$dir"; then echo "${2-$dir}"; exit; fi
	begin_kernel "$1"
}

# publish_kernel - $dir is $tmp from now on.
publish_kernel() {
	if [[ ! -L $dir ]]; then rm -rf "$dir"; fi
	ln -s "${tmp##*/}" "$tmp/link"
	mv -T "$tmp/link" "$dir"
	remove_old
}

# Trees that are not $dir's are replaced ones, or left over from killed runs. Those that
# others still use stay until the next time.
remove_old() {
	local tree
	for tree in "$dir"-??????; do
		[[ ! -d $tree || $tree -ef $dir ]] || flock -n "$tree" rm -rf "$tree" || true
	done
}

# use_kernels SERIES... - this run and what it starts use the kernels that are there now,
# though another run may replace them: kernel.sh tells by these variables.
use_kernels() {
	local one name tree
	for one; do
		name=$(kernel_variable "$one")
		[[ ! ${!name-} ]] || continue
		while true; do
			tree=$("$tools/kernel.sh" "$one") || return 1
			tree=$(realpath "$tree")
			hold_tree "$tree"
			if complete "$tree"; then break; fi
		done
		export "$name=$tree"
	done
}

# hold_tree DIRECTORY - remove_old leaves it to this run, and to what it starts.
hold_tree() {
	local fd
	exec {fd}<"$1"
	flock -s "$fd"
}

kernel_variable() { echo "KLP_SDK_KERNEL_${1//[.-]/_}"; }

# lock_build FOLDER - only one run works in its build/. A program that a run starts is
# part of it, and holds the lock too: it may still write there when the run was killed. The folder
# itself is locked, for make clean removes build/.
lock_build() {
	if [[ ${KLP_SDK_LOCKED-} == "$1" ]]; then return; fi
	exec 8<"$1"
	flock -n 8 || { say "waiting for another run in $1"; flock 8; }
	export KLP_SDK_LOCKED=$1
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

# version_of PACKAGE - with the sources that are selected, or nothing. To apt the name of
# no package is a pattern.
version_of() {
	apt-cache "${apt_opts[@]}" policy "$1" 2>/dev/null | awk -v name="$1:" '
		/^[^ ]/ { on = $0 == name }
		on && $1 == "Candidate:" && $2 != "(none)" { print $2 }'
}
has_package() { [[ $(version_of "$1") ]]; }

# newest_version PACKAGE - that apt knows without getting lists, or nothing.
newest_version() {
	local older version
	for older in '' $(older_releases); do
		select_release "$older"
		version=$(version_of "$1")
		if [[ $version ]]; then break; fi
	done
	select_release
	echo "$version"
}

# download_source PACKAGE - a linux-source-SERIES, into $tmp/deb; sets version.
download_source() {
	local mb
	mkdir "$tmp/deb"
	look_for has_package "$1" || { apt_update; look_for has_package "$1"; } ||
		die "no $1 in this machine's package sources: add Debian's security updates to them"
	# Old lists name a package that the archive has replaced: look again, once.
	mb=$(download_size "$1") || mb=150
	say "downloading the source of kernel $series ($mb MB)"
	download_to "$tmp/deb" "$1" || { disk_full || apt_update; download_to "$tmp/deb" "$1"; } ||
		fail "cannot download $1: check the network, run 'sudo apt-get update', then this again"
	version=$(version_of "$1")
}

# unpack_source PACKAGE-FILE DIRECTORY TAR-ARGS...
unpack_source() {
	dpkg-deb --fsys-tarfile "$1" 2>>"$log" 9>&- |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' 2>>"$log" 9>&- |
		tar -xJ -C "$2" --strip-components=1 --no-same-owner "${@:3}" 2>>"$log" 9>&-
}
