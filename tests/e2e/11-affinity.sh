#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# sessionAffinity ClientIP: a client pod keeps its endpoint while that is usable.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/11-affinity
two_regions
pod h other 10.0.0.3
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80 "sessionAffinity: ClientIP" "sessionAffinityConfig: {clientIP: {timeoutSeconds: 2}}"
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
eps ack-shanghai reviews 10.1.0.11
agent_start h

seen=$(hits client $VIP 80 30)
expect_match "one endpoint for one client" '^[hs][12]=30$' "$seen"
mine=${seen%%=*}
seen=$(hits other $VIP 80 30)
expect_match "another client" '^[hs][12]=30$' "$seen"
expect_eq "has another one" 1 "$([[ ${seen%%=*} != "$mine" ]] && echo 1)"

sleep 1.2
expect_match "kept within the time" "^$mine=" "$(hits client $VIP 80 3)"
sleep 1.2
expect_match "each use renews it" "^$mine=" "$(hits client $VIP 80 3)"

declare -A address=([h1]=10.0.0.11 [h2]=10.0.0.12 [s1]=10.1.0.11)
case $mine in
s1) eps ack-shanghai reviews 10.1.0.11=unready ;;
h1) eps ack-hangzhou reviews 10.0.0.11=unready 10.0.0.12 ;;
h2) eps ack-hangzhou reviews 10.0.0.11 10.0.0.12=unready ;;
esac
wait_for 5 is_health h "${address[$mine]}" UNREADY
seen=$(hits client $VIP 80 10)
expect_match "unusable: another one, and again only one" '^[hs][12]=10$' "$seen"
expect_eq "not the old one" 1 "$([[ ${seen%%=*} != "$mine" ]] && echo 1)"

next=${seen%%=*}
sleep 2.5
changed=0
for _ in 1 2 3 4; do
  sleep 2.2
  seen=$(hits client $VIP 80 1)
  [[ ${seen%%=*} == "$next" ]] || changed=1
done
expect_eq "after the time a new choice is made" 1 "$changed"

# All of them terminate, and are used for want of others: no reason to change.
eps ack-shanghai reviews
eps ack-hangzhou reviews 10.0.0.11=draining 10.0.0.12=draining
wait_for 5 is_health h 10.0.0.11 DRAINING
wait_for 5 is_health h 10.0.0.12 DRAINING
for see in hits outside_hits; do
  expect_match "where only those that terminate are left: one endpoint ($see)" '^h[12]=20$' "$($see client $VIP 80 20)"
done

# So it is where one is ejected, and used all the same, as fewer are well than there have to be.
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
failover_policy reviews "{ consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1m, maxEjectionPercent: 100, minHealthPercent: 60 }"
ready() { is_health h 10.0.0.11 ACTIVE && is_health h 10.0.0.12 ACTIVE; }
wait_for 5 ready
mine=$(run_in client curl -s --max-time 2 "http://$VIP/")
fail "$mine"
out() {
  run_in client curl -s -o /dev/null --max-time 2 "http://$VIP/"
  is_health h "${address[$mine]}" EJECTED
}
wait_for 20 out
unfail "$mine"
for see in hits outside_hits; do
  expect_match "an ejected one that is used: one endpoint ($see)" '^h[12]=20$' "$($see client $VIP 80 20)"
done
sandbox_end
