#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Speed through a VIP beside the same traffic to the pod's own address, in one interleaved run; the cost
# of each BPF program; how fast ejections and manifests reach the kernel; the agent's memory.
#
# Usage: bench.sh OUT_FOLDER      environment: QUICK=1 (fewer rounds), ONLY=name
# Raw samples go to OUT_FOLDER/samples.jsonl, figures to OUT_FOLDER/summary.json.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../tests/e2e/lib.sh"

out=$(realpath -m "${1:?usage: bench.sh OUT_FOLDER}")
rounds=15
slices=750
seconds=2
[[ -z ${QUICK-} ]] || rounds=7 slices=150 seconds=1
only=${ONLY-}
samples=$out/samples.jsonl
mkdir -p "$out"
: >"$samples"

wanted() { [[ -z $only || $only == "$1" ]]; }

# sample FIGURE SIDE ROUND VALUE
sample() {
  printf '{"figure":"%s","side":"%s","round":%d,"value":%s}\n' "$@" >>"$samples"
}

# load ADDRESS PORT CONNECTIONS [HEADER]: requests a second by wrk.
load() {
  run_in client wrk -t1 "-c$3" "-d${seconds}s" ${4:+-H "$4"} "http://$1:$2/" |
    awk '$1 == "Requests/sec:" { print $2 } /Socket errors|Non-2xx/ { print > "/dev/stderr" }'
}

# compare FIGURE MODE: to the pod itself and through the VIP in turn, 40 ms each, the order changing.
compare() {
  local side round rate

  run_in client "$SANDBOX_OUT/bench/load" "$2" 16 40 "$slices" direct=10.0.0.11:9080 "vip=$VIP:80" \
    >"$SANDBOX/rates"
  while read -r round side rate; do
    sample "$1" "$side" "$round" "$rate"
  done <"$SANDBOX/rates"
}

# BPF statistics cost time themselves, so they are on for a phase of their own only.
program_costs() {
  local old

  old=$(sysctl -n kernel.bpf_stats_enabled)
  sysctl -qw kernel.bpf_stats_enabled=1
  load $VIP 80 16 "Connection: close" >/dev/null
  load $VIP 80 16 >/dev/null
  run_in client "$PEER" udp unconnected 2000 172.16.0.53 53 >/dev/null
  sysctl -qw "kernel.bpf_stats_enabled=$old"
  bpftool -j prog show | jq -c --argjson ids "$(bpftool -j cgroup show "$SANDBOX_CGROUP/h" | jq -c '[.[].id]')" \
    '.[] | select(.id as $id | $ids | index($id)) | select(.run_cnt > 100)
     | {figure: "program.\(.name)_ns", side: "value", round: 0, value: (.run_time_ns / .run_cnt)}' >>"$samples"
}

# A backend of its own for the addresses 10.0.9.1 to 10.0.9.100, which answers 503.
failing_backend() {
  local i

  for i in {1..100}; do
    ip -n h1 address add "10.0.9.$i/32" dev eth0
  done
  ip -n h route add 10.0.9.0/24 via 10.0.0.11 dev "$(ip -n h -o route get 10.0.0.11 | grep -o 'dev [^ ]*' | cut -d' ' -f2)" onlink
}

# The agent's figure is that of its last 1,000 ejections: so many each phase makes, also a quick one.
ejection_rounds=$((rounds > 10 ? rounds : 10))

# ejection_figures NAME COUNT_BEFORE
ejection_figures() {
  ctl h -o json status | jq -c --arg name "$1" --argjson before "$2" '.agent.ejection_latency_us
    | {figure: ($name + ".p50_us"), side: "value", round: 0, value: .p50},
      {figure: ($name + ".p99_us"), side: "value", round: 0, value: .p99},
      {figure: ($name + ".count"), side: "value", round: 0, value: (.count - $before)}' >>"$samples"
}

ejections_so_far() { ctl h -o json status | jq .agent.ejection_latency_us.count; }

