#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# An instance that answers 503 is ejected after one answer, returns after its time, and stays away longer the next time.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/03-ejection-and-return
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews "{ consecutive5xxErrors: 1, interval: 500ms, baseEjectionTime: 1s }"
agent_start h

# away: how long h1 is ejected, in ms, from one bad answer to its return
away() {
  local start

  unfail h1
  wait_for 10 is_health h 10.0.0.11 ACTIVE
  fail h1
  run_in client "$PEER" get "$VIP" 80 4 20 >/dev/null
  start=$(now_ms)
  wait_for 2 is_health h 10.0.0.11 EJECTED
  unfail h1
  wait_for 10 is_health h 10.0.0.11 ACTIVE
  echo $(($(now_ms) - start))
}

fail h1
bad_answer() { [[ $(run_in client "$PEER" get "$VIP" 80 1) == "status 503" ]]; }
expect_ok "a bad answer" wait_for 5 bad_answer
expect_ok "the kernel says so" wait_for 2 is_health h 10.0.0.11 EJECTED
expect_eq "one was enough" 1 "$(stat_of h 10.0.0.11 '.responses[4]')"
expect_eq "nothing is picked there" "" "$(hits client $VIP 80 50 | grep -o 'h1=.*\|status.*' || true)"
unfail h1
wait_for 10 is_health h 10.0.0.11 ACTIVE
expect_match "it is back" "h1=" "$(hits client $VIP 80 20)"
second=$(away)
third=$(away)
# At least base × n, since it returns at a sweep; later only by the machine's own slowness.
expect_between "second time: 2 s" 1700 30000 "$second"
expect_between "third time: 3 s, or 2 s if a healthy sweep has passed" 1700 30000 "$third"
expect_match "Envoy's event line" '"action":"EJECT"' "$(cat "$(agent_log_of h)")"
expect_match "and its return" '"action":"UNEJECT"' "$(cat "$(agent_log_of h)")"
sandbox_end
