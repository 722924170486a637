#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What programs cost at interfaces that do nothing, and that do the least which translating takes
# (bench/floor_tc.bpf.c), beside a node without any and beside ours: the bound of these. A run of all scenarios
# leaves it out.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

bench_begin
[[ " ${ONLY-} " == *" floor_tc "* ]] || sandbox_skip "what bounds programs at interfaces is measured by ONLY=floor_tc"
about nothing "the pod's own address, with programs at all interfaces that do nothing"
about least "the VIP, with programs that do the least"
about hooked "the same, beside an agent that has its hooks at the server's sockets and nothing at interfaces"
paths direct again tc fast
programs=$(bpffs_of floor_tc)
mkdir "$programs"
bpftool prog loadall "$SANDBOX_OUT/../bpf/bench/floor_tc.bpf.o" "$programs"
twin nothing
for name in least hooked; do
  twin "$name" outside
  at_interfaces "$name" "$programs/least_forward" "$programs/least_reverse"
done
twin_agent hooked "kernel.interfaces: none"
at_interfaces nothing "$programs/floor_nothing" "$programs/floor_nothing"
sides_of_paths 10.0.0.11:9080 "$VIP:80"
SIDES+=("$(side nothing 10.0.0.11:9080)" "$(side least)" "$(side hooked)")

figure floor_tc.connects /s higher "New connections, by programs at interfaces"
rates floor_tc.connects connect 16 "${SIDES[@]}"
figure floor_tc.requests /s higher "Requests on connections that stay, by programs at interfaces"
rates floor_tc.requests keepalive 16 "${SIDES[@]}"
bench_end
