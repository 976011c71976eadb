#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# sim/mutants.sh SERIES DIR <LINES - builds the simulation for SERIES with each mutant of
# the engine in turn (lines as in mutants.txt), as many at once as there are processors,
# and puts it through battery.txt. DIR/found/N has in two lines what differs and
# after which events for the N-th mutant, from 0, if anything does; DIR/wrong/N says why it
# could not be tried.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$(dirname "$here")")
# shellcheck disable=SC1091
. "$top/tools/lib.sh"
kdir=$(readlink -f "$("$top/tools/kernel.sh" "$1")/kdir")
source=$(readlink -f "$("$top/tools/kernel-source.sh" "$1")")
dir=$(realpath -m "$2")
base=$dir/base
jobs=${JOBS:-$(nproc)}
mapfile -t lines

# build FOLDER [MAKE'S OPTION...]
build() {
	make -s "${@:2}" -C "$1/selftests/sim" KDIR="$kdir" SOURCE="$source" O=../../o \
		OPTIMISE='-O2 -w' >"$1/build.log" 2>&1
}

battery() { (cd "$1/selftests/sim" && ../../o/sim --battery battery.txt --keep) >"$1/battery.log" 2>&1; }

# copy FOLDER - of what was built, to change one file and build again. Links will do, as
# all programs make a new file for their output; but not where the compiler says what
# it has included.
copy() {
	rm -rf "$1"
	cp -al "$base" "$1"
	(cd "$base" && find o -name '*.d' -exec cp -a --parents --remove-destination -t "$1" {} +)
	rm -f "$1"/*.log
}

# try NUMBER FOLDER
try() {
	local file script n=$1 to=$2 status=0
	IFS='|' read -r _ file script _ <<<"${lines[n]}"
	copy "$to"
	sed -i "$script" "$to/sdk/$file"
	if cmp -s "$base/sdk/$file" "$to/sdk/$file"; then
		echo "the sed script changes nothing" >"$dir/wrong/$n"
	elif ! build "$to"; then
		echo "it does not build: $(grep -m1 error "$to/build.log")" >"$dir/wrong/$n"
	else
		battery "$to" || status=$?
		case $status in
		0) ;;
		1) sed -n 's/^difference //p; s/^sequence: //p; s/^stories: //p' "$to/battery.log" >"$dir/found/$n" ;;
		*) tail -n 1 "$to/battery.log" >"$dir/wrong/$n" ;;
		esac
	fi
}

# What was built for another kernel, or in another way, is of no use.
if ! cmp -s "$here/Makefile" "$base/selftests/sim/Makefile" ||
		[[ $(cat "$base/kernel" 2>/dev/null) != "$kdir $source" ]]; then
	rm -rf "$base"
fi
rm -rf "$base"/{sdk,include,selftests} "$dir"/{found,wrong}
mkdir -p "$base/selftests" "$dir"/{found,wrong}
echo "$kdir $source" >"$base/kernel"
cp -a "$top"/{sdk,include} "$base/"
cp -a "$here" "$top/selftests/modules" "$base/selftests/"
build "$base" -j"$jobs" || die "the simulation does not build, see $base/build.log"
battery "$base" || {
	grep -E '^(difference|sequence|stories|sim:)' "$base/battery.log" >&2 || true
	die "the engine as it is fails the battery, see $base/battery.log"
}

for ((job = 0; job < jobs; job++)); do
	for ((n = job; n < ${#lines[@]}; n += jobs)); do
		try "$n" "$dir/$job"
	done &
done
wait
