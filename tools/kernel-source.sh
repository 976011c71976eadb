#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernel-source.sh SERIES - gets what people lint, and what the simulation is built
# of, from Debian's newest linux-source-SERIES into the cache, and prints its
# directory: the kernel's livepatch core and modules, its resizable hash table, and
# coccicheck. Nothing is downloaded while apt knows of no newer
# version.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC1091
. "$here/lib.sh"

[[ $# == 1 && $1 =~ ^[0-9]+\.[0-9]+$ ]] || die "usage: kernel-source.sh SERIES (such as 6.12)"

series=$1
dir=$CACHE/sources/$series
# shellcheck disable=SC2034 # for lib.sh
log=$dir.log
tmp=
package=linux-source-$series
# current DIRECTORY - it is complete and of the newest version that apt knows. Without
# package lists, any will do.
current() {
	[[ -s $1/version && -d $1/samples/livepatch && -x $1/scripts/coccicheck &&
		-s $1/kernel/livepatch/core.c && -s $1/lib/rhashtable.c ]] &&
		[[ ! $version || $(cat "$1/version") == "$version" ]]
}

version=$(newest_version "$package")
begin_unless_current 200

download_source "$package"
echo "$version" >"$tmp/version"
# All folders of that name: they are not the same ones in all series.
unpack_source "$tmp"/deb/*.deb "$tmp" --wildcards \
	'linux-source-*/livepatch/*' 'linux-source-*/scripts/coccicheck' \
	'linux-source-*/lib/rhashtable.c' ||
	fail "cannot unpack $package"
rm -r "$tmp/deb"
version=$(cat "$tmp/version")
current "$tmp" || fail "$package is not what it was: its livepatch folders, lib/rhashtable.c or scripts/coccicheck are missing"

publish_kernel
echo "$dir"
