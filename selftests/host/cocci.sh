#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cocci.sh - each Coccinelle rule reports the lines of its fixture that say
# "bad", and nothing in the others nor in the examples. Prints KTAP.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
rules=("$top"/coccinelle/*.cocci)
n=0

# lines RULE FILE... - FILE:LINE of all that the rule reports, or its error
lines() {
	spatch -D report --very-quiet --no-includes --include-headers \
		--sp-file "$@" 2>&1 | sed -E 's/^([^:]+:[0-9]+):.*/\1/' | sort -u
}

# report NAME EXPECTED GOT
report() {
	n=$((n + 1))
	if [[ $2 == "$3" ]]; then
		echo "ok $n - $1"
	else
		echo "# expected: ${2//$'\n'/ }"
		echo "# got: ${3//$'\n'/$'\n'# }"
		echo "not ok $n - $1"
	fi
}

cd "$top"
echo "KTAP version 1"
echo "1..$((2 * ${#rules[@]}))"
for rule in "${rules[@]}"; do
	name=$(basename "$rule" .cocci)
	fixture=coccinelle/fixtures/$name.c
	expected=$(grep -Hn '/\* bad \*/' "$fixture" | cut -d: -f1,2 | sort -u)
	report "coccinelle-$name" "${expected:-a bad case in $fixture}" "$(lines "$rule" "$fixture")"
	report "coccinelle-$name-examples" "" "$(lines "$rule" examples/*/*.c)"
done
