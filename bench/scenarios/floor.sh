#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What a new connection through a VIP costs beyond one to the pod's own address on the same node; and what
# programs cost there that do the least that rewriting takes (bench/floor.bpf.c): the bound of ours. Each
# stands on a cgroup below the node's, so every side has all hooks of the node, as direct has.
# Then the same against a node that has no hooks. A run of all scenarios leaves it out.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

# attach POD HOOK PROGRAM…
attach() {
  local cgroup

  cgroup=$(cgroup_of "$1")
  shift
  while (($#)); do
    bpftool cgroup attach "$cgroup" "$1" pinned "$(bpffs_of floor)/$2" multi
    shift 2
  done
}

# neighbour SIDE ADDRESS:PORT: a client of its own on node socket, for a side.
neighbour() {
  neighbours=$((neighbours + 1))
  pod socket "$1" "10.0.0.$((20 + neighbours))"
  many_ports "$1"
  NODE_SIDES+=("$1=$2@$(cgroup_of "$1")@$1")
}

bench_begin
[[ " ${ONLY-} " == *" floor "* ]] || sandbox_skip "what bounds new connections is measured by ONLY=floor"
twins
for name in socket bare empty notc; do
  twin "$name"
done
twin_agent socket
twin_agent notc "kernel.interfaces: none"
mkdir "$(bpffs_of floor)"
bpftool prog loadall "$SANDBOX_OUT/../bpf/bench/floor.bpf.o" "$(bpffs_of floor)"

# Any address will do where a program takes all for the VIP.
server=10.0.0.11:9080 any=172.31.0.1:80 neighbours=0
NODE_SIDES=()
about direct "the pod's own address"
about again "the same once more: what it differs by is noise"
about vip "Meridian: the VIP by the hooks at sockets"
about rewrite "a constant address, and nothing is kept"
about storage "the same, and a socket's storage of our size is made"
about least "the same, of eight bytes"
about hash "the same in a hash map, with a row that the close deletes"
about ready "the same in a hash map whose rows are there from the start"
about array "the same in an array, at a place that the socket's number gives"
for name in rewrite storage least hash ready array; do
  neighbour "$name" "$any"
  attach "$name" connect4 "floor_$name"
done
for name in hash ready array; do
  attach "$name" sock_release "floor_${name}_end"
done
floors=("${NODE_SIDES[@]}") NODE_SIDES=()
for name in first second third; do
  neighbour "$name" ""
done

# vip_in_turn TURN: the sides that goals are about, each in one of three pods.
vip_in_turn() {
  SIDES=("direct=$server${NODE_SIDES[$1]#*=}" "again=$server${NODE_SIDES[($1 + 1) % 3]#*=}"
    "vip=$VIP:80${NODE_SIDES[($1 + 2) % 3]#*=}")
}

# all_in_turn TURN: and what they are beside.
all_in_turn() {
  vip_in_turn "$1"
  SIDES+=("${floors[@]}")
}

figure floor.connects /s higher "New connections, on one node"
goal floor.connects vip at_least 0.98 of direct
rates_in_turns floor.connects connect 16 3 all_in_turn

figure floor.requests /s higher "Requests on connections that stay, on one node"
goal floor.requests vip at_least 0.99 of direct
rates_in_turns floor.requests keepalive 16 3 vip_in_turn

about bare "the pod's own address, where nothing is installed: the limit"
about notc "Meridian: by the hooks at sockets, with the probe, without programs at interfaces"
about empty "a row of an array is taken, and programs that do nothing stand at all other hooks of sockets"
attach empty-client connect4 floor_array
attach empty-client sock_release floor_array_end
attach empty-server sock_release floor_release
for name in empty-client empty-server; do
  attach "$name" ingress floor_ingress egress floor_egress sock_ops floor_sockops
done
figure floor.hooks /s higher "New connections, beside a node without hooks" bare
SIDES=("$(side bare "$server")" "$(side empty "$any")" "$(side notc)")
rates floor.hooks connect 16 "${SIDES[@]}"
figure floor.hooks_requests /s higher "Requests on connections that stay, beside a node without hooks" bare
rates floor.hooks_requests keepalive 16 "${SIDES[@]}"
bench_end
