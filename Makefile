# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# One Makefile for everything; what it makes goes to out/. `make help` lists the targets.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
V       ?= 0
SAN     ?= 0
WERROR  ?= 1
T       ?=
ACT     ?=

OUT := out
B   := $(OUT)/$(if $(filter 1,$(SAN)),san,rel)
Q   := $(if $(filter 1,$(V)),,@)
say  = $(if $(filter 1,$(V)),@:,@printf '  %-8s %s\n' '$(1)' '$(2)')

CC      ?= gcc
CLANG   ?= clang-14
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool)
BTF     ?= /sys/kernel/btf/vmlinux

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wvla \
	  -Wimplicit-fallthrough $(if $(filter 1,$(WERROR)),-Werror)
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARN) -D_GNU_SOURCE -DMRD_VERSION='"$(VERSION)"' -Iuser -I. \
	  -I$(OUT)/gen -fstack-protector-strong -MMD -MP
ifeq ($(SAN),1)
ALL_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS    += -fsanitize=address,undefined
endif

.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all
.PHONY: all help deps install demo demo-shell demo-run test e2e verify lint fmt golden fuzz check \
	check-run bench clean

# ------------------------------------------------------------------------------- user space
# A folder may use those behind it in this line; tests/lint/layers.awk holds the includes to it.
LAYERS := view dataplane source plan outlier model policy base
LIBS_view      := view dataplane plan outlier model policy base
LIBS_dataplane := dataplane plan outlier model policy base
LIBS_source    := source model policy base
LIBS_plan      := plan outlier model policy base
LIBS_outlier   := outlier policy base
LIBS_model     := model base
LIBS_policy    := policy base
LIBS_base      := base
LIBS_agent     := agent $(LAYERS)
LIBS_bpf       := plan outlier model policy base
LIBS_golden    := source plan outlier model policy base

EXT_base      := -lyaml -lm
EXT_dataplane := -lbpf -lelf -lz
EXT_view      := -ljansson
EXT = $(EXT_view) $(EXT_dataplane) $(EXT_base)