# A hundred endpoints that answer 503 one after the other, a few milliseconds apart, again and again,
# under load on another service.
ejection_latency() {
  local addresses=() i load

  for i in {1..100}; do
    addresses+=("10.0.9.$i")
  done
  svc ack-hangzhou failing 172.16.0.30 80
  eps ack-shanghai failing 10.1.0.11
  TARGET_PORT=9081 slice ack-hangzhou default failing IPv4 "${addresses[@]}"
  failover_policy failing "{ consecutive5xxErrors: 1, interval: 500ms, baseEjectionTime: 100ms }"
  wait_for 5 agent_said h 'service=default/failing.*mode=failover'
  run_in client wrk -t1 -c4 -d$((ejection_rounds * 2))s "http://$VIP/" >/dev/null &
  load=$!
  for ((i = 0; i < ejection_rounds; i++)); do
    run_in client "$PEER" get 172.16.0.30 80 100 5 >/dev/null
    sleep 0.8
  done
  wait "$load"
  ejection_figures ejection 0
  rm "$SANDBOX"/state/*/*-default-failing*.yaml "$SANDBOX/policy/failing.yaml"
}

# The same for a hundred services whose only endpoint at home fails, all within the same few
# milliseconds: connections to all are open before the first request is sent.
ejection_bursts() {
  local i before load

  for i in {1..100}; do
    svc ack-hangzhou "burst-$i" "172.16.1.$i" 80
    eps ack-shanghai "burst-$i" 10.1.0.11
    TARGET_PORT=9081 slice ack-hangzhou default "burst-$i" IPv4 "10.0.9.$i"
    failover_policy "burst-$i" "{ consecutive5xxErrors: 1, interval: 500ms, baseEjectionTime: 100ms }"
  done
  wait_for 10 burst_is_planned
  before=$(ejections_so_far)
  run_in client wrk -t1 -c4 -d$((ejection_rounds * 2))s "http://$VIP/" >/dev/null &
  load=$!
  for ((i = 0; i < ejection_rounds; i++)); do
    run_in client "$PEER" burst 172.16.1.1 80 100 >/dev/null
    sleep 1.5
  done
  wait "$load"
  ejection_figures burst "$before"
}

burst_is_planned() {
  ctl h -o json services | jq -e '[.services[]
    | select((.service | startswith("default/burst-")) and .mode == "failover")] | length == 100' >/dev/null
}

# own_agent NODE STATE_OF_HANGZHOU STATE_OF_SHANGHAI POLICY: an agent that sees other folders than the
# sandbox's.
own_agent() {
  agent_config "$1" "policy: [$4]" |
    sed "s|directory: .*/ack-hangzhou\$|directory: $2|; s|directory: .*/ack-shanghai\$|directory: $3|" >"$SANDBOX/$1.yaml"
  sandbox_spawn "$SANDBOX_CGROUP/agents" "$(agent_log_of "$1")" "$MERIDIAND" --config "$SANDBOX/$1.yaml"
  AGENT_PID[$1]=$SERVE_PID
  wait_for 10 agent_said "$1" ready
}

# The only route of that agent is the edited one, so the map's first row is to be watched.
manifest_latency() {
  local from=$SANDBOX/state/ack-hangzhou folder=$SANDBOX/edited round=0 us

  mkdir "$folder" "$folder/hangzhou" "$folder/shanghai"
  svc ack-hangzhou edited 172.16.0.40 80
  eps ack-hangzhou edited 10.0.0.11 10.0.0.12
  mv "$from/slice-default-edited-ipv4.yaml" "$folder/b"
  eps ack-hangzhou edited 10.0.0.11
  mv "$from/slice-default-edited-ipv4.yaml" "$folder/a"
  mv "$from/service-default-edited.yaml" "$folder/hangzhou"
  cp "$folder/b" "$folder/hangzhou/slice.yaml"
  own_agent m "$folder/hangzhou" "$folder/shanghai" "$SANDBOX/policy"
  "$SANDBOX_OUT/bench/edit_latency" "$(bpffs_of m)/mrd_route" "$folder/hangzhou/slice.yaml" \
    "$folder/a" "$folder/b" $((rounds * 10)) >"$SANDBOX/edits"
  agent_stop m
  while read -r us; do
    sample manifest.us value $((round++)) "$us"
  done <"$SANDBOX/edits"
}

