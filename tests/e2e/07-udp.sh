#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# UDP, connected and not: the reply comes from the VIP, a conversation keeps its endpoint.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/07-udp
two_regions
serve h1 "$PEER" udp-echo 10.0.0.11 5353 h1
serve h2 "$PEER" udp-echo 10.0.0.12 5353 h2
wait_for 5 grep -q ready "$SANDBOX/log/h1"
wait_for 5 grep -q ready "$SANDBOX/log/h2"
export PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353
svc ack-hangzhou dns $VIP 53
eps ack-hangzhou dns 10.0.0.11 10.0.0.12
svc ack-hangzhou dns2 172.16.0.21 53
eps ack-hangzhou dns2 10.0.0.12
agent_start h

seen=$(run_in client "$PEER" udp unconnected 4 $VIP 53)
expect_eq "unconnected: every reply from the VIP" 4 "$(grep -c "from $VIP 53\$" <<<"$seen")"
expect_eq "one conversation, one endpoint" 1 "$(sort -u <<<"$seen" | wc -l)"
first=${seen:0:2}
seen=$(run_in client "$PEER" udp unconnected 1 $VIP 53)
expect_eq "the next conversation takes its turn" 1 "$([[ ${seen:0:2} != "$first" ]] && echo 1)"

seen=$(run_in client "$PEER" udp unconnected 6 $VIP 53 172.16.0.21 53)
expect_eq "two services on one socket: the first" 3 "$(grep -c "from $VIP 53\$" <<<"$seen")"
expect_eq "two services on one socket: the second" 3 "$(grep -c "^h2 from 172.16.0.21 53\$" <<<"$seen")"

seen=$(run_in client "$PEER" udp connected 3 $VIP 53)
expect_match "connected: the peer's name is the VIP" "peer $VIP 53" "$seen"
expect_eq "connected: replies from the VIP" 3 "$(grep -c "from $VIP 53\$" <<<"$seen")"
seen=$(run_in client "$PEER" udp named 4 $VIP 53 | tail -n +2)
expect_eq "connected, and naming the VIP all the same" 4 "$(grep -c "from $VIP 53\$" <<<"$seen")"
expect_eq "sockets that are gone are not open" 0 "$(($(stat_of h 10.0.0.11 .open) + $(stat_of h 10.0.0.12 .open)))"

seen=$(run_in client "$PEER" udp unconnected 2 10.0.0.11 5353)
expect_eq "a direct conversation stays direct" 2 "$(grep -c "^h1 from 10.0.0.11 5353\$" <<<"$seen")"

eps ack-hangzhou dns
wait_for 5 sh -c "! bpftool map dump pinned $(bpffs_of h)/mrd_member | grep -q '10,0,0,11'"
expect_eq "no endpoint: refused at once" ECONNREFUSED "$(run_in client "$PEER" udp unconnected 1 $VIP 53)"
sandbox_end
