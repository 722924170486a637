#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A region falls silent under a thousand new connections a second: none of them fails, whichever way they go.
# Nothing is ejected here, so that every connection has to be rescued.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/67-silent-under-load
two_regions
web h1 s1
never_ejected
agent_start h
wait_for 10 serves h 3

# thousand HOW ADDRESS: how many ended how, of a thousand within a second.
thousand() {
  "$1" client "$SANDBOX_OUT/bench/load" --go-on --rate=1000 "--requests=$SANDBOX/requests" --timeout=20000 \
    connect 4096 1000 1 "vip=$2:80" >/dev/null
  jq -r '.[5]' "$SANDBOX/requests" | tally
}
moved() { echo $(($(reason h RESCUE_TIMEOUT) + $(reason h RESCUE_UNREACHABLE))); }

for how in run_in outside; do
  for address in "$VIP" "[$VIP6]"; do
    expect_eq "$how, $address: all is well" "ok=1000" "$(thousand "$how" "$address")"
  done
done
expect_eq "none was moved" 0 "$(moved)"
blackhole h1
for how in run_in outside; do
  for address in "$VIP" "[$VIP6]"; do
    was=$(moved)
    expect_eq "$how, $address: silent, and nobody has noticed" "ok=1000" "$(thousand "$how" "$address")"
    expect_between "$how, $address: each was moved, those of the warm-up as well" 1000 1100 $(($(moved) - was))
  done
done
sandbox_end
