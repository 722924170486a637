#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What each BPF program takes for a run over real traffic, by the kernel's own statistics, and how many
# instructions the verifier looked at. Statistics cost time themselves, so nothing else is measured then.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

stats_were=$(sysctl -n kernel.bpf_stats_enabled)
# They are the machine's, so they do not end with the sandbox.
leave() {
  local status=$?

  sysctl -qw "kernel.bpf_stats_enabled=$stats_were"
  (exit "$status")
  sandbox_exit
}

# Of the programs on node h's cgroup.
runs() {
  local name ns

  bpftool -j prog show | jq -r --argjson ids "$(bpftool -j cgroup show "$SANDBOX_CGROUP/h" | jq -c '[.[].id]')" \
    '.[] | select(.id as $id | $ids | index($id)) | select(.run_cnt > 100) | "\(.name) \(.run_time_ns / .run_cnt)"' |
    while read -r name ns; do
      figure "program.${name}_ns" ns lower "$name, a run"
      sample "program.${name}_ns" value 0 "$ns"
    done
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

bench_begin
trap leave EXIT
bench_world
serve h2 "$PEER" udp-echo 10.0.0.12 5353 h2
PORT_NAME=dns PROTOCOL=UDP svc ack-hangzhou dns 172.16.0.53 53
PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353 eps ack-hangzhou dns 10.0.0.12
wait_for 5 run_in client "$PEER" udp unconnected 1 172.16.0.53 53

sysctl -qw kernel.bpf_stats_enabled=1
wrk_load "$VIP" 80 16 "Connection: close"
wrk_load "$VIP" 80 16
run_in client "$PEER" udp unconnected 2000 172.16.0.53 53 >/dev/null
sysctl -qw "kernel.bpf_stats_enabled=$stats_were"
runs
verified
bench_end
