#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# An API server is killed in the middle of its watches, and started again: traffic goes on by the last
# plan, what changed meanwhile and afterwards takes effect, and nothing shrinks on the way.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/02-server-restarts
two_clusters
reviews_applied
agent_start h
reviews_planned
expect_ok "both clusters are well" is_well ack-hangzhou
expect_ok "both clusters are well" is_well ack-shanghai

poll_start
server_kill ack-hangzhou
expect_ok "status says that it is gone" wait_for "$SOON_S" complains ack-hangzhou '[Rr]efused|connect|reset|ended|cut'
expect_eq "the other one is not touched" "" "$(told ack-shanghai .error)"
expect_match "the plan stands" '^h1=. h2=.$' "$(hits client $VIP 80 10)"
eps ack-shanghai reviews 10.1.0.12
expect_ok "what the other one says takes effect" wait_for "$SOON_S" planned 10.0.0.11 10.0.0.12 10.1.0.12
eps ack-shanghai reviews 10.1.0.11

# It starts with 503 and Retry-After for a moment, and knows nothing of the watches before.
server_start ack-hangzhou
eps ack-hangzhou reviews 10.0.0.12
expect_ok "it is followed again" wait_for "$AGAIN_S" planned 10.0.0.12 10.1.0.11
expect_ok "and well" wait_for "$AGAIN_S" is_well ack-hangzhou
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
expect_ok "changes come at once" wait_for "$SOON_S" planned 10.0.0.11 10.0.0.12 10.1.0.11

# Killed in the middle of a stream of changes: what it had acknowledged is what holds in the end.
(for ((i = 0; i < 8; i++)); do
  eps ack-hangzhou reviews 10.0.0.11 || break
  eps ack-hangzhou reviews 10.0.0.11 10.0.0.12 || break
done) 2>/dev/null &
changes=$!
sleep 2
server_kill ack-hangzhou
wait $changes || true
server_start ack-hangzhou
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
expect_ok "the end of the stream holds" wait_for "$AGAIN_S" planned 10.0.0.11 10.0.0.12 10.1.0.11

# Away for long, so that each kind waits long by itself: the first that hears of it tells the others.
server_kill ack-hangzhou
for resource in services endpointslices nodes destinationrules; do
  lacking() { [[ $(lacks ack-hangzhou "$resource") ]]; }
  expect_ok "$resource are waited for" wait_for "$SOON_S" lacking
done
sleep 25
server_start ack-hangzhou
one_is_well() { [[ $(told ack-hangzhou '[.resources[] | select(.error == "")] | length') != 0 ]]; }
expect_ok "one of them is followed again" wait_for "$AGAIN_S" one_is_well
expect_ok "then all of them" wait_for "$SOON_S" is_well ack-hangzhou
expect_fail "that it had no roles at first was no error" agent_said h '"may not (list|watch) '
poll_stop "while servers died and came" 100
expect_ok "the agent lives" agent_running h
sandbox_end
