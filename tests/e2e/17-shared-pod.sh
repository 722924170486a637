#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Two services share a pod: each judges it alone. Services change hands without a gap.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/17-shared-pod
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
eps ack-shanghai reviews 10.1.0.11
svc ack-hangzhou ratings 172.16.0.21 80
eps ack-hangzhou ratings 10.0.0.11 10.0.0.12
failover_policy reviews
agent_start h
fail h1
hits client $VIP 80 10 >/dev/null
expect_ok "ejected in one, active in the other" wait_for 3 is_health h 10.0.0.11 "ACTIVE EJECTED"
unfail h1
expect_eq "the other service still uses it" "h1=5 h2=5" "$(hits client 172.16.0.21 80 10)"
expect_eq "this one does not" "" "$(hits client $VIP 80 20 | grep -o h1 || true)"

# The address moves from one service to another in one step, under traffic.
(run_in client "$PEER" get 172.16.0.21 80 300 5 >"$SANDBOX/polled") &
poll=$!
sed -i 's/name: ratings/name: renamed/' "$SANDBOX/state/ack-hangzhou/service-default-ratings.yaml"
eps ack-hangzhou renamed 10.0.0.12
wait_for 5 sees "h2=5" client 172.16.0.21 80 5
wait "$poll"
expect_eq "nobody was refused but for want of endpoints" 300 "$(grep -cE '^(h1|h2|ECONNREFUSED)$' "$SANDBOX/polled")"
sandbox_end
