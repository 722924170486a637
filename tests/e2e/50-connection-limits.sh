#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# connectionPool.tcp in the kernel: the connect timeout, the most connections of a service on the node, keep-alive. Those that
# no socket hook sees are among the most connections.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/50-connection-limits
one_region
web h1
nginx=$SERVE_PID
svc ack-hangzhou reviews $VIP,$VIP6 80
eps ack-hangzhou reviews 10.0.0.11 fd00:a0::11
svc ack-hangzhou plain 172.16.0.21 80
eps ack-hangzhou plain 10.0.0.11

# pool TCP: the rule of reviews.
pool() {
  policy reviews <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default, annotations: { meridian.dev/on-eject: "${ON_EJECT:-keep}" } }
spec: { host: reviews, trafficPolicy: { connectionPool: { tcp: $1 } } }
YAML
}

# open FAMILY: connections that the kernel counts for reviews.
open_of() {
  local id

  id=$(bpftool -j map dump pinned "$(bpffs_of h)/mrd_service" | jq -r --arg family "MRD_FAMILY_$1" \
    '[.[].formatted | select(.key.family == $family and .key.addr[0:4] != [172, 16, 0, 21])][0].value.service_id')
  bpftool -j map dump pinned "$(bpffs_of h)/mrd_open" |
    jq -r --argjson id "$id" '.[].formatted | select(.key == $id) | .value.connections'
}
open_is() { [[ $(open_of IPV4) == "$1" ]]; }

try() { run_in client "$PEER" connect "${1:-$VIP}" 80 | awk '{ print $1 }'; }

pool "{ maxConnections: 2, tcpKeepalive: { time: 33s, interval: 7s, probes: 4 }, connectTimeout: 500ms }"
agent_start h

# ------------------------------------------------------------------------------ options
expect_eq "keep-alive as asked; the connect timeout is over" \
  "keepalive 1 idle 33 interval 7 probes 4 user-timeout 0" "$(run_in client "$PEER" options $VIP 80)"
expect_eq "the application's own timeout is back" \
  "keepalive 1 idle 33 interval 7 probes 4 user-timeout 4321" "$(run_in client "$PEER" options $VIP6 80 4321)"
default=$(run_in client "$PEER" options 10.0.0.11 9080)
expect_eq "a service that does not ask has the kernel's" "$default" "$(run_in client "$PEER" options 172.16.0.21 80)"

# ------------------------------------------------------------------------------ the most connections
wait_for 5 open_is 0
serve client "$PEER" hold $VIP 80 60
first=$SERVE_PID
serve client "$PEER" hold $VIP 80 60
second=$SERVE_PID
wait_for 5 open_is 2
expect_eq "one more" ECONNREFUSED "$(try)"
expect_eq "is counted" 1 "$(reason h REFUSE_LIMIT)"
expect_eq "other services go on" connected "$(try 172.16.0.21)"
expect_eq "IPv6 is the same service" ECONNREFUSED "$(try $VIP6)"
expect_eq "what was refused took no place" "2 0" "$(open_of IPV4) $(open_of IPV6)"

agent_kill h
agent_start h
expect_eq "a new agent knows of them" ECONNREFUSED "$(try)"
pool "{ maxConnections: 3, connectTimeout: 500ms }"
fits() { [[ $(try) == connected ]]; }
expect_ok "a limit that is raised" wait_for 5 fits
pool "{ connectTimeout: 500ms }"
no_limit() { map_dump h mrd_setting | grep -q '"max_connections": 0'; }
wait_for 5 no_limit
expect_eq "and taken away" connected "$(try)"
pool "{ maxConnections: 2, connectTimeout: 500ms }"
full() { [[ $(try) == ECONNREFUSED ]]; }
expect_ok "and set again, with the same two open" wait_for 5 full
expect_eq "are counted still" 2 "$(open_of IPV4)"

kill "$first"
wait_for 5 open_is 1
expect_eq "one closes, one fits" connected "$(try)"
serve client "$PEER" hold $VIP6 80 60
third=$SERVE_PID
both() { [[ "$(open_of IPV4) $(open_of IPV6)" == "$1" ]]; }
expect_ok "one of each family" wait_for 5 both "1 1"
expect_eq "one more by IPv4" ECONNREFUSED "$(try)"
expect_eq "and by IPv6" ECONNREFUSED "$(try $VIP6)"
kill "$second"
wait_for 5 both "0 1"
expect_eq "one closes, one fits by the other family" connected "$(try $VIP6)"
kill "$third"
wait_for 5 both "0 0"

# ------------------------------------------------------------------------------ clients that no socket hook sees
# hold_outside POD ADDRESS: a connection of such a client; its pid: $SERVE_PID
hold_outside() {
  mkdir -p "$SANDBOX_CGROUP/outside"
  sandbox_spawn "$SANDBOX_CGROUP/outside" "$SANDBOX/log/hold" nsenter --net="/run/netns/$1" -- "$PEER" hold "$2" 80 60
}
try_outside() { outside client "$PEER" connect "$1" 80 | awk '{ print $1 }'; }

