#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Short requests by way of those who do the same work: kube-proxy with its rules of 1, 1,000 and 10,000 services
# (QUICK=1: of one), and sidecars.
set -euo pipefail
# shellcheck source=bench/peers.sh
. "$(dirname "$0")/../peers.sh"

readers=(socket tc kube-iptables kube-nftables)
counts=(1000 10000)
[[ -z ${QUICK-} ]] || counts=()
# So that there is time for all of them.
BENCH_SECONDS=$((BENCH_SECONDS * 3 / 4))

# grown COUNT: the cluster has so many services more, which everybody reads anew (what is written past the server
# is no change that it tells), and the side of iptables is one of them.
grown() {
  local name

  for name in "${readers[@]}"; do
    peer_stop "$name"
  done
  objects same "$1" "${PEER_ADDRESS[server]}"
  wait_for 60 is_filled "$1"
  for name in "${readers[@]}"; do
    peer_start "$name"
    [[ $name != kube-* ]] || kube_rules_wait "$name" "$1"
  done
  PEER_SIDE[kube-iptables]=$(side kube-iptables "$(kube_rules_middle kube-iptables):80")
  kube_forget kube-iptables
  kube_forget kube-nftables
  wait_for 5 peer_answers kube-iptables
}

# Of ours what has not its defaults, too, with one service.
others=(fast-tc noprobe-socket)
[[ -z ${QUICK-} ]] || others=()
peers_begin "${PEERS[@]}" "${others[@]}"
sides=()
for name in "${PEERS[@]}" "${others[@]}"; do
  peer_start "$name" || continue
  sides+=("${PEER_SIDE[$name]}")
done

figure peers.connects /s higher "New connections, a request in each"
ahead peers.connects at_least
rates peers.connects connect 16 "${sides[@]}"

figure peers.requests /s higher "Requests on connections that stay"
ahead peers.requests at_least
goal peers.requests socket at_least 3 of haproxy
goal peers.requests socket at_least 3 of nginx
# Whether that can be: nothing is quicker than the pod's own address.
goal peers.requests direct at_least 3 of haproxy
goal peers.requests direct at_least 3 of nginx
rates peers.requests keepalive 16 "${sides[@]}"

# At half of direct's most a sidecar has nothing to spare; kube-proxy's are taken there, in kube_traffic.
figure peers.latency us lower "Requests on connections that stay, at a quarter of direct's most"
goal peers.latency.p99 socket at_most 0.333 of haproxy
goal peers.latency.p99 socket at_most 0.333 of nginx
goal peers.latency.p99 direct at_most 0.333 of haproxy
goal peers.latency.p99 direct at_most 0.333 of nginx
mapfile -t slow < <(printf '%s\n' "${sides[@]}" | grep -E '^(direct|socket|tc|haproxy|nginx|envoy)=')
latencies peers.latency keepalive "$(($(median_of peers.requests direct) / 4))" "${slow[@]}"

[[ -n ${PEER_SIDE[kube-iptables]-} && -n ${PEER_SIDE[kube-nftables]-} ]] || bench_end
for name in "${others[@]}"; do
  peer_stop "$name"
done
# These sides are fewer, and so have as many rounds.
BENCH_SECONDS=$((BENCH_SECONDS * 2 / 3))
for count in "${counts[@]}"; do
  grown "$count"
  sides=("${PEER_SIDE[direct]}")
  for name in "${readers[@]}"; do
    sides+=("${PEER_SIDE[$name]}")
  done
  figure "peers.connects_$count" /s higher "New connections, where there are $count services"
  ahead "peers.connects_$count" at_least
  rates "peers.connects_$count" connect 16 "${sides[@]}"
  figure "peers.requests_$count" /s higher "Requests on connections that stay, where there are $count services"
  ahead "peers.requests_$count" at_least
  rates "peers.requests_$count" keepalive 16 "${sides[@]}"
done
bench_end
