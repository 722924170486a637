#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What it costs connections by the hooks at sockets that programs stand at interfaces as well, to rescue them:
# packets of one that was not moved pass two of those each way, and go on at a glance. Bulk data beside programs
# that do nothing, too: what is left of a difference is ours.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

bench_begin
about nothing "the same, and programs at interfaces that do nothing"
paths notc socket
twin nothing
twin_agent nothing "kernel.interfaces: none"
pins=$(bpffs_of rescue_price)
mkdir "$pins"
bpftool prog loadall "$SANDBOX_OUT/../bpf/bench/floor_tc.bpf.o" "$pins"
at_interfaces nothing "$pins/floor_nothing" "$pins/floor_nothing"
sides_of_paths 10.0.0.11:9080 "$VIP:80"
SIDES+=("$(side nothing)")

figure rescue_price.connects /s higher "New connections, with programs at interfaces and without" notc
goal rescue_price.connects socket at_least 0.98 of notc
rates rescue_price.connects connect 16 "${SIDES[@]}"

figure rescue_price.requests /s higher "Requests on connections that stay" notc
goal rescue_price.requests socket at_least 0.99 of notc
rates rescue_price.requests keepalive 16 "${SIDES[@]}"

# One stream of node notc goes on, and what stands at its interfaces changes under it: so all of it runs on the
# same processors, in the same memory.
while read -r id; do
  name=$(bpftool -j prog show id "$id" | jq -r .name)
  [[ $name != mrd_tc_* ]] || bpftool prog pin id "$id" "$pins/$name"
done < <(sed -n 's/^prog_id:\t*//p' "/proc/${AGENT_PID[socket]}"/fdinfo/* | sort -u)
serve notc-server iperf3 --server
wait_listen notc-server 5201
serve notc-client iperf3 --client 172.16.0.52 --time 3600
slice=0.3 slices=$((BENCH_ROUNDS * 2))
[[ -z ${QUICK-} ]] || slice=0.1 slices=$BENCH_ROUNDS

# spent: "MICROSECONDS BYTES PROCESSOR_MICROSECONDS", so far.
spent() {
  local bytes usage

  bytes=$(ip -n notc-server -j -s link show eth0 | jq '.[0].stats64.rx.bytes')
  usage=$(awk '$1 == "usage_usec" { sum += $2 } END { print sum }' \
    "$(cgroup_of notc-client)/cpu.stat" "$(cgroup_of notc-server)/cpu.stat")
  echo "${EPOCHREALTIME/./} $bytes $usage"
}

# bulk ROUND SIDE
bulk() {
  local before after

  case $2 in
  nothing) at_interfaces notc "$pins/floor_nothing" "$pins/floor_nothing" ;;
  socket) at_interfaces notc "$pins/mrd_tc_forward" "$pins/mrd_tc_reverse" ;;
  esac
  before=$(spent)
  sleep "$slice"
  after=$(spent)
  off_interfaces notc
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
interleave "$slices" bulk notc nothing socket
bench_end
