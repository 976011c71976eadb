#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# check-kdir.sh KDIR - says in one line what is wrong with a kernel to build
# against, where Kbuild would fail later and at length.
set -euo pipefail
# shellcheck disable=SC1091
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kdir=${1-}
[[ $kdir ]] || die "no kernel to build against: set KDIR=, or run 'make setup' to get one"
[[ -d $kdir ]] || die "KDIR=$kdir: no such directory; set it to a kernel's headers or build directory"
[[ -f $kdir/Makefile ]] || die "KDIR=$kdir has no Makefile; set it to a kernel's headers or build directory"
[[ -f $kdir/include/config/auto.conf ]] ||
	die "KDIR=$kdir is not configured; run 'make modules_prepare' there"
grep -q '^CONFIG_LIVEPATCH=y' "$kdir/include/config/auto.conf" ||
	die "the kernel of KDIR=$kdir has no CONFIG_LIVEPATCH; set KDIR to one that has"
