#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The version from which the agent would go on is forgotten: 410 Gone as a watch event. A new list, whose
# objects that are gone go when it is complete, and not before.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/03-compaction
two_clusters
reviews_applied
svc ack-hangzhou ratings 172.16.0.40 80
eps ack-hangzhou ratings 10.0.0.12
agent_start h
reviews_planned
asks_ratings() { [[ $(hits client 172.16.0.40 80 2) == h2=2 ]]; }
expect_ok "a second service" wait_for "$SOON_S" asks_ratings

poll_start
silence ack-hangzhou
eps ack-hangzhou reviews 10.0.0.11
kube ack-hangzhou delete service/ratings endpointslice/ratings-ipv4 >/dev/null
svc ack-hangzhou details 172.16.0.10 80
eps ack-hangzhou details 10.0.0.11
etcd_compact ack-hangzhou
server_kill ack-hangzhou
server_start ack-hangzhou
expect_match "meanwhile the plan stands" '^h1=. h2=.$' "$(hits client $VIP 80 10)"
unsilence ack-hangzhou
expect_ok "a new list" wait_for "$AGAIN_S" planned 10.0.0.11 10.1.0.11
gone() { [[ $(ctl h services) != *default/ratings* ]]; }
expect_ok "what is gone goes" wait_for "$AGAIN_S" gone
asks_details() { [[ $(hits client 172.16.0.10 80 2) == h1=2 ]]; }
expect_ok "what is new comes" wait_for "$AGAIN_S" asks_details
expect_ok "and all is well" wait_for "$AGAIN_S" is_well ack-hangzhou
poll_stop "while the server forgot" 100

# A server that forgets all the time, and keeps no versions in memory.
server_kill ack-hangzhou
server_start ack-hangzhou --watch-cache=false --etcd-compaction-interval=4s
poll_start
for ((round = 0; round < 4; round++)); do
  eps ack-hangzhou reviews 10.0.0.12
  expect_ok "round $round, changed" wait_for "$AGAIN_S" planned 10.0.0.12 10.1.0.11
  sleep 3
  eps ack-hangzhou reviews 10.0.0.11
  expect_ok "round $round, and back" wait_for "$AGAIN_S" planned 10.0.0.11 10.1.0.11
done
poll_stop "while the server forgot again and again" 100
sandbox_end
