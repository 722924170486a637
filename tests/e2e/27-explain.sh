#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# An agent says why its traffic goes where it goes: the rule, who is ejected and for how long, and the same for a pod
# elsewhere.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/27-explain
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews "{ consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1m }"
agent_start h

first_of() { jq -r '.ports[0].hops[0] | .region + " " + (.share | tostring)'; }

expect_eq "everything is well" "cn-hangzhou 1" "$(ctl h -o json explain default/reviews | first_of)"
expect_match "what would change it" "if 1 more endpoint of cn-hangzhou fails .*: cn-hangzhou 70%, cn-shanghai 30%" \
  "$(ctl h explain default/reviews:80)"
fail h1
bad_answer() { [[ $(run_in client "$PEER" get "$VIP" 80 1) == "status 503" ]]; }
expect_ok "a bad answer" wait_for 5 bad_answer
expect_ok "is an ejection" wait_for 2 is_health h 10.0.0.11 EJECTED
expect_match "that has its time" "10.0.0.11:9080 ack-hangzhou EJECTED for [0-9]+s more" "$(ctl h explain default/reviews)"
expect_eq "and moves a part" "cn-hangzhou 0.7" "$(ctl h -o json explain default/reviews | first_of)"
expect_eq "a pod of the other region" "cn-shanghai 1" \
  "$(ctl h -o json explain default/reviews --from 10.1.0.11 | first_of)"
expect_match "what holds, written out" "consecutive5xxErrors: 1" "$(ctl h services default/reviews -o yaml)"
expect_match "who is not there" "no such Service" "$(ctl h explain default/nobody 2>&1 || true)"
sandbox_end
