#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Answers to clients that no socket hook sees are read at TC: one 503 ejects, bodies that look like status lines do not,
# through the host's stack and past it. What a socket's probe reads is not read twice.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/47-tc-answers
one_region
web h1 h2
for family in 4 6; do
  address=$VIP pods=(10.0.0.11 10.0.0.12)
  [[ $family == 4 ]] || address=$VIP6 pods=(fd00:a0::11 fd00:a0::12)
  svc ack-hangzhou "reviews$family" "$address" 80
  eps ack-hangzhou "reviews$family" "${pods[@]}"
  failover_policy "reviews$family"
done
svc ack-hangzhou decoys 172.16.0.21,fd00:172::21 80
TARGET_PORT=9081 eps ack-hangzhou decoys 10.0.0.12 fd00:a0::12
failover_policy decoys
serve h2 "$PEER" decoy-server 10.0.0.12 9081
serve h2 "$PEER" decoy-server fd00:a0::12 9081
wait_listen h2 9081
svc ack-hangzhou plain 172.16.0.22 80
eps ack-hangzhou plain 10.0.0.12

# answers NAME CLASS: responses of that class (1xx to 5xx) that were counted, of a service's endpoints of both families.
answers() {
  ctl h -o json endpoints "default/$1" | jq --arg class "$2" '[.endpoints[].responses[$class]] | add'
}
# ejected NAME: its endpoints that are.
ejected() {
  ctl h -o json endpoints "default/$1" | jq -r '[.endpoints[] | select(.state == "EJECTED").address] | join(" ")'
}
is_ejected() { [[ $(ejected "$1") == "$2" ]]; }
begin() { # begin SETTING…: an agent that serves the pods' interfaces
  agent_start h "$@"
  expect_ok "the pods' interfaces are served" wait_for 10 serves h 3
}
end() {
  ctl h detach >/dev/null
  wait_for 10 sandbox_gone "${AGENT_PID[h]}"
}

for fast in false true; do
  begin "kernel.fastForward: $fast"
  for family in 4 6; do
    address=$VIP pod=10.0.0.11:9080 decoys=172.16.0.21
    [[ $family == 4 ]] || address=$VIP6 pod="[fd00:a0::11]:9080" decoys=fd00:172::21
    what="fastForward $fast, IPv$family"
    expect_eq "both answer ($what)" "h1=3 h2=3" "$(outside_hits client $address 80 6)"
    fail h1
    expect_eq "one answers 503" "h2=1 status-503=1" "$(outside_hits client $address 80 2)"
    expect_ok "so it is ejected" wait_for 5 is_ejected "reviews$family" "$pod"
    expect_eq "one was enough" 1 "$(answers "reviews$family" 5xx)"
    expect_eq "and successes are counted" 7 "$(answers "reviews$family" 2xx)"
    expect_eq "nothing is picked there" "h2=20" "$(outside_hits client $address 80 20)"
    unfail h1

    was=$(($(answers decoys 1xx) + $(answers decoys 2xx)))
    interim=$(answers decoys 1xx)
    said=$(outside client "$PEER" decoys $decoys 80 5)
    expect_match "bodies that look like status lines ($what): all exchanges were whole" '^ok ' "$said"
    all_counted() { (($(answers decoys 1xx) + $(answers decoys 2xx) - was == ${said#ok })); }
    expect_ok "each is counted once" wait_for 5 all_counted
    expect_eq "interim ones" 20 $(($(answers decoys 1xx) - interim))
    expect_eq "none is an error" 0 "$(answers decoys 5xx)"
    expect_eq "nobody is ejected for them" "" "$(ejected decoys)"
  done

  was=$(answers reviews4 2xx)
  expect_eq "what socket hooks see" "h2=10" "$(hits client $VIP 80 10)"
  expect_eq "is counted once" 10 $(($(answers reviews4 2xx) - was))
  outside_hits client 172.16.0.22 80 3 >/dev/null
  expect_eq "without outlierDetection nobody reads" 0 "$(answers plain 2xx)"
  end
done

begin "kernel.probe: false"
fail h1
expect_eq "without the probe" "h2=5 status-503=5" "$(outside_hits client $VIP 80 10)"
expect_eq "nothing is counted" 0 "$(answers reviews4 5xx)"
expect_eq "and nobody is ejected" "" "$(ejected reviews4)"
sandbox_end
