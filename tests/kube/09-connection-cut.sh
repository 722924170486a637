#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The connection is cut in the middle: of a long list, of a stream of changes. What is half is thrown
# away, the plan neither empties nor shrinks, and in the end nothing is missing. Each cut makes the agent
# wait longer before it tries again, as client-go does: up to a minute.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/09-connection-cut
DELAY_MS=50 two_clusters
reviews_applied
many ack-shanghai 3000
in_the_middle() { (($(received ack-shanghai) > $1)); }

# At start: twice in the middle of the first list.
agent_launch h
for ((round = 0; round < 2; round++)); do
  expect_ok "round $round: in the middle of a list" wait_for 20 in_the_middle 60000
  cut_off ack-shanghai
done
expect_ok "ready" wait_for 30 agent_said h '(^|[ ="])ready([ "]|$)'
expect_ok "read as a whole" wait_for "$AGAIN_S" planned 10.0.0.11 10.0.0.12 10.1.0.11
all_slices() { [[ $(told ack-shanghai .slices) -ge 3001 ]]; }
expect_ok "every slice of it" wait_for "$SOON_S" all_slices

# While it runs: its version is forgotten, so the list comes anew, and is cut.
poll_start
eps ack-hangzhou reviews
wait_for "$SOON_S" sees "s1=10" client $VIP 80 10
silence ack-shanghai
touch_slice ack-shanghai 0
etcd_compact ack-shanghai
server_kill ack-shanghai
server_start ack-shanghai
unsilence ack-shanghai
expect_ok "in the middle of the next list" wait_for "$AGAIN_S" in_the_middle 60000
cut_off ack-shanghai
expect_eq "half a list takes nothing away" "s1=10" "$(hits client $VIP 80 10)"
expect_ok "well in the end" wait_for "$AGAIN_S" is_well ack-shanghai
expect_ok "with every slice" all_slices

# In a stream of changes.
(for ((i = 0; i < 60; i++)); do
  touch_slice ack-shanghai "$((i % 2))"
done) &
changes=$!
for ((round = 0; round < 2; round++)); do
  sleep 1
  cut_off ack-shanghai
done
wait $changes
poll_stop "while connections were cut" 100
eps ack-shanghai reviews 10.1.0.12 # no such pod
expect_ok "the last change holds" wait_for "$AGAIN_S" planned 10.1.0.12
eps ack-shanghai reviews 10.1.0.11
wait_for "$SOON_S" planned 10.1.0.11
expect_ok "the agent lives" agent_running h
sandbox_end
