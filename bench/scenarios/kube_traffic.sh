#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Datagrams, bulk data, and the slowest of many requests, by way of kube-proxy and of ours. ONLY=kube_traffic takes
# six times as long for the latter: slow ones are few. QUICK=1 leaves it out of a run of all scenarios.
set -euo pipefail
# shellcheck source=bench/peers.sh
. "$(dirname "$0")/../peers.sh"

readers=(socket tc fast-tc kube-iptables kube-nftables)
longer=1 bytes=512M rounds=12
[[ -z ${QUICK-} ]] || readers=(socket kube-iptables kube-nftables) bytes=64M rounds=$BENCH_ROUNDS
if [[ " ${ONLY-} " == *" kube_traffic "* ]]; then
  longer=6
elif [[ -n ${QUICK-} ]]; then
  BENCH_BEGIN=sandbox_begin bench_begin
  sandbox_skip "datagrams, bulk data and slow requests beside kube-proxy are measured without QUICK=1, or by ONLY=kube_traffic"
fi
# So that there is time for all of it in a run of all scenarios.
BENCH_SECONDS=$((BENCH_SECONDS * 3 / 4))
peers_begin direct "${readers[@]}"
PORT_NAME=dns PROTOCOL=UDP svc ack-hangzhou dns "$BENCH_DNS" 53
PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353 eps ack-hangzhou dns 10.0.0.11
PORT_NAME=bulk svc ack-hangzhou bulk 172.16.0.52 5201
PORT_NAME=bulk TARGET_PORT=5201 eps ack-hangzhou bulk 10.0.0.11
PATHS=()
for name in direct "${readers[@]}"; do
  peer_start "$name" || continue
  PATHS+=("$name")
  serve "$name-server" "$PEER" udp-echo 10.0.0.11 5353 answer
  serve "$name-server" iperf3 --server
  wait_listen "$name-server" 5201
done

# bulk ROUND SIDE
bulk() {
  in_twin "$2" iperf3 --client "$(address_of "$2" 10.0.0.11 172.16.0.52)" --bytes "$bytes" --json >"$SANDBOX/bulk"
  sample kube_traffic.bulk "$2" "$1" "$(jq '.end.sum_received.bits_per_second / 1e9' "$SANDBOX/bulk")"
}

sides_of_paths 10.0.0.11:5353 "$BENCH_DNS:53"
figure kube_traffic.queries /s higher "UDP queries, sockets that stay"
ahead kube_traffic.queries at_least
rates kube_traffic.queries udp 16 "${SIDES[@]}"
figure kube_traffic.sockets /s higher "UDP queries, a socket for each"
ahead kube_traffic.sockets at_least
rates kube_traffic.sockets udp-connect 16 "${SIDES[@]}"

figure kube_traffic.bulk Gbit/s higher "Bulk data, one stream"
ahead kube_traffic.bulk at_least
interleave "$rounds" bulk "${PATHS[@]}"

sides_of_paths 10.0.0.11:9080 "$VIP:80"
figure kube_traffic.requests /s higher "Requests on connections that stay"
rates kube_traffic.requests keepalive 16 "${SIDES[@]}"
figure kube_traffic.latency us lower "Requests on connections that stay, at half of direct's most"
ahead kube_traffic.latency.p99 at_most
goal kube_traffic.latency.p99 socket at_most 1.05 of direct
BENCH_RATE_SECONDS=$((BENCH_RATE_SECONDS * longer))
latencies kube_traffic.latency keepalive "$(($(median_of kube_traffic.requests direct) / 2))" "${SIDES[@]}"
bench_end
