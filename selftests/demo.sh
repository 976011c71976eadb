#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# demo.sh SERIES - make demo: shows in a VM how a state survives the upgrade of its patch.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
guest=() out=	# set by plain_guest
# shellcheck disable=SC1091
. "$top/tools/lib.sh"
# shellcheck disable=SC1091
. "$here/vm/guest.sh"

plain_guest demo "$1"
"$top/build/vm/vmrun" "${guest[@]}" --timeout 60 --name demo --out "$out" \
	--append rdinit=/demo
