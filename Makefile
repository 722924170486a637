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
SECONDS ?= 60
export T ACT QUICK ONLY IMAGE BUILDER

OUT := out
B   := $(OUT)/$(if $(filter 1,$(SAN)),san,rel)
Q   := $(if $(filter 1,$(V)),,@)
say  = $(if $(filter 1,$(V)),@:,@printf '  %-8s %s\n' '$(1)' '$(2)')

ifeq ($(origin CC),default)
CC := gcc
endif
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

# ------------------------------------------------------------------------------- user space
# A folder may use those behind it in this line; tests/lint/layers.awk holds the includes to it.
LAYERS := config view dataplane source kube plan outlier model policy base
LIBS_config    := config model base
LIBS_view      := view dataplane plan outlier model policy base
LIBS_dataplane := dataplane plan outlier model policy base
LIBS_source    := source kube model policy base
LIBS_kube      := kube base
LIBS_plan      := plan outlier model policy base
LIBS_outlier   := outlier policy base
LIBS_model     := model base
LIBS_policy    := policy base
LIBS_base      := base
LIBS_agent     := agent $(LAYERS)
LIBS_ctl       := ctl $(LAYERS)
LIBS_bpf       := plan outlier model policy base
LIBS_golden    := view dataplane source kube plan outlier model policy base

EXT_base      := -lyaml -ljansson -lm
EXT_dataplane := -lbpf -lelf -lz
EXT_agent     := -lmicrohttpd
EXT = $(EXT_agent) $(EXT_dataplane) $(EXT_base)