# The agent's own work without a kernel, by the number of services.
scale() {
  local services name value changes=200

  [[ -z ${QUICK-} ]] || changes=50
  mkdir "$SANDBOX/scale"
  for services in 1000 10000 64000; do
    "$SANDBOX_OUT/bench/scale" "$services" "$changes" "$SANDBOX/scale" >"$SANDBOX/scale/out"
    local round=0
    while read -r name value; do
      [[ $name == change_us || $services == 10000 ]] || continue
      [[ $name == change_us ]] && name=change_${services}_us
      sample "plan.$name" value $((round++)) "$value"
    done <"$SANDBOX/scale/out"
  done
}

# 1,000 rules through meridianctl check, from start to end of the process.
check_rules() {
  local round start

  for ((round = 0; round < rounds; round++)); do
    start=$EPOCHREALTIME
    "$MERIDIANCTL" check "$SANDBOX/scale/rules.yaml" >"$SANDBOX/scale/found"
    sample check.rules_1000_ms value "$round" \
      "$(awk "BEGIN { printf \"%.2f\", ($EPOCHREALTIME - $start) * 1000 }")"
  done
}

# Resident memory in MiB.
agent_memory() {
  awk '/VmRSS/ { printf "%.2f", $2 / 1024 }' "/proc/${AGENT_PID[$1]}/status"
}

sandbox_begin bench
cluster ack-hangzhou cn-hangzhou
cluster ack-shanghai cn-shanghai
node h cluster=ack-hangzhou region=cn-hangzhou 10.0.0.0/16
node s cluster=ack-shanghai region=cn-shanghai 10.1.0.0/16
node b cluster=ack-hangzhou region=cn-hangzhou
node m cluster=ack-hangzhou region=cn-hangzhou
link h s
pod h client 10.0.0.2
pod h h1 10.0.0.11
pod h h2 10.0.0.12
pod s s1 10.1.0.11
web h1 s1
sed 's/listen 9080/listen 9081/; s/listen \[::\]:9080/listen [::]:9081/; s/return 200.*/return 503;/; s/h1\.\(pid\|body\|proxy\|fastcgi\|uwsgi\|scgi\)/h1f.\1/' \
  "$SANDBOX/web/h1.conf" >"$SANDBOX/web/failing.conf"
serve h1 nginx -e stderr -c "$SANDBOX/web/failing.conf"
serve h2 "$PEER" udp-echo 10.0.0.12 5353 h2
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
PORT_NAME=dns PROTOCOL=UDP svc ack-hangzhou dns 172.16.0.53 53
PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353 eps ack-hangzhou dns 10.0.0.12
failover_policy reviews
agent_start h
nsenter --net=/run/netns/client sh -c 'cd /proc/sys/net/ipv4; echo 1024 65000 >ip_local_port_range; echo 1 >tcp_tw_reuse'

if wanted scale; then
  scale
  check_rules
fi
if wanted memory; then
  # What the demo's node of Hangzhou holds: the guide's Bookinfo.
  own_agent b "$SANDBOX_ROOT/demo/state/hangzhou" "$SANDBOX_ROOT/demo/state/shanghai" \
    "$SANDBOX_ROOT/demo/policy/failover.yaml"
  sample agent.rss_mib value 0 "$(agent_memory b)"
  agent_stop b
fi
! wanted manifest || manifest_latency
! wanted connects || compare socket.connects_vs_direct connect
! wanted requests || compare socket.requests_vs_direct keepalive
! wanted programs || program_costs
if wanted ejection || wanted burst; then failing_backend; fi
! wanted ejection || ejection_latency
! wanted burst || ejection_bursts
if wanted kube; then
  "$(dirname "$0")/kube.sh" "$samples" || [[ $? == "$SANDBOX_EXIT_SKIP" ]]
fi
python3 "$(dirname "$0")/figures.py" "$samples" "$out/summary.json"
"$SANDBOX_OUT/tests/verify" "$SANDBOX_ROOT/tests/verify/budget.txt" "$SANDBOX_OUT/../bpf/meridian.bpf.o" |
  sed 's/^PASS verify/program/'
SANDBOX_QUIET=1
sandbox_end
