#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# From the first 503 that the kernel sees to the endpoint that is not picked any more, under load on another
# service: a hundred endpoints that fail one after the other, and a hundred that fail at once. Beside the
# former, in turn with it, what the same takes without Meridian: a task of the agent's priority is woken by an
# event and writes a row (bench/wake.c). What that takes on this machine, nobody can spare.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

# The agent's figure is that of its last 1,000 ejections, each round makes a hundred: a quick run has too few to quote.
rounds=$BENCH_ROUNDS
[[ -z ${QUICK-} ]] || rounds=2

# A backend of its own for the addresses 10.0.9.1 to 10.0.9.100, which answers 503.
failing_backend() {
  local i

  for i in {1..100}; do
    ip -n h1 address add "10.0.9.$i/32" dev eth0
  done
  ip -n h route add 10.0.9.0/24 via 10.0.0.11 dev "$(ip -n h -o route get 10.0.0.11 | grep -o 'dev [^ ]*' | cut -d' ' -f2)" onlink
  sed 's/listen 9080/listen 9081/; s/listen \[::\]:9080/listen [::]:9081/; s/return 200.*/return 503;/; s/h1\.\(pid\|body\|proxy\|fastcgi\|uwsgi\|scgi\)/h1f.\1/' \
    "$SANDBOX/web/h1.conf" >"$SANDBOX/web/failing.conf"
  serve h1 nginx -e stderr -c "$SANDBOX/web/failing.conf"
  wait_listen h1 9081
}

# ejection_figures NAME TITLE COUNT_BEFORE
ejection_figures() {
  local part

  for part in p50 p99; do
    figure "$1.${part}_us" us lower "$2, $part" least
    sample "$1.${part}_us" meridian 0 "$(ctl h -o json status | jq ".agent.ejection_latency_us.$part")"
  done
  goal "$1.p99_us" meridian at_most 1000
  figure "$1.count" ejections higher "$2, how many"
  sample "$1.count" meridian 0 $(($(ejections_so_far) - $3))
}

# least_figures NAME: of what the figures of that name are compared with.
least_figures() {
  local part

  for part in 50 99; do
    sample "$1.p${part}_us" least 0 \
      "$(jq -s --argjson part "$part" 'sort | .[(length * $part / 100 | ceil) - 1]' "$SANDBOX/least")"
  done
  sample "$1.count" least 0 "$(wc -l <"$SANDBOX/least")"
}

ejections_so_far() { ctl h -o json status | jq .agent.ejection_latency_us.count; }

# other_load SECONDS: on the service that does not fail, in the background.
other_load() {
  run_in client wrk -t1 -c4 "-d$1s" "http://$VIP/" >/dev/null &
}

# least_round: a hundred errors of the pod's own address, which Meridian does not look at.
least_round() {
  local wake

  "$SANDBOX_OUT/bench/wake" "$SANDBOX_OUT/../bpf/bench/wake.bpf.o" "$(cgroup_of client)" >"$SANDBOX/wake" &
  wake=$!
  wait_for 5 grep -q ready "$SANDBOX/wake"
  run_in client "$PEER" get 10.0.9.1 9081 100 5 >/dev/null
  kill "$wake"
  wait "$wake"
  grep -v ready "$SANDBOX/wake" >>"$SANDBOX/least"
}

# A few milliseconds apart, again and again.
one_after_the_other() {
  local addresses=() i load

  for i in {1..100}; do
    addresses+=("10.0.9.$i")
  done
  svc ack-hangzhou failing 172.16.0.30 80
  eps ack-shanghai failing 10.1.0.11
  TARGET_PORT=9081 slice ack-hangzhou default failing IPv4 "${addresses[@]}"
  failover_policy failing "{ consecutive5xxErrors: 1, interval: 500ms, baseEjectionTime: 100ms }"
  wait_for 5 agent_said h 'service=default/failing.*mode=failover'
  other_load $((rounds * 3))
  load=$!
  for ((i = 0; i < rounds; i++)); do
    run_in client "$PEER" get 172.16.0.30 80 100 5 >/dev/null
    least_round
    sleep 0.6
  done
  wait "$load"
  ejection_figures ejection.apart "Failing endpoints, 5 ms apart: seen to not picked" 0
  least_figures ejection.apart
  rm "$SANDBOX"/state/*/*-default-failing*.yaml "$SANDBOX/policy/failing.yaml"
}

# A hundred services whose only endpoint at home fails, all within the same few milliseconds: connections
# to all are open before the first request is sent.
at_once() {
  local i before load

  for i in {1..100}; do
    svc ack-hangzhou "burst-$i" "172.16.1.$i" 80
    eps ack-shanghai "burst-$i" 10.1.0.11
    TARGET_PORT=9081 slice ack-hangzhou default "burst-$i" IPv4 "10.0.9.$i"
    failover_policy "burst-$i" "{ consecutive5xxErrors: 1, interval: 500ms, baseEjectionTime: 100ms }"
  done
  wait_for 10 burst_is_planned
  before=$(ejections_so_far)
  other_load $((rounds * 2))
  load=$!
  for ((i = 0; i < rounds; i++)); do
    run_in client "$PEER" burst 172.16.1.1 80 100 >/dev/null
    sleep 1.5
  done
  wait "$load"
  ejection_figures ejection.at_once "A hundred failing services at once: seen to not picked" "$before"
}

burst_is_planned() {
  ctl h -o json services | jq -e '[.services[]
    | select((.service | startswith("default/burst-")) and .mode == "failover")] | length == 100' >/dev/null
}

bench_begin
bench_world
failing_backend
about meridian "the agent, from the event's time in the kernel to the row that is written"
about least "the least: a real-time task that is woken by such an event and writes one row, without Meridian"
one_after_the_other
at_once
bench_end
