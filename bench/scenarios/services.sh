#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# New connections where the agent knows one service, and where it knows 64,000 (QUICK=1: 4,000).
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

count=64000
[[ -z ${QUICK-} ]] || count=4000

bench_begin
twins
many_services "$SANDBOX/many" "$count"
cp "$SANDBOX/state/ack-hangzhou"/* "$SANDBOX/many"
about direct "the pod's own address, where nothing is installed: the limit"
about socket "by the hooks at sockets, one service known"
about socket-many "by the hooks at sockets, $count known"
about tc "by the programs at interfaces alone, one service known"
about tc-many "by the programs at interfaces alone, $count known"
twin direct
for name in socket socket-many; do
  twin "$name"
done
for name in tc tc-many; do
  twin "$name" outside
done
twin_agent socket
twin_agent tc
CLUSTER_ACCESS[ack-hangzhou]="directory: $SANDBOX/many"
twin_agent socket-many
twin_agent tc-many
for name in socket-many tc-many; do
  known=$(grep -oP 'msg="?ready"? .* services=\K[0-9]+' "$(agent_log_of "$name")")
  ((known >= count)) || { echo "only $known services are in the kernel of $name" >&2; exit 1; }
done
sides=("$(side direct 10.0.0.11:9080)" "$(side socket)" "$(side socket-many)" "$(side tc)" "$(side tc-many)")

figure services.connects /s higher "New connections, where there is one service, or $count"
goal services.connects socket-many at_least 0.91 of socket
goal services.connects tc-many at_least 0.91 of tc
rates services.connects connect 16 "${sides[@]}"
bench_end
