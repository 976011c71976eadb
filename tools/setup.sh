#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# setup.sh [--packages] [SERIES...] - everything needed to build and test:
# Debian packages, and the kernels of the given series (6.1 and 6.12 unless
# named). --packages leaves the kernels out. Says nothing if all is there.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck disable=SC1091
. "$here/lib.sh"

# "a|b" is one package that has two names, depending on Debian's release.
# The libraries are what the prebuilt programs in the kernel headers (objtool,
# modpost) link to, and pahole is what their makefiles run on each module.
# spatch loads Python's library for the rules' reports; make lint has jq write SARIF, and
# its repairs are for git and patch.
packages=(make gcc libc6-dev binutils cpio xz-utils zstd sparse coccinelle python3
	libpython3-dev qemu-system-x86
	libelf-dev 'libelf1|libelf1t64' 'libssl3|libssl3t64' zlib1g pahole file bc perl
	util-linux procps git patch jq)
# The compiler of Debian 12's kernels, which Debian 13 runs as well; its own kernel has
# the default gcc.
if grep -qsE '^VERSION_ID="1[23]"' /etc/os-release; then packages+=(gcc-12); fi

# What building a kernel takes, of those who ask for one.
if [[ " $* " == *-debug" "* ]]; then packages+=(flex bison); fi

# What libFuzzer takes, of those who ask for it.
if [[ ${FUZZ-} ]]; then packages+=(clang libclang-rt-dev); fi

# Sets missing to the packages that are not installed.
find_missing() {
	local installed known p name
	installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n')
	missing=()
	for p in "${packages[@]}"; do
		grep -qxE "($p) installed" <<<"$installed" && continue
		name=${p%%|*}
		if [[ $p == *'|'* ]]; then
			known=$(apt-cache pkgnames "$name")
			if grep -qxF "${p##*|}" <<<"$known"; then name=${p##*|}; fi
		fi
		missing+=("$name")
	done
}

install() {
	run_as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
		-o DPkg::Lock::Timeout=600 -o Acquire::Retries=2 \
		install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1
}

install_missing() {
	find_missing	# another run may just have installed them
	((${#missing[@]})) || return 0
	: >"$log"
	say "installing packages: ${missing[*]}"
	# Old or no package lists are the usual cause of a failure.
	install || { apt_update && find_missing && install; } || {
		! full / "$log" || die "the disk is full: make room and run this again; see $log"
		die "cannot install ${missing[*]}: see $log"
	}
}

only_packages=
if [[ ${1-} == --packages ]]; then only_packages=1; shift; fi
[[ ${1-} != -* ]] || die "usage: setup.sh [--packages] [SERIES...]"

if command -v apt-get >/dev/null; then
	find_missing
	if ((${#missing[@]})); then
		run_as_root true 2>/dev/null ||
			die "packages are missing; run: sudo apt-get install --no-install-recommends ${missing[*]}"
		log=$CACHE/setup.log
		make_cache "$CACHE" "$CACHE/setup.lock"
		with_lock "$CACHE/setup.lock" install_missing
	fi
else
	missing=()
	for prog in make gcc strip cpio xz zstd sparse spatch qemu-system-x86_64 pahole file bc perl \
		flock pgrep git patch jq; do
		command -v $prog >/dev/null || missing+=("$prog")
	done
	((${#missing[@]} == 0)) || die "please install what has these programs: ${missing[*]}"
fi

# Later releases have another Coccinelle than the rules are for.
if [[ ! ${SPATCH-} && $(older_releases) == *bookworm* ]] && grep -qs '^ID=debian' /etc/os-release; then
	"$here/coccinelle.sh" >/dev/null
fi

[[ ! $only_packages ]] || exit 0
(($#)) || set -- 6.1 6.12
for series; do
	"$here/kernel.sh" "$series" >/dev/null
done
