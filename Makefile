# SPDX-License-Identifier: GPL-2.0
# klp-sdk: what people run. Modules are built by Kbuild, see Kbuild.
CACHE	:= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/klp-sdk
KDIR	?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build \
				  $(CACHE)/kernels/6.12/kdir))
SERIES	?= 6.1 6.12
DEBUG	?= 6.12-debug
# With C=1: what sparse warns of fails the build, as in the tests.
CF	?= -Wsparse-error

all: modules

modules:
	@tools/check-kdir.sh "$(KDIR)"
	$(MAKE) -C "$(KDIR)" M=$(CURDIR)/examples CF="$(CF)" modules

setup:
	@tools/setup.sh $(SERIES)

demo: DEMO = $(lastword $(SERIES))
demo:
	@tools/setup.sh $(DEMO)
	@selftests/demo.sh $(DEMO)

check:
	@tools/setup.sh $(SERIES)
	@selftests/run.sh $(SERIES)

check-debug:
	@tools/setup.sh $(SERIES) $(DEBUG)
	@STOCK="$(SERIES)" selftests/run.sh $(DEBUG)

# RELEASES: of Debian, all that are supported unless named
check-fresh:
	@tools/check-fresh.sh $(RELEASES)

# M: folders of a patch author's modules
smoke:
	@SERIES="$(SERIES)" selftests/smoke.sh $(M)

# M: folders or files of a patch author's; the script says by its exit status what make
# cannot: 1 something found, 2 could not run.
lint:
	@tools/lint.sh --kdir "$(KDIR)" --series "$(lastword $(SERIES))" --mode "$(MODE)" \
		--rules "$(RULES)" --format "$(FORMAT)" --base "$(BASE)" $(M)

lint-rules:
	@tools/lint.sh --list

# Random sequences of patches; the tests of make check have a fixed seed.
SEED	?= 1
STEPS	?= 5000
soak:
	@tools/setup.sh $(SERIES)
	@TESTS=random,contract-19-random SEED=$(SEED) STEPS=$(STEPS) TIMEOUT=36000 selftests/run.sh $(SERIES)

# All sequences of events over small pools of patches, and random ones, in one process
sim:
	@tools/setup.sh $(SERIES)
	@SEED="$(SEED)" selftests/sim.sh $(SERIES)

bench: DEMO = $(lastword $(SERIES))
bench:
	@tools/setup.sh $(DEMO)
	@selftests/bench.sh $(DEMO)

mutants:
	@tools/setup.sh $(firstword $(SERIES)) $(DEBUG)
	@selftests/mutants.sh $(firstword $(SERIES))
	@selftests/mutants.sh $(DEBUG)

clean:
	@flock -n . $(RM) -r build || { echo "klp-sdk: another run works here: wait for its end" >&2; exit 1; }
	@find . \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o \
		-name '*.mod.c' -o -name '.*.cmd' -o -name '.*.d' -o \
		-name modules.order -o -name Module.symvers \) -delete

help:
	@echo 'make          build the SDK and the examples against KDIR (C=1, W=1 as usual)'
	@echo 'make setup    install missing packages, get the kernels into the cache'
	@echo 'make demo     show in a VM how a state survives the upgrade of its patch'
	@echo 'make check    build all, run all tests in VMs on all kernels'
	@echo 'make check-debug'
	@echo '              the same on a kernel with KASAN, lockdep, kmemleak and failslab,'
	@echo '              which is built once (4 minutes, 1 GB of disk while it is), and'
	@echo '              make lint on the livepatch modules of the kernel sources'
	@echo 'make check-fresh [RELEASES="bookworm trixie"]'
	@echo '              make demo and make check on minimal Debian systems, as root and as a'
	@echo '              user; has to be root, takes 4 GB of disk: DIR=FOLDER'
	@echo 'make smoke M="FOLDER..."'
	@echo '              put your own patches, oldest first, through their life in VMs:'
	@echo '              forward, back, reversed; what they leave is named'
	@echo 'make lint [M="FOLDER|FILE..."] [RULES="RULE..."] [BASE=FOLDER]'
	@echo '              check livepatches by our Coccinelle rules and sparse; MODE=patch'
	@echo '              prints repairs, FORMAT=github|sarif is for review systems'
	@echo 'make lint-rules'
	@echo '              list the rules'
	@echo 'make soak     random sequences of patches in VMs: SEED=$(SEED) STEPS=$(STEPS)'
	@echo 'make sim      all sequences of events over small pools of patches, and random ones,'
	@echo '              with the engine and the core in one process: SEED=$(SEED)'
	@echo '              EVENTS=120M SECONDS_EACH=12; REPLAY="load a1; load a2" shows one,'
	@echo '              COVERAGE=1 the lines that nothing reaches, AGREE=1000 compares'
	@echo '              so many sequences with a VM, FUZZ=SECONDS has libFuzzer choose'
	@echo 'make bench    measure shadow variables, ours and the kernel'"'"'s, in a VM (3 minutes)'
	@echo 'make mutants  break the engine on purpose and see that the simulation or a test in'
	@echo '              a VM fails each time: ONLY=REGEX, IN=sim|vm'
	@echo 'make clean    remove what was built here; the cache of kernels stays'
	@echo
	@echo 'KDIR=$(KDIR)'
	@echo '              kernel headers or build directory to build against'
	@echo 'SERIES="$(SERIES)"'
	@echo '              kernels for setup, check and smoke; demo, bench and lint take the last'
	@echo 'TESTS=GLOB,.. tests of make check in the VM, e.g. contract-08-*; !GLOB,..'
	@echo '              takes all others'
	@echo 'The cache is $(CACHE)'

.PHONY: all modules setup demo check check-debug check-fresh smoke soak bench mutants sim lint lint-rules clean help
