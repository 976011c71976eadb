#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# check-fresh.sh [RELEASE...] - runs README's two commands on minimal Debian systems of
# these releases (all that are supported unless named), first as root, and then, with
# the packages there, as a user. Has to be root. Each system is made by debootstrap
# from the mirrors of this machine's own sources, in a folder that is removed.
#   DIR=FOLDER		where the systems are made, 4 GB each; build/fresh at first
#   AS="root user"	who runs the commands
#   CACHE_FROM=FOLDER	a ~/.cache/klp-sdk whose kernels are copied, of the same
#			release; they are downloaded at first
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
# shellcheck disable=SC1091
. "$here/lib.sh"

: "${DIR:=$top/build/fresh}" "${AS:=root user}"
commands=("make demo" "make check")
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# inside ROOT NAME COMMAND... - in the system, as this user; no process and no mount is
# left, for they have namespaces of their own.
inside() {
	local root=$1 name=$2 home=/root
	shift 2
	if [[ $name != root ]]; then home=/home/$name; fi
	# shellcheck disable=SC2016	# the inner shell is to expand it
	unshare --mount --propagation private --pid --fork --kill-child \
		sh -c 'mount -t proc proc "$1/proc" && shift && exec "$@"' sh "$root" \
		env -i PATH="$path" HOME="$home" ${http_proxy:+"http_proxy=$http_proxy"} \
		${https_proxy:+"https_proxy=$https_proxy"} \
		chroot --userspec="$name" "$root" \
		sh -c 'if [ -d ~/klp-sdk ]; then cd ~/klp-sdk; fi; exec "$@"' sh "$@" </dev/null
}

# copy_in ROOT NAME - our sources, as they are here, to the user's home
copy_in() {
	local home=$1/root
	if [[ $2 != root ]]; then
		inside "$1" root useradd --create-home "$2"
		home=$1/home/$2
	fi
	mkdir "$home/klp-sdk"
	(cd "$top" && git ls-files -z --cached --others --exclude-standard |
		tar -c --null --ignore-failed-read -T -) | tar -x -C "$home/klp-sdk"
	if [[ $2 != root ]]; then
		# The same kernels again would prove nothing.
		mkdir -p "$home/.cache"
		cp -a "$1/root/.cache/klp-sdk" "$home/.cache/"
		inside "$1" root chown -R "$2:" "/home/$2"
	elif [[ ${CACHE_FROM-} ]]; then
		mkdir -p "$home/.cache/klp-sdk"
		cp -a "$CACHE_FROM/kernels" "$home/.cache/klp-sdk/"
	fi
}

# make_system RELEASE ROOT
make_system() {
	local mirror sources include=git,make
	sources=$(release_sources "$1")
	if [[ ! $sources ]]; then	# apt has no package lists at all
		apt_update
		sources=$(release_sources "$1")
	fi
	mirror=$(awk -v release="$1" '$(NF - 1) == release { print $(NF - 2); exit }' <<<"$sources")
	[[ $mirror ]] ||
		die "this machine's package sources name no mirror of Debian; run apt-get update if they should"
	if [[ $sources == *https:* ]]; then include+=,ca-certificates; fi
	say "$1: debootstrap"
	# What it mounts is gone with it, should it be killed.
	unshare --mount --propagation private \
		debootstrap --variant=minbase --include="$include" "$1" "$2" "$mirror" >"$log" 2>&1 ||
		die "debootstrap fails for $1; see $log"
	# Each has the keys of its own, wherever they are.
	awk '{ print $1, $(NF - 2), $(NF - 1), $NF }' <<<"$sources" >"$2/etc/apt/sources.list"
	apt-config dump | grep -E '^Acquire::(Check|(http|https)::).*[^:] "' >"$2/etc/apt/apt.conf.d/90machine" || true
	cp -L /etc/resolv.conf /etc/hosts "$2/etc/"
}

# run RELEASE ROOT NAME - the commands; fails if one does
run() {
	local command began status good=0
	copy_in "$2" "$3"
	for command in "${commands[@]}"; do
		say "$1: $command, as $3"
		log=$DIR/$1-$3-${command#make }.log
		began=$SECONDS status=0
		# shellcheck disable=SC2086	# words
		inside "$2" "$3" $command >"$log" 2>&1 || status=$?
		say "$1: $command, as $3: status $status, $((SECONDS - began)) s: $(tail -n1 "$log")"
		if ((status)); then
			say "see $log"
			good=1
		fi
	done
	return $good
}

clean_up() {
	local root
	for root in "$DIR"/*.root; do
		# Nothing is mounted there, but a mount would not be emptied.
		if [[ -d $root ]]; then rm -rf --one-file-system "$root"; fi
	done
}

((EUID == 0)) || die "check-fresh makes systems with debootstrap and has to be root: sudo make check-fresh"
check_debian
if ! command -v debootstrap >/dev/null; then
	log=/dev/null
	apt-get -qq install -y --no-install-recommends debootstrap >/dev/null 2>&1 ||
		die "cannot install debootstrap; run apt-get update, then this again"
fi
(($#)) || set -- bookworm trixie
mkdir -p "$DIR"
[[ $(df -Pm "$DIR" | awk 'END { print $4 }') -ge 4000 ]] ||
	die "a system takes 4 GB of disk in $DIR: make room, or set DIR to a folder elsewhere"
exec 6>"$DIR/lock"
flock -n 6 || die "another check-fresh works in $DIR"
trap clean_up EXIT
clean_up

failed=0
for name; do
	log=$DIR/$name-debootstrap.log
	make_system "$name" "$DIR/$name.root"
	for who in $AS; do
		if [[ $who != root ]]; then who=dev; fi
		run "$name" "$DIR/$name.root" "$who" || failed=1
	done
	clean_up
done
exit $failed
