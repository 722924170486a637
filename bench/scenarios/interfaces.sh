#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# From the command that makes a pod's interface to the programs on it, which the pins of its links tell: where nothing else
# is to be done, and while the agent is at five hundred that were there when it started (QUICK=1: two hundred).
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

standing=500
[[ -z ${QUICK-} ]] || standing=200

# pins INDEX: when those of that interface were made.
pins() { find "$(bpffs_of h)" -name "tcx_*_$1" -printf '%T@\n'; }
has_pins() { (($(pins "$1" | wc -l) == 2)); }

# fresh FIGURE ROUND: one interface comes, and goes.
fresh() {
  local name=fresh$2 came index

  came=$EPOCHREALTIME
  ip -n h link add name "$name" type veth peer name "p-$name" netns many
  index=$(ip -n h -j link show "$name" | jq '.[0].ifindex')
  wait_for 20 has_pins "$index"
  sample "$1" value "$2" "$(pins "$index" | sort -n | awk -v came="$came" 'END { printf "%.1f", ($1 - came) * 1000 }')"
  ip -n h link delete "$name"
}

waiting() { ctl h -o json status | jq '.agent.interfaces.waiting'; }

bench_begin
one_region
ip netns add many
agent_start h
[[ $(ctl h -o json status | jq -r .agent.interfaces.mode) == tcx ]] ||
  sandbox_skip "links at interfaces have no pins below kernel 6.6"

figure interfaces.ms ms lower "A pod's new interface is served"
goal interfaces.ms value at_most 100
for ((round = 0; round < BENCH_ROUNDS; round++)); do
  fresh interfaces.ms "$round"
done

agent_stop h
for ((i = 1; i <= standing; i++)); do
  echo "link add name many$i type veth peer name p$i netns many"
done | ip -n h -batch -
figure interfaces.beside.ms ms lower "The same while $standing at start are served"
goal interfaces.beside.ms value at_most 100
agent_start h
for ((round = 0; round < BENCH_ROUNDS; round++)); do
  (($(waiting) > 0)) || break
  fresh interfaces.beside.ms "$round"
done
bench_end
