#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What each BPF program takes for a run over real traffic, by the kernel's own statistics; what single packets cost
# that are fed to one by hand; how many instructions the verifier looked at; and what the maps hold. Statistics cost
# time themselves, so nothing else is measured then.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

# within FIGURE: bench/budget.txt says how far.
within() {
  local most

  most=$(awk -v figure="$1" '$1 == figure { print $2 }' "$SANDBOX_ROOT/bench/budget.txt")
  goal "$1" value at_most "${most:?$1 is not in bench/budget.txt}"
}

runs() {
  local name ns

  programs_of h | jq -r '.[] | select(.run_cnt > 100) | "\(.name) \(.run_time_ns / .run_cnt)"' |
    while read -r name ns; do
      figure "program.${name}_ns" ns lower "$name, a run"
      within "program.${name}_ns"
      sample "program.${name}_ns" value 0 "$ns"
    done
}

# packet FIGURE TITLE PROGRAM FROM TO FLAGS: as if it came by at the client's interface.
packet() {
  local figure=program.packet_$1_ns

  figure "$figure" ns lower "$2"
  within "$figure"
  sample "$figure" value 0 "$(packet_ns h "$(program_id h "$3")" "$packets" "${@:4}")"
}

# Of nobody's and of one of the VIP's connections. SYN: 2, ACK: 16.
packets() {
  packet foreign "A packet of nobody's connection, at an interface" mrd_tc_forward 10.0.0.2:9 10.9.9.9:9 16
  packet first "A connection's first packet, at an interface" mrd_tc_forward 10.0.0.2:10000 "$VIP:80" 2
  packet next "One that follows" mrd_tc_forward 10.0.0.2:10000 "$VIP:80" 16
  packet answer "One that comes back" mrd_tc_reverse 10.0.0.11:9080 10.0.0.2:10000 16
  packet sent "A packet of nobody's connection that a socket sends" mrd_probe_egress 10.0.0.2:9 10.9.9.9:9 16
  packet received "One that it receives" mrd_probe_ingress 10.9.9.9:9 10.0.0.2:9 16
}

# At default limits, as the kernel accounts for them.
maps() {
  local ids

  ids=$(sed -n 's/^map_id:\t*//p' "/proc/${AGENT_PID[h]}"/fdinfo/* | sort -un | paste -sd,)
  figure program.maps_mib MiB lower "All maps, at default limits"
  within program.maps_mib
  sample program.maps_mib value 0 "$(bpftool -j map show | jq --argjson ids "[$ids]" \
    '[.[] | select(.id as $id | $ids | index($id)).bytes_memlock] | add / 1048576')"
}

verified() {
  local name count

  "$SANDBOX_OUT/tests/verify" "$SANDBOX_ROOT/tests/verify/budget.txt" "$SANDBOX_OUT/../bpf/meridian.bpf.o" |
    sed -n 's|^[A-Z]* verify/meridian/\(.*\): verified \([0-9]*\) of .*|\1 \2|p' |
    while read -r name count; do
      figure "program.${name}_verified" instructions lower "$name, looked at by the verifier"
      sample "program.${name}_verified" value 0 "$count"
    done
}

packets=1000
[[ -z ${QUICK-} ]] || packets=200
bench_begin
bench_world
serve h2 "$PEER" udp-echo 10.0.0.12 5353 h2
PORT_NAME=dns PROTOCOL=UDP svc ack-hangzhou dns 172.16.0.53 53
PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353 eps ack-hangzhou dns 10.0.0.12
has_dns() { [[ $(ctl h services) == *default/dns* ]]; }
wait_for 5 has_dns
run_in client "$PEER" udp unconnected 1 172.16.0.53 53 >/dev/null

serve h "$SANDBOX_OUT/tests/run_stats"
stats=$SERVE_PID
wait_for 5 grep -q "^ready" "$SANDBOX/log/h"
wrk_load "$VIP" 80 16 "Connection: close"
wrk_load "$VIP" 80 16
outside client wrk -t1 -c16 -d1s -H "Connection: close" "http://$VIP/" >"$SANDBOX/log/wrk"
run_in client "$PEER" udp unconnected 2000 172.16.0.53 53 >/dev/null
stop "$stats" || true
runs
packets
verified
maps
bench_end
