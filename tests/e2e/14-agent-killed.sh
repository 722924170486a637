#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The agent is killed with -9 and started again under traffic: no failed request, the maps adopted.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/14-agent-killed
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews
agent_start h
serve client "$PEER" hold $VIP 80 60
wait_for 5 grep -q held "$SANDBOX/log/client"

(run_in client "$PEER" get $VIP 80 120 50 >"$SANDBOX/polled") &
poll=$!
for _ in 1 2 3; do
  sleep 0.5
  agent_kill h
  expect_fail "it is dead" agent_running h
  sleep 0.3
  agent_start h
  expect_match "the maps were adopted" 'adopt' "$(cat "$(agent_log_of h)")"
done
expect_between "the connection that is open all the time is still known" 1 2 \
  "$(ctl h -o json endpoints | jq '[.endpoints[].open] | add')"
# The last generation of programs still learns: a change goes through.
eps ack-hangzhou reviews
wait "$poll"
expect_eq "every request was answered" 120 "$(grep -c '^[hs][12]$' "$SANDBOX/polled")"
expect_ok "and the new agent writes plans" wait_for 5 sees "s1=5" client $VIP 80 5

# Killed while it starts, at any moment: the next one still comes up.
for delay in 0.01 0.02 0.04 0.08 0.12 0.16 0.2 0.3; do
  agent_kill h
  agent_launch h
  sleep $delay
  expect_eq "traffic in the middle of a start" "s1=3" "$(hits client $VIP 80 3)"
done
agent_kill h
agent_start h
expect_eq "and in the end" "s1=10" "$(hits client $VIP 80 10)"
sandbox_end
