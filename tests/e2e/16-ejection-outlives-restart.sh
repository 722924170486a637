#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# An ejection outlives a restart of the agent, with the time that remains.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/16-ejection-outlives-restart
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews "{ consecutive5xxErrors: 1, interval: 200ms, baseEjectionTime: 8s }"
agent_start h
fail h1
hits client $VIP 80 10 >/dev/null
wait_for 2 is_health h 10.0.0.11 EJECTED
start=$(now_ms)
unfail h1
agent_kill h
sleep 1
expect_eq "nobody forgets it meanwhile" "" "$(hits client $VIP 80 20 | grep -o h1 || true)"
agent_start h
expect_eq "still ejected" EJECTED "$(health h 10.0.0.11)"
expect_eq "still not picked" "" "$(hits client $VIP 80 20 | grep -o h1 || true)"
wait_for 15 is_health h 10.0.0.11 ACTIVE
expect_between "back when its time is over, not a whole time later" 7500 15500 $(($(now_ms) - start))
expect_match "picked again" "h1=" "$(hits client $VIP 80 20)"
sandbox_end
