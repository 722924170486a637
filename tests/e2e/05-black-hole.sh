#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# An endpoint that does not answer at all is ejected once a client gave up waiting.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/05-black-hole
two_regions
web h1 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews
agent_start h "kernel.interfaces: none" # nothing is rescued

expect_eq "before" "h1=10" "$(hits client $VIP 80 10)"
blackhole h1
expect_fail "the first client waits in vain" \
  run_in client curl -s -o "$SANDBOX/body" --connect-timeout 2 "http://$VIP/"
wait_for 3 is_health h 10.0.0.11 EJECTED
expect_eq "counted as unanswered" 1 "$(reason h HANDSHAKE_TIMEOUT)"
expect_eq "afterwards nobody waits" "s1=20" "$(hits client $VIP 80 20)"

# A client that gives up before the first retransmission says nothing about the endpoint.
ctl h detach >/dev/null
wait_for 5 sandbox_gone "${AGENT_PID[h]}"
agent_start h "kernel.interfaces: none" # nothing is rescued
run_in client curl -s -o "$SANDBOX/body" --connect-timeout 0.2 "http://$VIP/" || true
abandoned() { (($(reason h HANDSHAKE_ABANDONED) == 1)); }
expect_ok "it is counted" wait_for 3 abandoned
expect_eq "still active" ACTIVE "$(health h 10.0.0.11)"
sandbox_end
