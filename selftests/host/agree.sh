#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# agree.sh SERIES - does the simulation agree with reality? Has it make sequences which
# cover the pairs of consecutive events, replays them in VMs, and compares what is seen
# after each event (see selftests/replay.c). Needs the simulation, $SIM or
# build/sim/SERIES/sim, and the guest's initramfs, which build.sh makes. Prints KTAP, a
# line for each sequence; where the two differ, what both saw ('!': the other did not).
# $SEQUENCES (1000) and $SEED (1) say which, or $FILE, a file with a sequence on each
# line; $JOBS VMs run at a time. Output is in $OUT.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
die() { echo "klp-sdk: agree: $*" >&2; exit 2; }
(($# == 1)) || die "usage: agree.sh SERIES (such as 6.12)"
series=$1
: "${SIM:=$top/build/sim/$series/sim}" "${OUT:=$top/build/agree/$series}"
: "${SEQUENCES:=1000}" "${SEED:=1}" "${JOBS:=$(nproc)}" "${FILE:=$OUT/sequences}"
guest=() append=''	# set by guest_for
# shellcheck disable=SC1091
. "$top/selftests/vm/guest.sh"
guest_for "$series"
append+=' preempt=full'	# as in run.sh: less text is patched
initrd=$top/build/$series/initrd.cpio
[[ -x $SIM ]] || die "no simulation $SIM: run 'make sim' first, or set SIM"
[[ -e $initrd && -x $top/build/vm/replay ]] ||
	die "no modules for $series: run selftests/build.sh $series first"

rm -rf "$OUT"/guest.*
mkdir -p "$OUT"
if [[ $FILE == "$OUT/sequences" ]]; then
	"$SIM" --sequences "$SEQUENCES" --seed "$SEED" >"$FILE"
fi
"$SIM" --show "$FILE" >"$OUT/shown"

# A sequence of which something stays is the last of its guest; the others are dealt out.
awk -v out="$OUT" '
	/^[=!] / { if (/^!/) last[++nr_last] = ++nr; else other[++nr_other] = ++nr }
	{ text[nr] = text[nr] $0 "\n" }
	END {
		guests = nr_last
		if (guests < nr_other / 40)
			guests = int(nr_other / 40) + 1
		if (!guests)
			exit
		for (i = 1; i <= nr_other; i++)
			printf "%s", text[other[i]] >(out "/guest." i % guests)
		for (i = 1; i <= nr_last; i++)
			printf "%s", text[last[i]] >(out "/guest." i % guests)
	}' "$OUT/shown"

# run FILE - replays it in one guest, or if that does not come to its end, in several. What
# was seen is in FILE.ktap, what was wrong with a guest in FILE.bad.
run() {
	local file=$1 dir=$1.dir ended
	: >"$file.ktap"
	: >"$file.bad"
	while [[ -s $file ]]; do
		mkdir -p "$dir/initrd"
		cp "$top/build/vm/replay" "$dir/initrd/"
		cp "$file" "$dir/initrd/replay.txt"
		(cd "$dir/initrd" && find . | cpio -o -H newc -R 0:0 --quiet) >"$dir/initrd.cpio"
		"$top/build/vm/vmrun" "${guest[@]}" --initrd "$initrd,$dir/initrd.cpio" \
			--out "$dir/vm" --append "$append rdinit=/replay" --name "${file##*/}" \
			--timeout 60 --quiet 2>>"$file.bad" || true
		cat "$dir/vm/results.ktap" >>"$file.ktap"
		ended=$(grep -c -E '^(not )?ok ' "$dir/vm/results.ktap") || {
			echo "klp-sdk: ${file##*/}: no result, see $dir/vm" >>"$file.bad"
			return
		}
		awk -v ended="$ended" '/^[=!] / { nr++ } nr > ended' "$file" >"$file.rest"
		mv "$file.rest" "$file"
	done
	rm -rf "$dir"
}

began=$SECONDS
nr=$(grep -c '^[=!] ' "$OUT/shown")
echo "KTAP version 1"
echo "1..$nr"
running=0
for file in "$OUT"/guest.*; do
	if ((running == JOBS)); then
		wait -n
		running=$((running - 1))
	fi
	run "$file" &
	running=$((running + 1))
done
wait

# A guest that was cut off has been started again, and what it did last has failed.
awk -v nr="$nr" '
	/^(not )?ok / {
		sub(/ok [0-9]+/, "ok " ++done)
		bad += /^not/
		print
	}
	/^# klp-sdk: events / { events += $4 }
	/^#/ && !/^# klp-sdk: (events|run|end)/
	END {
		printf "# %d of %d sequences, %d events, %d differ\n", done, nr, events, bad
		exit bad || done < nr
	}' "$OUT"/guest.*.ktap || status=1
if grep -h -v -E 'results cut after|tests failed, first' "$OUT"/guest.*.bad; then status=1; fi
echo "# $((SECONDS - began)) s"
exit "${status-0}"
