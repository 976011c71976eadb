#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What setup.sh and kernel.sh share: messages, the cache directory and calls
# of apt-get. Sourced, not run.
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