# Both programs have a main.c; everything else of agent/ is a library, so that tests can link it.
MAINS := user/agent/main.c user/ctl/main.c
lib_objects = $(patsubst %.c,$(B)/obj/%.o,$(filter-out $(MAINS),$(wildcard user/$(1)/*.c)))
libs        = $(foreach l,$(1),$(B)/lib/$(l).a)

all: $(B)/meridiand $(B)/meridianctl $(OUT)/meridiand $(OUT)/meridianctl ## agent, ctl and BPF objects, in out/

$(OUT)/%: $(OUT)/rel/%
	$(Q)ln -f $< $@

define LIB_RULE
$(B)/lib/$(1).a: $(call lib_objects,$(1))
	$$(call say,AR,$$@)
	$$(Q)mkdir -p $$(@D) && rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS) agent ctl,$(eval $(call LIB_RULE,$(l))))

$(B)/obj/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -c $< -o $@

$(call lib_objects,dataplane): | $(OUT)/gen/meridian.skel.h $(OUT)/gen/meridian_legacy.skel.h

$(B)/meridiand: $(B)/obj/user/agent/main.o $(call libs,agent $(LAYERS))
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(EXT)

$(B)/meridianctl: $(B)/obj/user/ctl/main.o $(call libs,ctl view dataplane plan outlier model policy base)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(EXT)

# ------------------------------------------------------------------------------- BPF
# The same sources twice: meridian uses atomics with results (kernels 5.12 and up), legacy does not.
# Types come from the running kernel's BTF, or from the committed minimum where it has none; both are
# CO-RE relocatable.
# The definitions of the maps go first: libbpf's linker loses the place of a map that it met as extern.
BPF_SOURCES := bpf/maps.bpf.c $(filter-out bpf/maps.bpf.c,$(wildcard bpf/*.bpf.c))
BPF_FLAGS   := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Ibpf -I. -I$(OUT)/gen \
	       -D__TARGET_ARCH_$(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(shell uname -m))) -MMD -MP

$(OUT)/gen/vmlinux.h: $(wildcard $(BTF)) bpf/lib/vmlinux_min.h
	$(call say,BTF,$@)
	$(Q)mkdir -p $(@D) && if [ -r "$(BTF)" ]; then $(BPFTOOL) btf dump file "$(BTF)" format c > $@; \
		else cp bpf/lib/vmlinux_min.h $@; fi

$(OUT)/bpf/modern/%.o: bpf/%.c $(OUT)/gen/vmlinux.h
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_FLAGS) -c $< -o $@

$(OUT)/bpf/legacy/%.o: bpf/%.c $(OUT)/gen/vmlinux.h
	$(call say,BPF,$< (legacy))
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_FLAGS) -DMRD_LEGACY_ATOMICS -c $< -o $@

$(OUT)/bpf/meridian.bpf.o: $(patsubst bpf/%.c,$(OUT)/bpf/modern/%.o,$(BPF_SOURCES))
$(OUT)/bpf/meridian_legacy.bpf.o: $(patsubst bpf/%.c,$(OUT)/bpf/legacy/%.o,$(BPF_SOURCES))
$(OUT)/bpf/meridian.bpf.o $(OUT)/bpf/meridian_legacy.bpf.o:
	$(call say,BPFLD,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(OUT)/gen/%.skel.h: $(OUT)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)mkdir -p $(@D) && $(BPFTOOL) gen skeleton $< name $* > $@

# ------------------------------------------------------------------------------- tests
# tests/unit/<folder>/test_<module>.c links that folder's library and those it may use.
UNIT_TESTS := $(wildcard tests/unit/*/test_*.c)
unit_bin    = $(patsubst tests/unit/%.c,$(B)/unit/%,$(1))

define UNIT_RULE
$(call unit_bin,$(1)): $(B)/obj/$(1:.c=.o) $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/harness/*.c)) $(call libs,$(LIBS_$(notdir $(patsubst %/,%,$(dir $(1))))))
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(LDFLAGS) $$^ -o $$@ -lcmocka $$(EXT)
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call UNIT_RULE,$(t))))

unit-binaries: $(call unit_bin,$(UNIT_TESTS))
.PHONY: unit-binaries

# ------------------------------------------------------------------------------- demo
# The guide on real traffic. demo installs what a fresh machine lacks, builds, and runs; both need
# root, for network namespaces and BPF.
DEMO_PROGRAMS := $(B)/demo/bookinfo $(B)/demo/delay_line

$(B)/demo/delay_line: $(B)/obj/demo/delay_line.o
$(B)/demo/bookinfo: $(B)/obj/demo/bookinfo.o
$(B)/demo/bookinfo: EXT_demo = -lmicrohttpd -lcurl -ljansson
$(DEMO_PROGRAMS):
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(LDFLAGS) $^ -o $@ $(EXT_demo)

demo: deps ## the guide, step by step, on real traffic (ACT=name: one act)
	$(Q)$(MAKE) --no-print-directory demo-run

demo-run: $(B)/meridiand $(B)/meridianctl $(DEMO_PROGRAMS)
	$(Q)MRD_OUT=$(B) demo/demo.sh $(ACT)

demo-shell: $(B)/meridiand $(B)/meridianctl $(DEMO_PROGRAMS) ## leave the demo standing, with a shell to try it
	$(Q)MRD_OUT=$(B) demo/demo.sh --shell

$(B)/bench/edit_latency: $(B)/obj/bench/edit_latency.o
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(LDFLAGS) $^ -o $@ -lbpf

# The end-to-end tests' own client and server.
$(B)/tests/peer: $(B)/obj/tests/e2e/peer.o $(B)/obj/tests/e2e/peer_decoys.o
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(LDFLAGS) $^ -o $@

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
