#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What it costs connections by the hooks at sockets that programs stand at interfaces as well, to rescue them:
# packets of one that was not moved pass two of those each way, and go on at a glance. Beside programs that do
# nothing, too: what is left of a difference is ours.
#
# Three nodes of one shape, with an agent each; what stands at their interfaces goes round.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

nodes=(first second third) sides=(notc nothing socket)

pins_of() {
  bpffs_of "$1-programs"
}

# prepare NODE: all that may stand at its interfaces is pinned, and nothing stands there.
prepare() {
  local id name pins

  pins=$(pins_of "$1")
  mkdir "$pins"
  bpftool prog loadall "$SANDBOX_OUT/../bpf/bench/floor_tc.bpf.o" "$pins"
  while read -r id; do
    name=$(bpftool -j prog show id "$id" | jq -r .name)
    [[ $name != mrd_tc_* ]] || bpftool prog pin id "$id" "$pins/$name"
  done < <(sed -n 's/^prog_id:\t*//p' "/proc/${AGENT_PID[$1]}"/fdinfo/* | sort -u)
  rm "$(bpffs_of "$1")"/tcx_*
}

# stand NODE SIDE: from now on, at its interfaces. Timers of SYNs are shorter only where something rescues.
stand() {
  local pins

  pins=$(pins_of "$1")
  off_interfaces "$1"
  case $2 in
  notc) rescues "$1" 0 ;;
  nothing)
    rescues "$1" 0
    at_interfaces "$1" "$pins/floor_nothing" "$pins/floor_nothing"
    ;;
  socket)
    rescues "$1" "$jiffies_per_s"
    at_interfaces "$1" "$pins/mrd_tc_forward" "$pins/mrd_tc_reverse"
    ;;
  esac
}

# rescues NODE JIFFIES_PER_S: 0: nothing does.
rescues() {
  local -a row

  mapfile -t row < <(bpftool -j map lookup pinned "$(bpffs_of "$1")/mrd_config" key 0 0 0 0 | jq -r '.value[]')
  bpftool map update pinned "$(bpffs_of "$1")/mrd_config" key 0 0 0 0 \
    value "${row[@]:0:12}" $(($2 % 256)) $(($2 / 256)) "${row[@]:14}"
}

# in_turn TURN
in_turn() {
  local -i i
  local node

  SIDES=()
  for ((i = 0; i < 3; i++)); do
    node=${nodes[(i + $1) % 3]}
    stand "$node" "${sides[i]}"
    SIDES+=("${sides[i]}=$VIP:80@${BENCH_TWIN[$node]}@$node-client")
  done
}

bench_begin
about notc "Meridian: by the hooks at sockets, with nothing at interfaces"
about nothing "the same, and programs at interfaces that do nothing"
about socket "the same, and Meridian's at interfaces"
twins
for node in "${nodes[@]}"; do
  twin "$node"
  twin_agent "$node"
  prepare "$node"
done
jiffies_per_s=$(bpftool -j map dump pinned "$(bpffs_of first)/mrd_config" | jq '.[0].formatted.value.jiffies_per_s')

figure rescue_price.connects /s higher "New connections, with programs at interfaces and without" notc
goal rescue_price.connects socket at_least 0.98 of notc
rates_in_turns rescue_price.connects connect 16 3 in_turn

figure rescue_price.requests /s higher "Requests on connections that stay" notc
goal rescue_price.requests socket at_least 0.99 of notc
rates_in_turns rescue_price.requests keepalive 16 3 in_turn

# One stream of one node goes on while what stands at its interfaces changes.
serve first-server iperf3 --server
wait_listen first-server 5201
serve first-client iperf3 --client 172.16.0.52 --time 3600
slice=0.3 slices=$((BENCH_ROUNDS * 2))
[[ -z ${QUICK-} ]] || slice=0.1 slices=$BENCH_ROUNDS

# spent: "MICROSECONDS BYTES PROCESSOR_MICROSECONDS", so far.
spent() {
  local bytes usage

  bytes=$(ip -n first-server -j -s link show eth0 | jq '.[0].stats64.rx.bytes')
  usage=$(awk '$1 == "usage_usec" { sum += $2 } END { print sum }' \
    "$(cgroup_of first-client)/cpu.stat" "$(cgroup_of first-server)/cpu.stat")
  echo "${EPOCHREALTIME/./} $bytes $usage"
}

# bulk ROUND SIDE
bulk() {
  local before after

  stand first "$2"
  before=$(spent)
  sleep "$slice"
  after=$(spent)
  read -ra before <<<"$before"
  read -ra after <<<"$after"
  sample rescue_price.bulk "$2" "$1" \
    "$(jq -n "(${after[1]} - ${before[1]}) * 8 / (${after[0]} - ${before[0]}) / 1e3")"
  sample rescue_price.bulk_cpu "$2" "$1" \
    "$(jq -n "(${after[2]} - ${before[2]}) / (${after[1]} - ${before[1]}) * 1048576")"
}
figure rescue_price.bulk Gbit/s higher "Bulk data, one stream" notc
goal rescue_price.bulk socket at_least 0.99 of notc
figure rescue_price.bulk_cpu "us a MiB" lower "Bulk data, one stream: processor time" notc
interleave "$slices" bulk "${sides[@]}"
bench_end
