#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# smoke.sh SERIES - make smoke takes the example through its life, refuses bad
# input in one line before any VM is started, and names the step in which each of
# the modules in selftests/smoke misbehaves. Prints KTAP.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
export SERIES=$1
cases=$top/selftests/smoke
out=$top/build/smoke-test
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0

# report NAME GOOD DIAGNOSTIC
report() {
	if [[ $2 ]]; then
		echo "ok - smoke-$1"
	else
		echo "# ${3//$'\n'/$'\n'# }"
		echo "not ok - smoke-$1"
	fi
}

# smoke NAME FOLDER... - sets got and status
smoke() {
	local name=$1
	shift
	status=0
	got=$(OUT=$out/$name "$top/selftests/smoke.sh" --built "$@" 2>&1) || status=$?
}

# refuses NAME EXPECTED FOLDER...
refuses() {
	local good=
	smoke "$1" "${@:3}"
	if [[ $status == 1 && $(grep -c '^klp-sdk: ' <<<"$got") == 1 &&
		$got == *"klp-sdk: smoke: "*"$2"* && $got != *KTAP* ]]; then
		good=1
	fi
	report "refuses-$1" "$good" "status $status, expected '$2', got: $got"
}

# passes NAME STEPS SKIPPED FOLDER...
passes() {
	local good='' end="$2 passed, 0 failed"
	if (($3)); then end+=", $3 skipped"; fi
	smoke "$1" "${@:4}"
	if [[ $status == 0 && ${got##*$'\n'} == "$end" ]]; then good=1; fi
	report "passes-$1" "$good" "status $status, expected '$end', got: $got"
}

# catches NAME STEP PATTERN...
catches() {
	local good='' words
	smoke "$1" "$cases/$1"
	if [[ $status == 1 && $(grep -m1 '^not ok ' <<<"$got") =~ ^'not ok '[0-9]+" - $2"$ ]]; then
		good=1
	fi
	for words in "${@:3}"; do
		grep -q -e "$words" <<<"$got" || good=
	done
	report "catches-$1" "$good" "status $status, expected '${*:3}' in '$2', got: $got"
}

# broken NAME KBUILD - a folder with this line in its Kbuild file, and a module
broken() {
	mkdir "$tmp/$1"
	echo "$2" >"$tmp/$1/Kbuild"
	cp "$cases/stacked/smoke-target.c" "$tmp/$1/no_patch.c"
}

mkdir "$tmp/empty"
broken no-source 'obj-m := none.o'
broken no-module 'obj-y :='
broken no-patch 'obj-m := no_patch.o'
cp -r "$cases/pinned" "$tmp/pinned"
cp "$cases/raw.h" "$tmp/"

# Two at a time, for the two cores that these tests are made for.
{
	passes example 26 0 "$top/examples/loglevel"
	catches leak "smoke_leak: load, reversed" "(32 bytes of memory) from pre_patch+"
	catches warns "smoke_warns: disable, reversed" "WARNING: " ": smoke_warns is disabled"
	catches keeps_memory "smoke_keeps_memory: load, reversed" \
		"bytes of memory) from pre_patch+.* by [_a-z]*vmalloc" \
		"(1048576 bytes of memory) from pre_patch+.* by [_a-z]*kvmalloc" \
		"left: 4 (16384 bytes of pages) from pre_patch+" \
		"bytes of per-CPU memory) from pre_patch+" \
		"left: /sys/kernel/slab/smoke_keeps_memory"
	catches keeps_names "nothing is left" \
		"left: /proc/smoke_dir.*, since smoke_keeps_names: load" \
		"left: /sys/kernel/debug/smoke_dir" "left: /sys/kernel/smoke_dir" \
		"left: device .*smoke_chrdev" "left: kernel thread smoke_thread"
	catches keeps_hooks "smoke_keeps_hooks: load, reversed" \
		"left: 1 (notifier) from on_panic \[smoke_keeps_hooks\]" \
		"left: 1 (timer) from on_timer " "left: 1 (timer) from on_work "
	refuses nothing 'make smoke M='
	refuses missing "no such folder" "$tmp/none"
	refuses file "is not a folder" "$cases/raw.h"
	refuses empty "neither a Kbuild file nor a Makefile" "$tmp/empty"
	refuses no-source "does not build" "$tmp/no-source"
	refuses no-module "builds no module" "$tmp/no-module"
} >"$tmp/1" &
{
	passes stacked 17 3 "$cases/stacked"
	passes init_memory 18 0 "$cases/init_memory"
	passes states 13 5 "$cases/states"
	catches pinned "smoke_pinned: disable, reversed" \
		"left: reference 3 to module smoke_pinned"
	catches left "nothing is left" "4711 0 0 - vmlinux forgotten" \
		"by _*klp_shadow_get_or_alloc, the stack does not show whose, since smoke_left: load" \
		"from post_patch+.* \[smoke_left\]" "1 state, 3 objects and 0 names left"
	catches frees_prev "smoke_takes: load, reversed" \
		"gone: 1 (.* bytes of memory) from .* \[smoke_makes\] by .*, since smoke_makes: load" \
		"gone: /proc/smoke_made" "smoke_takes undoes what it has not done"
	catches no_way_back "smoke_file_1: go back to it, reversed" \
		"| sysfs: cannot create duplicate filename" \
		"smoke_file_1 does not load over the newer patch: File exists" \
		"kernel log: sysfs: cannot create duplicate filename"
	catches not_restored "values are what they were" "value: /proc/sys/kernel/printk = " \
		"value: /proc/sys/kernel/panic = .*, -7 now" \
		"value: /sys/module/smoke_param/parameters/level = 1 before the first load, 2 now"
	refuses no-patch "none of its modules is a livepatch" "$tmp/no-patch"
	refuses twice "two modules named smoke_pinned" "$cases/pinned" "$tmp/pinned"
	litter=$(find "$cases" "$tmp" -name '*.o' -o -name '*.ko' -o -name '.*.cmd')
	report no-litter "$([[ $litter ]] || echo 1)" "$litter"
} >"$tmp/2"
wait

echo "KTAP version 1"
echo "1..23"
while IFS= read -r line; do
	case $line in
	'ok - '*)	n=$((n + 1)); echo "ok $n - ${line#ok - }" ;;
	'not ok - '*)	n=$((n + 1)); echo "not ok $n - ${line#not ok - }" ;;
	*)		echo "$line" ;;
	esac
done < <(cat "$tmp"/[12])
