# SPDX-License-Identifier: GPL-2.0
# Reads docs/sim-coverage.md, then what gcov says (-b, its text and its *.gcov), and prints
# a table, and each line of sdk/ that nothing has reached. One that the document does not
# quote makes the exit status 1.
#
# The document has for each function a heading "### FILE: FUNCTION", and the lines between
# two lines of ```.

function trimmed(text)
{
	gsub(/^[ \t]+|[ \t]+$/, "", text)
	return text
}

function row(name, l, nr_l, b, nr_b, t)
{
	printf "%-12s %5d %6.1f %% %6d %6.1f %% %6.1f %%\n", name, nr_l, 100 * l / nr_l, nr_b,
	       nr_b ? 100 * b / nr_b : 100, nr_b ? 100 * t / nr_b : 100
}

# "Lines executed:93.10% of 203"
function hits(of)
{
	match($0, /:[0-9.]+%/)
	return substr($0, RSTART + 1, RLENGTH - 2) * of / 100
}

BEGIN {
	printf "%-12s %5s %8s %6s %8s %8s\n", "file", "lines", "reached", "branch", "reached",
	       "taken"
}

FILENAME ~ /\.md$/ {
	if (/^### /) {
		file = $2
		sub(/:$/, "", file)
		function_name = $3
	} else if (/^```/) {
		quoted = !quoted
	} else if (quoted) {
		listed[file, function_name, trimmed($0)]++
	}
	next
}

/^File '/ {
	file = $2
	gsub(/'/, "", file)
	wanted = file ~ /\/sdk\/[a-z]+\.[ch]$/
	sub(/.*\//, "", file)
	next
}

FILENAME !~ /\.gcov$/ {
	if (/^$/)
		wanted = 0
	if (wanted && /^Lines executed/)
		lines[file] = hits(nr_lines[file] = $NF)
	else if (wanted && /^Branches executed/)
		branches[file] = hits(nr_branches[file] = $NF)
	else if (wanted && /^Taken at least/)
		taken[file] = hits($NF)
	next
}

FNR == 1 {
	file = FILENAME
	sub(/.*\//, "", file)
	sub(/\.gcov$/, "", file)
	function_name = ""
}

/^ *[-0-9#=*]+: *[0-9]+:/ {
	seen[file]++
	text = $0
	count = trimmed(substr(text, 1, index(text, ":") - 1))
	sub(/^[^:]*:[^:]*:/, "", text)
	if (text ~ /^[a-z_].*\(/ && text !~ /;$/ && match(text, /[a-z_0-9]+\(/))
		function_name = substr(text, RSTART, RLENGTH - 1)
	if (count !~ /^[#=]+$/ || !(file in nr_lines))
		next
	text = trimmed(text)
	if (listed[file, function_name, text]-- > 0) {
		expected++
		next
	}
	missing++
	if (!said++)
		print "not reached, and no reason in docs/sim-coverage.md:" >"/dev/stderr"
	printf "%s: %s: %s\n", file, function_name, text >"/dev/stderr"
}

END {
	for (file in nr_lines) {
		names = names " " file
		# Of its source; the first lines of a *.gcov are about the file itself.
		if (seen[file] < nr_lines[file]) {
			print "gcov does not show the lines of " file ": it must find its source" \
				>"/dev/stderr"
			missing++
		}
	}
	nr = split(names, sorted, " ")
	for (i = 1; i <= nr; i++)
		for (k = i; k > 1 && sorted[k - 1] > sorted[k]; k--) {
			file = sorted[k]
			sorted[k] = sorted[k - 1]
			sorted[k - 1] = file
		}
	for (i = 1; i <= nr; i++) {
		file = sorted[i]
		row(file, lines[file], nr_lines[file], branches[file], nr_branches[file], taken[file])
		l += lines[file]
		nr_l += nr_lines[file]
		b += branches[file]
		nr_b += nr_branches[file]
		t += taken[file]
	}
	row("all", l, nr_l, b, nr_b, t)
	printf "%d lines are not reached for the reasons in docs/sim-coverage.md\n", expected
	for (key in listed)
		if (listed[key] > 0) {
			split(key, part, SUBSEP)
			printf "reached meanwhile: %s: %s: %s\n", part[1], part[2], part[3]
		}
	exit missing > 0
}
