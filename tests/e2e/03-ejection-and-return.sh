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
failover_policy reviews "{ consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1s }"
agent_start h

# term: for how long h1 is ejected now, in ms, as its row in the kernel says
term() {
  bpftool -j map dump pinned "$(bpffs_of h)/mrd_health" | jq '.[].formatted.value
    | select(.state == "MRD_STATE_EJECTED") | (.ejected_until_ns - .changed_ns) / 1000000 | round'
}

# again: another bad answer, at once after the return
again() {
  wait_for 10 is_health h 10.0.0.11 ACTIVE
  fail h1
  wait_for 5 bad_answer
  wait_for 2 is_health h 10.0.0.11 EJECTED
  unfail h1
  term
}

fail h1
bad_answer() { [[ $(run_in client "$PEER" get "$VIP" 80 1) == "status 503" ]]; }
expect_ok "a bad answer" wait_for 5 bad_answer
expect_ok "the kernel says so" wait_for 2 is_health h 10.0.0.11 EJECTED
expect_eq "one was enough" 1 "$(stat_of h 10.0.0.11 '.responses[4]')"
expect_eq "nothing is picked there" "" "$(hits client $VIP 80 50 | grep -o 'h1=.*\|status.*' || true)"
first=$(term)
unfail h1
# Envoy: base × n. A sweep at which it had been well for an interval takes one off n again, so that
# a slow machine may see the same term twice.
expect_between "first time: 1 s" 999 1001 "$first"
second=$(again)
third=$(again)
expect_between "second time: longer" 1999 2001 "$second"
expect_between "third time: longer still" "$second" 3001 "$third"
wait_for 10 is_health h 10.0.0.11 ACTIVE
expect_match "it is back" "h1=" "$(hits client $VIP 80 20)"
expect_match "Envoy's event line" '"action":"EJECT"' "$(cat "$(agent_log_of h)")"
expect_match "and its return" '"action":"UNEJECT"' "$(cat "$(agent_log_of h)")"
sandbox_end
