#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernel.sh SERIES... - make lint on the livepatch modules of Debian's kernel sources:
# all that it finds is known to be true and listed in docs/lint/kernel.md, without
# lines and columns, and all that is listed is found. Prints KTAP.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck disable=SC1091
. "$top/tools/lib.sh"
use_spatch
page=$top/docs/lint/kernel.md
# One that finds something there.
rule=klp_saves_twice
n=0

# report NAME EXPECTED GOT
report() {
	n=$((n + 1))
	if [[ $2 == "$3" ]]; then
		echo "ok $n - $1"
	else
		echo "# expected: ${2//$'\n'/$'\n'# }"
		echo "# got: ${3//$'\n'/$'\n'# }"
		echo "not ok $n - $1"
	fi
}

# What the page lists for a series, in the block of that name.
listed() {
	awk -v block="\`\`\`linux-source-$1" '$0 == "```" { on = 0 } on; $0 == block { on = 1 }' "$page" | sort
}

echo "KTAP version 1"
echo "1..$(($# * 3))"
for series; do
	source=$(realpath "$("$top/tools/kernel-source.sh" "$series")")
	hold_tree "$source"
	cd "$source"
	folders=()
	for folder in samples/livepatch lib/livepatch tools/testing/selftests/livepatch/test_modules; do
		[[ ! -d $folder ]] || folders+=("$folder")
	done

	status=0
	got=$("$top/tools/lint.sh" --kdir "$("$top/tools/kernel.sh" "$series")/kdir" \
		"${folders[@]}" 2>"$top/build/lint-$series.err") || status=$?
	known=$(listed "$series")
	if ((status > 1)); then cat "$top/build/lint-$series.err"; fi | sed 's/^/# /'
	report "lint-kernel-$series-runs" "status ${known:+1}" "status ${status#0}"
	report "lint-kernel-$series" "$known" "$(sed -E 's/:[0-9]+:[0-9]+:/:/' <<<"$got" | sort)"

	# The kernel's own way to run a rule.
	want=$(grep -F "[$rule]" <<<"$got" | sed -E 's/^([^:]+:[0-9]+):[0-9]+:/\1:/' | sort)
	got=$(for folder in "${folders[@]}"; do
		env MODE=report COCCI="$top/coccinelle/$rule.cocci" KBUILD_EXTMOD="$folder" \
			srctree=. objtree=. abs_srctree="$source" J=1 SPATCH="${SPATCH:-spatch}" \
			bash scripts/coccicheck 2>/dev/null || true
	done | grep -F "[$rule]" | sed -E 's/^([^:]+:[0-9]+):[0-9]+-[0-9]+:/\1:/' | sort)
	report "lint-kernel-$series-coccicheck" "$want" "$got"
done
