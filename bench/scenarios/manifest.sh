#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# From a saved manifest to the row in the kernel: while nothing else happens, and while clients connect to the very
# service that is edited.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

# edits FIGURE
edits() {
  local round=0 us

  "$SANDBOX_OUT/bench/edit_latency" "$(bpffs_of h)/mrd_route" "$slice" "$SANDBOX/a" "$SANDBOX/b" \
    $((BENCH_ROUNDS * 10)) >"$SANDBOX/edits"
  while read -r us; do
    sample "$1" value $((round++)) "$us"
  done <"$SANDBOX/edits"
}

bench_begin
two_regions
web h1 h2
many_ports client
svc ack-hangzhou edited "$VIP" 80
slice=$SANDBOX/state/ack-hangzhou/slice-default-edited-ipv4.yaml
eps ack-hangzhou edited 10.0.0.11 10.0.0.12
cp "$slice" "$SANDBOX/b"
eps ack-hangzhou edited 10.0.0.11
cp "$slice" "$SANDBOX/a"
cp "$SANDBOX/b" "$slice"
agent_start h

figure manifest.us us lower "A saved manifest is in the kernel"
goal manifest.us value at_most 50000
# The only route of the agent is the edited one, so the map's first row is to be watched.
edits manifest.us

rate=2000 ms=4000
[[ -z ${QUICK-} ]] || ms=2000
figure manifest.loaded_us us lower "The same, while clients connect to the service $rate times a second"
goal manifest.loaded_us value at_most 50000
figure manifest.loaded_failed requests lower "Requests of these clients that failed"
goal manifest.loaded_failed value at_most 0
load "--rate=$rate" "--requests=$SANDBOX/requests" connect 256 "$ms" 1 "vip=$VIP:80" >/dev/null &
clients=$!
edits manifest.loaded_us
kill -0 "$clients" # it was there all the time
wait "$clients"
[[ $(wc -l <"$SANDBOX/requests") -gt $rate ]]
sample manifest.loaded_failed value 0 "$(awk '$6 != "ok"' "$SANDBOX/requests" | wc -l)"
bench_end
