#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What a node with 30 pods holds in memory for service traffic, where there are 1,000 services of ten endpoints:
# Meridian's agent with its maps and programs; kube-proxy with what the kernel holds for it, its rules above all; and a
# sidecar in each pod, which knows one service only.
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

# Where the kernel accounts for what it holds for processes: groups of cgroup v1's memory controller.
accounts=$(findmnt --noheadings --first-only --types cgroup --options memory --output TARGET || true)
account_of() { echo "$accounts/${SANDBOX_CGROUP##*/}-$1"; }

# accounted NAME COMMAND…: what it starts is accounted for there.
accounted() {
  local status=0 group

  group=$(account_of "$1")
  mkdir "$group"
  echo $$ >"$group/cgroup.procs"
  "${@:2}" || status=$?
  echo $$ >"$accounts/cgroup.procs"
  return "$status"
}

# kernel_mib NAME
kernel_mib() {
  awk '{ printf "%.2f", $1 / 1048576 }' "$(account_of "$1")/memory.kmem.usage_in_bytes"
}

# These groups are no part of the sandbox.
leave() {
  local status=$? group

  trap '' INT TERM HUP
  set +e
  [[ -z $accounts ]] || echo $$ >"$accounts/cgroup.procs"
  for group in "$(account_of kube-iptables)" "$(account_of kube-nftables)"; do
    [[ -d $group ]] || continue
    mapfile -t left <"$group/cgroup.procs"
    kill -KILL "${left[@]}"
    wait_for 5 rmdir "$group"
  done 2>/dev/null
  (exit "$status")
  sandbox_exit
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
trap leave EXIT
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
  if [[ -n $accounts ]]; then
    accounted "$name" peer_start "$name" || continue
    about "$name: kernel" "what the kernel holds for its processes, its rules above all"
  else
    peer_start "$name" || continue
    missing "$name: kernel" "cgroup v1's memory controller (systemd.unified_cgroup_hierarchy=0)"
  fi
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
  mib=$(pss_mib "$name")
  if [[ -d $(account_of "$name") ]]; then
    kernel_mib=$(kernel_mib "$name")
    sample node_memory.mib "$name: kernel" 0 "$kernel_mib"
    mib=$(awk "BEGIN { print $mib + $kernel_mib }")
  fi
  sample node_memory.mib "$name" 0 "$mib"
done
bench_end
