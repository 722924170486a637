#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Short requests on every way to a service beside the pod's own address on a node without Meridian: new
# connections, connections that stay, and how long connecting and answers take at half of the rate that is possible. Then new
# connections, and by sockets requests on some that stay, through the VIP beside those to the pod's own address from
# the same client: what the VIP costs on a node that has Meridian.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

sides=(direct again socket noprobe notc tc tcnoprobe fast) ours=(socket tc fast)
[[ -z ${QUICK-} ]] || sides=(direct again socket tc) ours=(socket)
declare -A goals=([socket]="0.98 by the hooks at sockets" [tc]="0.90 by TC" [fast]="0.95 by TC with fastForward")
bench_begin
paths "${sides[@]}"
sides_of_paths 10.0.0.11:9080 "$VIP:80"

figure paths.connects /s higher "New connections, a request in each"
goal paths.connects socket at_least 0.98 of direct
goal paths.connects tc at_least 0.90 of direct
goal paths.connects fast at_least 0.95 of direct
rates paths.connects connect 16 "${SIDES[@]}"

figure paths.requests /s higher "Requests on connections that stay"
goal paths.requests socket at_least 0.98 of direct
goal paths.requests tc at_least 0.90 of direct
goal paths.requests fast at_least 0.95 of direct
rates paths.requests keepalive 16 "${SIDES[@]}"

rate=$(($(median_of paths.requests direct) / 2))
figure paths.latency us lower "Time for an answer at $rate requests a second"
goal paths.latency.p99 socket at_most 1.05 of direct
# Of those that have a goal, of what nothing at all differs by, and without the probe: so each has more time.
mapfile -t SIDES < <(printf '%s\n' "${SIDES[@]}" | grep -E '^(direct|again|socket|noprobe|tc|fast)=')
latencies paths.latency keepalive "$rate" "${SIDES[@]}"
rate=$(($(median_of paths.connects direct) / 2))
figure paths.connecting us lower "Time to connect at $rate connections a second"
BENCH_RATE_SECONDS=$((BENCH_RATE_SECONDS * 2 / 3)) latencies paths.connecting connect "$rate" "${SIDES[@]}"

about pod "the pod's own address, on a node that has Meridian"
about vip "the VIP, from the same client"
for path in "${ours[@]}"; do
  figure "paths.node_$path" /s higher "New connections on one node: ${goals[$path]#* }" pod
  goal "paths.node_$path" vip at_least "${goals[$path]%% *}" of pod
  SIDES=("pod=10.0.0.11:9081@${BENCH_TWIN[$path]}@$path-client" "vip=$VIP:80@${BENCH_TWIN[$path]}@$path-client")
  rates "paths.node_$path" connect 16 "${SIDES[@]}"
  [[ $path == socket ]] || continue
  figure paths.node_requests /s higher "Requests on connections that stay, on one node: ${goals[$path]#* }" pod
  goal paths.node_requests vip at_least 0.99 of pod
  rates paths.node_requests keepalive 16 "${SIDES[@]}"
done
bench_end