wait_for 10 serves h 3
for family in 4 6; do
  address=$VIP other=$VIP6 first="1 0" second="0 1"
  [[ $family == 4 ]] || address=$VIP6 other=$VIP first="0 1" second="1 0"
  hold_outside client "$address"
  hidden=$SERVE_PID
  expect_ok "IPv$family: a place is taken" wait_for 5 both "$first"
  serve client "$PEER" hold "$other" 80 60
  seen=$SERVE_PID
  expect_ok "IPv$family: the other one by a socket hook" wait_for 5 both "1 1"
  was=$(reason h REFUSE_LIMIT)
  expect_eq "one more that no hook sees" ECONNREFUSED "$(try_outside "$address")"
  expect_eq "by the other family" ECONNREFUSED "$(try_outside "$other")"
  expect_eq "and one that a hook sees" ECONNREFUSED "$(try "$address")"
  expect_eq "all are counted" 3 $(($(reason h REFUSE_LIMIT) - was))
  agent_kill h
  agent_start h
  wait_for 10 serves h 3
  expect_eq "a new agent knows of them" "ECONNREFUSED ECONNREFUSED" "$(try "$address") $(try_outside "$address")"
  kill "$hidden"
  expect_ok "one closes" wait_for 5 both "$second"
  expect_eq "one fits" connected "$(try_outside "$address")"
  expect_ok "and is over" wait_for 5 both "$second"
  kill "$seen"
  wait_for 5 both "0 0"
done

# What the agent removes: connections of a pod that is gone, and those to an endpoint that an ejection resets.
pod h brief 10.0.0.3,fd00:a0::3
wait_for 10 serves h 4
hold_outside brief $VIP
hold_outside brief $VIP6
expect_ok "of a pod" wait_for 5 both "1 1"
ip -n h link delete "veth$((SANDBOX_VETHS - 1))"
expect_ok "that is deleted" wait_for 10 both "0 0"
ON_EJECT=reset pool "{ maxConnections: 2, connectTimeout: 500ms }"
resets() { map_dump h mrd_setting | grep -q MRD_EJECT_RESET; }
wait_for 5 resets
hold_outside client $VIP
hold_outside client $VIP6
expect_ok "to an endpoint" wait_for 5 both "1 1"
eps ack-hangzhou reviews 10.0.0.11=draining fd00:a0::11=draining
expect_ok "that is reset" wait_for 5 both "0 0"
eps ack-hangzhou reviews 10.0.0.11 fd00:a0::11
fits_outside() { [[ $(try_outside "$VIP") == connected ]]; }
expect_ok "and is back" wait_for 5 fits_outside

# ------------------------------------------------------------------------------ no place is lost
wait_for 5 both "0 0"
stop "$nginx" || true
for _ in 1 2 3 4; do
  expect_eq "the endpoint refuses, not the limit" ECONNREFUSED "$(try)"
  expect_eq "likewise where no hook sees it" ECONNREFUSED "$(try_outside $VIP)"
done
expect_eq "refused: nothing is open" 0 "$(open_of IPV4)"
web h1
blackhole h1
for _ in 1 2 3 4; do
  run_in client curl -s -o "$SANDBOX/body" --connect-timeout 0.1 "http://$VIP/" || true
done
expect_eq "given up: nothing is open" 0 "$(open_of IPV4)"

# ------------------------------------------------------------------------------ the connect timeout
# Five, of which the quickest counts: a busy machine may be late, but nothing may be early.
# told VIP LEAST MOST: five connects to it end in this time, in ms.
told() {
  local took

  took=$(for _ in 1 2 3 4 5; do run_in client "$PEER" connect "$1" 80 || true; done)
  expect_eq "$1: each is told in so many words" "5 ETIMEDOUT" "$(awk '{ print $1 }' <<<"$took" | sort | uniq -c | sed 's/^ *//')"
  expect_between "$1: in its time" "$2" "$3" "$(awk '{ print $3 }' <<<"$took" | sort -n | head -n 1)"
}
told $VIP 450 550
told $VIP6 450 550
pool "{ connectTimeout: 50ms }"
setting_is() { map_dump h mrd_setting | grep -q "\"connect_timeout_ms\": $1"; }
wait_for 5 setting_is 50
told $VIP 45 55
told $VIP6 45 55
pool "{ connectTimeout: 2500ms }"
wait_for 5 setting_is 2500
took=$(run_in client "$PEER" connect $VIP 80 || true)
expect_match "one beyond the kernel's first timer" '^ETIMEDOUT' "$took"
expect_between "in its time, too" 2250 4900 "$(awk '{ print $3 }' <<<"$took")"
expect_eq "timed out: nothing is open" 0 "$(open_of IPV4)"
sandbox_end