# Both programs have a main.c; everything else of agent/ is a library, so that tests can link it.
MAINS := user/agent/main.c user/ctl/main.c
lib_objects = $(patsubst %.c,$(B)/obj/%.o,$(filter-out $(MAINS),$(wildcard user/$(1)/*.c)))
libs        = $(foreach l,$(1),$(B)/lib/$(l).a)

PROGRAMS := meridiand meridianctl
.PHONY: all
all: $(PROGRAMS:%=$(B)/%) $(if $(filter 0,$(SAN)),$(PROGRAMS:%=$(OUT)/%)) ## agent, ctl and BPF objects, in out/

$(PROGRAMS:%=$(OUT)/%): $(OUT)/%: $(OUT)/rel/%
	$(Q)ln -f $< $@

# Asked for before anything is compiled: "not found" alone does not say what to do.
.PHONY: tools
tools:
	@for tool in $(CC) $(CLANG) $(BPFTOOL); do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
		[ -z "$$missing" ] || { echo "missing:$$missing. 'make deps' installs what is needed." >&2; exit 1; }

define LIB_RULE
$(B)/lib/$(1).a: $(call lib_objects,$(1))
	$$(call say,AR,$$@)
	$$(Q)mkdir -p $$(@D) && rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach l,agent ctl $(LAYERS),$(eval $(call LIB_RULE,$(l))))

$(B)/obj/%.o: %.c | tools
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -c $< -o $@

$(call lib_objects,dataplane): | $(OUT)/gen/meridian.skel.h $(OUT)/gen/meridian_legacy.skel.h

$(B)/meridiand: $(B)/obj/user/agent/main.o $(call libs,$(LIBS_agent))
$(B)/meridianctl: $(B)/obj/user/ctl/main.o $(call libs,$(LIBS_ctl))
$(PROGRAMS:%=$(B)/%):
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

$(OUT)/gen/vmlinux.h: $(wildcard $(BTF)) bpf/lib/vmlinux_min.h | tools
	$(call say,BTF,$@)
	$(Q)mkdir -p $(@D) && if [ -r "$(BTF)" ]; then $(BPFTOOL) btf dump file "$(BTF)" format c > $@; \
		else cp bpf/lib/vmlinux_min.h $@; fi

define BPF_RULE
$(OUT)/bpf/$(1)/%.o: $(2)/%.c $(OUT)/gen/vmlinux.h
	$$(call say,BPF,$$< ($(1)))
	$$(Q)mkdir -p $$(@D) && $$(CLANG) $$(BPF_FLAGS) $(3) -c $$< -o $$@
endef
$(eval $(call BPF_RULE,modern,bpf))
$(eval $(call BPF_RULE,legacy,bpf,-DMRD_LEGACY_ATOMICS))
$(eval $(call BPF_RULE,bench,bench))
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

EXT_test_kube  := -lssl -lcrypto
EXT_test_agent := -lcurl
define UNIT_RULE
$(call unit_bin,$(1)): $(B)/obj/$(1:.c=.o) $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/harness/*.c)) $(call libs,$(LIBS_$(notdir $(patsubst %/,%,$(dir $(1))))))
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(LDFLAGS) $$^ -o $$@ -lcmocka $$(EXT_test_$(notdir $(patsubst %/,%,$(dir $(1))))) $$(EXT)
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call UNIT_RULE,$(t))))
$(B)/unit/bench/test_load: $(B)/obj/tests/unit/bench/slow_server.o | $(B)/bench/load

# Programs that tests, demo and bench call: one source file each, but for some.
AUX      := demo/bookinfo demo/delay_line bench/edit_latency bench/watch_latency bench/load bench/packet_cost bench/scale bench/tcx bench/wake tests/peer tests/e2e/hook tests/verify tests/tc_packets tests/run_stats
AUX_BINS := $(AUX:%=$(B)/%)
$(filter $(B)/demo/% $(B)/bench/% $(B)/tests/e2e/%,$(AUX_BINS)): $(B)/%: $(B)/obj/%.o
$(B)/demo/bookinfo: EXT_aux = -lmicrohttpd -lcurl -ljansson
$(B)/bench/load: $(patsubst %,$(B)/obj/bench/load_%.o,crew pace request)
$(B)/bench/scale $(B)/bench/wake: $(call libs,$(LIBS_agent))
$(B)/bench/scale $(B)/bench/wake: EXT_aux = $(EXT)
$(B)/bench/edit_latency $(B)/bench/watch_latency $(B)/bench/packet_cost $(B)/bench/tcx $(B)/tests/e2e/hook $(B)/tests/verify $(B)/tests/tc_packets $(B)/tests/run_stats: EXT_aux = $(EXT_dataplane)
$(B)/tests/peer: $(B)/obj/tests/e2e/peer.o $(B)/obj/tests/e2e/peer_decoys.o
$(B)/tests/verify: $(patsubst %,$(B)/obj/tests/verify/%.o,verify budget)
$(B)/tests/tc_packets: $(patsubst %,$(B)/obj/tests/verify/%.o,tc_packets tc_world tc_services tc_cases tc_checks tc_answers tc_frames tc_limits tc_cost yardstick wire budget)
$(B)/tests/run_stats: $(patsubst %,$(B)/obj/tests/verify/%.o,run_stats yardstick)
$(AUX_BINS):
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(LDFLAGS) $^ -o $@ $(EXT_aux)

.PHONY: unit-binaries aux-binaries generated
unit-binaries: $(call unit_bin,$(UNIT_TESTS))
aux-binaries: $(AUX_BINS) $(patsubst bench/%.c,$(OUT)/bpf/bench/%.o,$(wildcard bench/*.bpf.c))
generated: $(OUT)/gen/meridian.skel.h $(OUT)/gen/meridian_legacy.skel.h

RUN := MAKE="$(MAKE)" OUT="$(OUT)" scripts/check.sh

.PHONY: check test e2e kube kube-assets verify lint
check: ## everything below: installs what is missing, builds, tests, and counts
	$(Q)$(RUN) deps build unit lint verify fuzz e2e kube
test: ## unit tests, without root, under ASan and UBSan [T=pattern]
	$(Q)$(RUN) unit
e2e: ## end-to-end tests: real hooks, own namespaces and cgroups, root [T=pattern]
	$(Q)$(RUN) e2e
kube: ## the same against two real API servers [T=pattern]
	$(Q)$(RUN) kube
kube-assets: ## those servers, kubelet and kubectl, built into the user's cache: about 10 minutes, once
	$(Q)scripts/kube_assets.sh --nodes
verify: ## load the BPF programs, hold them to their budgets, feed TC's packets, root
	$(Q)$(RUN) verify
lint: ## style: include rule, format, clang-tidy, shellcheck, licences, sizes
	$(Q)$(RUN) lint

.PHONY: golden fuzz kernels bench demo demo-shell demo-kube
golden: ## rewrite the expected plans in tests/golden; the git diff is the review
	$(Q)$(MAKE) --no-print-directory SAN=1 $(OUT)/san/unit/golden/test_golden
	$(Q)MRD_GOLDEN=write $(OUT)/san/unit/golden/test_golden

FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
$(OUT)/fuzz/%: tests/fuzz/fuzz_%.c $(foreach l,$(LIBS_source),$(wildcard user/$(l)/*.c)) | tools
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D) && $(CLANG) -std=gnu11 -O1 -g -D_GNU_SOURCE -DMRD_VERSION='"fuzz"' -Iuser -I. \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(filter %.c,$^) -o $@ $(EXT_base)
# The one reader that is not behind source: replay's events, with the command line that names endpoints.
$(OUT)/fuzz/replay: $(wildcard user/ctl/replay_[ae]*.c user/ctl/arguments.c user/ctl/options.c user/outlier/*.c user/plan/start.c)
FUZZ_SEEDS := tests/fuzz/seeds tests/unit/kube/data tests/golden demo/policy demo/state
.PHONY: $(FUZZERS:%=fuzz-run/%)
$(FUZZERS:%=fuzz-run/%): fuzz-run/%: $(OUT)/fuzz/%
	$(Q)mkdir -p $(OUT)/fuzz/corpus/$* && if $< -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 \
			-artifact_prefix=$(OUT)/fuzz/ $(OUT)/fuzz/corpus/$* $(FUZZ_SEEDS) >$(OUT)/fuzz/$*.log 2>&1; \
		then echo "PASS fuzz/$*: $$(sed -n 's/^Done \([0-9]*\) runs.*/\1 runs/p' $(OUT)/fuzz/$*.log)"; \
		else tail -n 40 $(OUT)/fuzz/$*.log; echo "FAIL fuzz/$*"; exit 1; fi
fuzz: $(FUZZERS:%=fuzz-run/%) ## libFuzzer on every reader of foreign text [SECONDS=60, each]

kernels: all aux-binaries ## the same binaries on Debian's kernels 5.10 and 6.1, under qemu
	$(Q)tests/kernels/run.sh $(B)/meridiand $(B)/meridianctl $(B)/tests/peer $(B)/tests/tc_packets $(OUT)/bpf

bench: ## what it costs, what it saves, where it is worse; in out/bench/ [QUICK=1] [ONLY=name]
	$(Q)scripts/deps.sh bench && $(MAKE) --no-print-directory all aux-binaries && MRD_OUT=$(B) bench/bench.sh $(OUT)/bench

demo: ## the guide, step by step, on real traffic, root [ACT=name]
demo-shell: ## the demo's stage, left standing for you to try
demo-kube: kube-assets ## the guide on two real clusters, by kubectl alone, about three minutes
demo demo-shell demo-kube:
	$(Q)scripts/deps.sh
	$(Q)$(MAKE) --no-print-directory all aux-binaries
	$(Q)MRD_OUT=$(B) demo/$(if $(filter %-kube,$@),demo_kube.sh,demo.sh $(if $(filter %-shell,$@),--shell,$(ACT)))

# ------------------------------------------------------------------------------- house
.PHONY: help deps install image fmt clean
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' Makefile
	@echo "  V=1 shows commands, SAN=1 builds with sanitizers, WERROR=0 lets warnings pass, OUT= moves out/"

deps: ## list the Debian packages that are needed and why, install those that are missing
	$(Q)scripts/deps.sh --list

MAN := $(wildcard docs/man/*.[1-9])
install: all ## into DESTDIR= PREFIX=: programs, man pages, and a sample configuration
	$(Q)install -D -m 755 -t $(DESTDIR)$(PREFIX)/sbin $(OUT)/meridiand $(OUT)/meridianctl
	$(Q)for page in $(MAN); do \
		install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$${page##*.} $$page || exit 1; done
	$(Q)install -d $(DESTDIR)/etc/meridian/policy
	$(Q)[ -e $(DESTDIR)/etc/meridian/meridian.yaml ] || \
		install -D -m 644 deploy/meridian.yaml $(DESTDIR)/etc/meridian/meridian.yaml

image: all ## image of the DaemonSet: out/meridian.tar [IMAGE=registry.local/meridian:dev]
	$(Q)OUT="$(OUT)" scripts/image.sh

fmt: ## format the C files as lint wants them
	$(Q)find maps bpf user tests demo bench -name '*.[ch]' -exec clang-format-14 -i {} +

clean: ## remove out/
	$(Q)rm -rf $(OUT)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
