# SPDX-License-Identifier: GPL-2.0
# Prints which modules a folder's Kbuild file makes, and of which objects. make
# reads such a file better than we could. It is run as
#	make -f groups.mk DIR=FOLDER KBUILD=FILE KDIR=... KLP_SDK=... print
# with the kernel's configuration, which obj-$(CONFIG_...) asks for.
KERNELRELEASE := lint
KBUILD_EXTMOD := $(DIR)
M := $(DIR)
src := $(DIR)
obj := $(DIR)
srctree := $(KDIR)
objtree := $(KDIR)
-include $(KDIR)/include/config/auto.conf
include $(KBUILD)

# obj- is what the configuration leaves out: its source is source all the same.
lint-all := $(sort $(obj-m) $(obj-y) $(obj-n) $(obj-))
lint-objects = $(sort $($(1)-y) $($(1)-m) $($(1)-objs) $($(1)-))

print:
	$(foreach o,$(filter %.o,$(lint-all)),$(info module $(o:.o=) \
		$(or $(call lint-objects,$(o:.o=)),$(o))))
	$(foreach d,$(filter %/,$(lint-all)),$(info folder $(d:/=)))
	@:
.PHONY: print
