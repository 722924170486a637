#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What a node with 30 pods holds in memory for service traffic, where there are 1,000 services of ten endpoints:
# Meridian's agent with its maps and programs; kube-proxy, without the kernel's share of its rules, which
# cannot be told from the rest; and a sidecar in each pod, which knows one service only.
set -euo pipefail
# shellcheck source=bench/peers.sh
. "$(dirname "$0")/../peers.sh"

services=1000
pods=30
[[ -z ${QUICK-} ]] || services=200 pods=5

# pss_mib NAME: what the processes in a peer's cgroup hold, with their part of what they share.
pss_mib() {
  local pid

  while read -r pid; do
    cat "/proc/$pid/smaps_rollup"
  done <"$SANDBOX_CGROUP/agents/$1/cgroup.procs" | awk '$1 == "Pss:" { sum += $2 } END { printf "%.2f", sum / 1024 }'
}

# bpf_mib NAME: the maps and programs that the agent has.
bpf_mib() {
  awk 'FNR == 1 { id = ""; bytes = 0 } $1 == "memlock:" { bytes = $2 } $1 == "map_id:" || $1 == "prog_id:" { id = $1 $2 }
    bytes && id && !seen[id]++ { sum += bytes } END { printf "%.2f", sum / 1048576 }' "/proc/${AGENT_PID[$1]}"/fdinfo/*
}

# sidecars NAME: one in each pod; 1: it is not there, which was told.
sidecars() {
  local -i i

  for ((i = 0; i < pods; i++)); do
    pod "$1" "$1-pod$i" "10.0.1.$((i + 1))"
    sidecar_start "$1" "$1-pod$i" || return
  done
}

peers_begin socket kube-iptables kube-nftables haproxy nginx envoy
about meridian "all of it: the agent, and what the kernel holds for its maps and programs"
about "meridian: agent" "the agent's processes, each shared page by its part"
about "meridian: maps" "the maps and programs alone"
# shellcheck disable=SC2034 # read by peers.sh: it has been told by its parts
PEER_TOLD[socket]=1
figure node_memory.mib MiB lower "Memory of a node with $pods pods and $services services" meridian
if [[ -n ${KUBE_HOST[ack-hangzhou]-} ]]; then
  objects fill "$services"
  wait_for 60 is_filled "$services"
fi
there=()
peer_start socket
for name in kube-iptables kube-nftables; do
  peer_start "$name" || continue
  kube_rules_wait "$name" "$services"
  there+=("$name")
done
for name in haproxy nginx envoy; do
  sidecars "$name" || continue
  about "$name" "$(peer_words "$name"), one in each of $pods"
  there+=("$name")
done
sleep 2
agent_mib=$(pss_mib socket) maps_mib=$(bpf_mib socket)
sample node_memory.mib meridian 0 "$(awk "BEGIN { print $agent_mib + $maps_mib }")"
sample node_memory.mib "meridian: agent" 0 "$agent_mib"
sample node_memory.mib "meridian: maps" 0 "$maps_mib"
for name in "${there[@]}"; do
  sample node_memory.mib "$name" 0 "$(pss_mib "$name")"
done
bench_end
