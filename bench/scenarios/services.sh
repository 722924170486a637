#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# New connections where the agent knows one service, and where it knows 64,000 (QUICK=1: 2,000); and what a pick costs
# there in a program at an interface: the first packet of a connection, fed to it by hand.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

count=64000
[[ -z ${QUICK-} ]] || count=2000

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

# picks ROUND: a connection that was is no new one, so each round has ports of its own.
picks() {
  local name

  for name in tc tc-many; do
    sample services.pick_ns "$name" "$1" \
      "$(packet_ns "$name" "${forward[$name]}" "$packets" "10.0.0.2:$((10000 + $1 * packets))" "$VIP:80" 2)"
  done
}

declare -A forward=([tc]=$(program_id tc mrd_tc_forward) [tc-many]=$(program_id tc-many mrd_tc_forward))
packets=1000
[[ -z ${QUICK-} ]] || packets=200
figure services.pick_ns ns lower "A connection's first packet, where there is one service, or $count"
goal services.pick_ns tc-many at_most 1.1 of tc
for ((round = 0; round < 11; round++)); do
  picks "$round"
done
bench_end
