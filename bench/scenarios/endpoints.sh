#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# New connections to a service with 1,000 endpoints beside one with a single endpoint: by Meridian, and by
# kube-proxy.
set -euo pipefail
# shellcheck source=bench/peers.sh
. "$(dirname "$0")/../peers.sh"

# direct: the pods' own addresses, one after the other.
kinds=(direct socket tc kube-iptables kube-nftables)
slim=(1000-slim-socket)
[[ -z ${QUICK-} ]] || kinds=(direct socket) slim=()
wide=172.16.0.30
names=()
for kind in "${kinds[@]}"; do
  names+=("$kind" "1000-$kind")
done
# What the size of maps costs, as these many rows are spread over all of it.
names+=("${slim[@]}")
# shellcheck disable=SC2034 # read by peers.sh
PEER_AGENT[1000-slim-socket]="kernel.limits: {members: 4096, services: 64, vips: 128, affinity: 64, udpFlows: 64}"
addresses=()
for ((i = 1; i <= 1000; i++)); do
  addresses+=("10.4.$((i >> 8)).$((i & 255))")
done

# The twin's server has all of the addresses.
wide_server() {
  ip -n "$1-server" route add local 10.4.0.0/16 dev lo
  ip -n "$1" route add 10.4.0.0/16 via "${PEER_ADDRESS[server]}" \
    dev "$(ip -n "$1" -j route get "${PEER_ADDRESS[server]}" | jq -r '.[0].dev')" onlink
}

peers_begin "${names[@]}"
svc ack-hangzhou wide "$wide" 80
eps ack-hangzhou wide "${addresses[@]}"
sides=()
for name in "${names[@]}"; do
  if [[ $name == 1000-* ]]; then
    wide_server "$name"
  fi
  peer_start "$name" || continue
  if [[ $name == 1000-* ]]; then
    to=$wide:80
    [[ $name != *direct ]] || to=${addresses[0]}+${#addresses[@]}:9080
    wait_for 10 answers "$name" "${to/+*:/:}"
    PEER_SIDE[$name]=$(side "$name" "$to")
  fi
  sides+=("${PEER_SIDE[$name]}")
done

figure endpoints.connects /s higher "New connections, to a service of 1 or 1,000 endpoints"
goal endpoints.connects 1000-socket at_least 1 of 1000-kube-iptables
goal endpoints.connects 1000-socket at_least 1 of 1000-kube-nftables
goal endpoints.connects 1000-socket at_least 0.9 of socket
goal endpoints.connects 1000-tc at_least 1 of 1000-kube-iptables
goal endpoints.connects 1000-tc at_least 1 of 1000-kube-nftables
goal endpoints.connects 1000-tc at_least 0.9 of tc
rates endpoints.connects connect 16 "${sides[@]}"
bench_end
