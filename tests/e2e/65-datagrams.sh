#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# An endpoint whose port is closed costs a datagram, not the conversation: the next one goes to another endpoint, of
# connected sockets, of others, and of clients that no hook sees. Once a reply has come, errors are the application's.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/65-datagrams
two_regions
export PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353
for family in 4 6; do
  address=$VIP pods=(10.0.0.11 10.0.0.12 10.1.0.11)
  [[ $family == 4 ]] || address=$VIP6 pods=(fd00:a0::11 fd00:a0::12 fd00:a1::11)
  svc ack-hangzhou "dns$family" "$address" 53
  eps ack-hangzhou "dns$family" "${pods[0]}" "${pods[1]}"
  eps ack-shanghai "dns$family" "${pods[2]}"
  failover_policy "dns$family" "{ consecutive5xxErrors: 0, consecutiveGatewayErrors: 0, interval: 1h }"
  serve s1 "$PEER" udp-echo "${pods[2]}" 5353 s1
done
agent_start h
wait_for 10 serves h 3
# Errors are answered at once, and not as few a second as a kernel sends otherwise.
for pod in h1 h2 s1; do
  nsenter --net="/run/netns/$pod" sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
done

ask() { run_in client "$PEER" udp-ask "$1" "$2" "$3" 53 "${@:4}"; }
outside_ask() { outside client "$PEER" udp-ask "$@" 53; }
# echo_for POD ADDRESS COUNT: answers that many datagrams, then the port is closed.
echo_for() {
  serve "$1" "$PEER" udp-echo "$2" 5353 "$1" "$3"
  wait_for 5 listens "$1"
}
listens() { nsenter --net="/run/netns/$1" ss -Hlun 'sport = 5353' | grep -q .; }
moved() { reason h RESCUE_UNREACHABLE; }

for address in $VIP $VIP6; do
  for kind in connected unconnected; do
    was=$(moved)
    expect_eq "$kind, to $address" "s1 from $address 53" "$(ask $kind 1 "$address")"
    expect_between "moved, from one endpoint to the next" 1 2 $(($(moved) - was))
    expect_eq "and stays" "s1 from $address 53 3" "$(ask $kind 3 "$address" | uniq -c | awk '{ print $2, $3, $4, $5, $1 }')"
  done
  was=$(moved)
  expect_eq "a client that no hook sees, to $address" "s1 from $address 53" "$(outside_ask connected 1 "$address")"
  expect_between "moved" 1 2 $(($(moved) - was))
done
for pod in 10.0.0.11 10.1.0.11; do
  expect_eq "sockets that are gone are not open: $pod" 0 "$(stat_of h $pod .open)"
done
expect_between "each is a failure of the endpoint that was left" 1 100 "$(stat_of h 10.0.0.11 .run)"

# A socket outlives the rows of its flow: what it sends then is a new one.
go_on() {
  wait_for 10 grep -q s1 "$SANDBOX/asked"
  while read -ra row; do
    bpftool map delete pinned "$(bpffs_of h)/mrd_flow" key hex "${row[@]}"
  done < <(bpftool -j map dump pinned "$(bpffs_of h)/mrd_flow" | jq -r '.[].key | map(ltrimstr("0x")) | join(" ")')
  touch "$SANDBOX/go-on"
}
go_on &
ask connected 2 $VIP 0 "$SANDBOX/go-on" >"$SANDBOX/asked"
wait $!
expect_eq "rows that were swept" "s1 from $VIP 53 s1 from $VIP 53" "$(paste -sd' ' "$SANDBOX/asked")"

# The client's port is used again, for a pod itself.
expect_eq "from a port of its own" "s1 from $VIP 53" "$(ask connected 1 $VIP 7777)"
for pod in h1:10.0.0.11 h2:10.0.0.12; do
  echo_for "${pod%:*}" "${pod#*:}" 1
  expect_eq "the same port to ${pod%:*}" "${pod%:*} from ${pod#*:} 5353" \
    "$(run_in client "$PEER" udp-ask connected 1 "${pod#*:}" 5353 7777)"
done

# A reply has come: then the error is the application's, and sockets that are not connected hear of none.
eps ack-hangzhou dns4 10.0.0.11
eps ack-hangzhou dns6 fd00:a0::11
one_left() { [[ $(ctl h -o json endpoints | jq '[.endpoints[] | select(.region == "cn-hangzhou")] | length') == 2 ]]; }
expect_ok "one endpoint in the region" wait_for 10 one_left
for address in $VIP $VIP6; do
  pod=10.0.0.11
  [[ $address == "$VIP" ]] || pod=fd00:a0::11
  was=$(moved)
  echo_for h1 $pod 1
  expect_eq "answered, then closed: connected, to $address" "h1 from $address 53 ECONNREFUSED" \
    "$(ask connected 2 "$address" | paste -sd' ')"
  echo_for h1 $pod 1
  expect_eq "likewise unconnected" "h1 from $address 53 none" "$(ask unconnected 2 "$address" | paste -sd' ')"
  echo_for h1 $pod 1
  expect_eq "likewise without hooks" "h1 from $address 53 ECONNREFUSED" \
    "$(outside_ask connected 2 "$address" | paste -sd' ')"
  expect_eq "nothing was moved" 0 $(($(moved) - was))
done
sandbox_end
