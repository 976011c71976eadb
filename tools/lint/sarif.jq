# SPDX-License-Identifier: GPL-2.0
# SARIF 2.1.0 of the driver's list of rules and findings, lines of fields between
# tabs. Run as jq -nRf.
def uri: (if startswith("/") then "file://" else "" end) + (split("/") | map(@uri) | join("/"));

[inputs | split("\t")] as $lines
| [$lines[] | select(.[0] == "rule")] as $rules
| ($rules | map(.[1])) as $ids
| {
	"$schema": "https://json.schemastore.org/sarif-2.1.0.json",
	version: "2.1.0",
	runs: [{
		tool: {
			driver: {
				name: "klp-sdk lint",
				rules: [$rules[] | {
					id: .[1],
					shortDescription: { text: .[2] },
					helpUri: .[3]
				}]
			}
		},
		invocations: [{
			executionSuccessful: ($lines[] | select(.[0] == "run") | .[1] == "true"),
			toolExecutionNotifications: [$lines[] | select(.[0] == "failure") | {
				level: "error",
				message: { text: .[1] }
			}]
		}],
		columnKind: "unicodeCodePoints",
		results: [$lines[] | select(.[0] == "result") | . as $r | {
			ruleId: $r[1],
			ruleIndex: ($ids | index($r[1])),
			level: $r[2],
			message: { text: $r[4] },
			locations: [{
				physicalLocation: {
					artifactLocation: { uri: ($r[3] | uri) },
					region: {
						startLine: ($r[5] | tonumber),
						startColumn: ($r[6] | tonumber)
					}
				}
			}]
		}]
	}]
}
