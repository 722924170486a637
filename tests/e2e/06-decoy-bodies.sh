#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Keep-alive traffic whose bodies look like status lines: every response counted once, none as an error.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/06-decoy-bodies
one_region
serve h1 "$PEER" decoy-server 10.0.0.11 9080
wait_listen h1 9080
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
failover_policy reviews
agent_start h

said=$(run_in client "$PEER" decoys $VIP 80 20)
expect_match "all exchanges were whole" '^ok ' "$said"
expect_eq "status lines counted" "${said#ok }" "$(stat_of h 10.0.0.11 '.responses | add')"
expect_eq "no 5xx among them" 0 "$(stat_of h 10.0.0.11 '.responses[4]')"
expect_eq "interim ones" 80 "$(stat_of h 10.0.0.11 '.responses[0]')"
expect_eq "no false ejection" ACTIVE "$(health h 10.0.0.11)"

# A connection that was not rewritten leaves no trace.
run_in client "$PEER" decoys 10.0.0.11 9080 1 >/dev/null
expect_eq "direct traffic is not ours" "${said#ok }" "$(stat_of h 10.0.0.11 '.responses | add')"
sandbox_end
