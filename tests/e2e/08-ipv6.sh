#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# IPv6 services, and an IPv4 service reached through an IPv6 socket.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/08-ipv6
two_regions
web h1 s1
serve h2 "$PEER" udp-echo fd00:a0::12 5353 h2
wait_for 5 grep -q ready "$SANDBOX/log/h2"
svc ack-hangzhou reviews "$VIP,$VIP6" 80
eps ack-hangzhou reviews 10.0.0.11 fd00:a0::11
eps ack-shanghai reviews 10.1.0.11 fd00:a1::11
PORT_NAME=dns PROTOCOL=UDP svc ack-hangzhou dns fd00:172::53 53
PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353 eps ack-hangzhou dns fd00:a0::12
agent_start h

expect_eq "IPv6" "h1=10 s1=10" "$(hits client $VIP6 80 20)"
expect_eq "IPv4" "h1=10 s1=10" "$(hits client $VIP 80 20)"
expect_eq "IPv4-mapped" "h1=10 s1=10" "$(hits client ::ffff:$VIP 80 20)"
expect_match "IPv6: the peer's name" "^connected $VIP6 80 " "$(run_in client "$PEER" connect $VIP6 80)"
expect_match "IPv4-mapped: the peer's name" "^connected ::ffff:$VIP 80 " \
  "$(run_in client "$PEER" connect ::ffff:$VIP 80)"
expect_eq "UDP over IPv6" "h2 from fd00:172::53 53" "$(run_in client "$PEER" udp unconnected 1 fd00:172::53 53)"
serve h1 "$PEER" udp-echo 10.0.0.11 5353 h1
PORT_NAME=dns PROTOCOL=UDP svc ack-hangzhou dns4 172.16.0.53 53
PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353 eps ack-hangzhou dns4 10.0.0.11
wait_for 5 grep -q ready "$SANDBOX/log/h1"
wait_for 5 agent_said h 'default/dns4.*cn-hangzhou 100%'
for how in unconnected connected; do
  expect_match "UDP to an IPv4-mapped VIP, $how" 'h1 from ::ffff:172.16.0.53 53' \
    "$(run_in client "$PEER" udp $how 1 ::ffff:172.16.0.53 53)"
done
eps ack-hangzhou reviews 10.0.0.11
rm "$SANDBOX/state/ack-hangzhou/slice-default-reviews-ipv6.yaml"
wait_for 5 sees "s1=10" client $VIP6 80 10
expect_eq "families are apart" "h1=10 s1=10" "$(hits client $VIP 80 20)"
sandbox_end
