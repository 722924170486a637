#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# One cluster's API is lost and comes back, while the agent runs and before it starts. The other one is
# never delayed; the lost one's endpoints are kept while they answer, and given up first.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/07-cluster-lost
two_clusters
reviews_applied
agent_start h "staleAfter: 5s"
reviews_planned
is_stale() { [[ $(told ack-shanghai .stale) == true ]]; }

server_kill ack-shanghai
expect_ok "status says since when" wait_for "$SOON_S" complains ack-shanghai .
expect_ok "and counts as stale then" wait_for 15 is_stale
expect_eq "the other one, which is as quiet, does not" false "$(told ack-hangzhou .stale)"
expect_match "for so long" '^[1-9][0-9]{3,}$' "$(told ack-shanghai .failing_for_ms)"
expect_match "and of whom" "${KUBE_ADDRESS[ack-shanghai]}" "$(told ack-shanghai .error)"
expect_eq "the home cluster's endpoints" "h1=5 h2=5" "$(hits client $VIP 80 10)"

# Only the lost cluster has endpoints left: they are taken, for they answer.
eps ack-hangzhou reviews
expect_ok "what the other one says comes at once" wait_for "$SOON_S" sees "s1=10" client $VIP 80 10
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
expect_ok "and back" wait_for "$SOON_S" sees "h1=5 h2=5" client $VIP 80 10

# Started without it: the first plan waits for it for ten seconds, and no longer.
agent_stop h || true
start_ms=$(now_ms)
agent_launch h "staleAfter: 5s"
expect_ok "ready without it" wait_for "$AGAIN_S" agent_said h '(^|[ ="])ready([ "]|$)'
expect_between "ms until then" 5000 40000 $(($(now_ms) - start_ms))
expect_eq "by the home cluster" "h1=5 h2=5" "$(hits client $VIP 80 10)"
expect_ok "status names the other one" complains ack-shanghai .

server_start ack-shanghai
expect_ok "it is back" wait_for "$AGAIN_S" planned 10.0.0.11 10.0.0.12 10.1.0.11
expect_ok "and well" wait_for "$AGAIN_S" is_well ack-shanghai
eps ack-hangzhou reviews
expect_ok "its endpoints take over" wait_for "$SOON_S" sees "s1=10" client $VIP 80 10
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
wait_for "$SOON_S" sees "h1=5 h2=5" client $VIP 80 10

# The home cluster, which the agent waits for longer: what the kernel holds goes on.
server_kill ack-hangzhou
agent_kill h
agent_launch h
sleep 3
expect_eq "a start without the home cluster" "h1=5 h2=5" "$(hits client $VIP 80 10)"
server_start ack-hangzhou
expect_ok "ready when it is there" wait_for "$AGAIN_S" agent_said h '(^|[ ="])ready([ "]|$)'
expect_ok "with all of it" wait_for 15 planned 10.0.0.11 10.0.0.12 10.1.0.11
sandbox_end
