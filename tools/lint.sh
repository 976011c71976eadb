#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# lint.sh [OPTION...] [PATH...] - make lint: runs our Coccinelle rules and sparse
# over modules, our examples unless folders or files are named. Exit status: 0
# nothing found, 1 something found, 2 could not run.
#   --kdir DIR		the kernel to check against; one from the cache if empty
#   --series SERIES	which one that is
#   --rules "RULE..."	names or patterns; all rules and sparse if empty
#   --mode patch	print a diff of what rules can repair
#   --format FORMAT	text, github or sarif
#   --base PATH		older source of the same patch, for rules that compare
#   --list		list the rules
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
# shellcheck disable=SC1091
. "$here/lib.sh"

# What make lint was called with is not for the makes that are called here, and M=
# is no variable of theirs.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES M C W V O

kdir='' series=6.12 list='' rules='' options=() paths=()
while (($#)); do
	case $1 in
	--kdir)		kdir=${2-}; shift ;;
	--series)	series=${2-}; shift ;;
	--rules)	rules=${2-}; options+=(--rules "$rules"); shift ;;
	--mode|--format|--base)	options+=("$1" "${2-}"); shift ;;
	--list)		list=1; options+=(--list) ;;
	-*)		say "lint: unknown option $1; see tools/lint.sh"; exit 2 ;;
	*)		paths+=("$1") ;;
	esac
	shift || break
done
((${#paths[@]})) || paths=("$top/examples")

# One run of many needs none of this.
if [[ ! $list ]]; then "$here/setup.sh" --packages || exit 2; fi
# Only sparse needs a kernel.
if [[ ! $list && ! $kdir && (! $rules || $rules == *sparse*) ]]; then
	"$here/setup.sh" "$series" || exit 2
	use_kernels "$series" || exit 2
	kdir=$("$here/kernel.sh" "$series")/kdir
fi
use_spatch
make -s -C "$here/lint" O="$top/build/lint" >&2 || { say "lint: cannot build its driver"; exit 2; }
exec "$top/build/lint/lint" --sdk "$top" --kdir "$kdir" "${options[@]}" -- "${paths[@]}"
