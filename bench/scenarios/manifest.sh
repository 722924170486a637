#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# From a saved manifest to the row in the kernel.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

bench_begin
two_regions
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
"$SANDBOX_OUT/bench/edit_latency" "$(bpffs_of h)/mrd_route" "$slice" "$SANDBOX/a" "$SANDBOX/b" \
  $((BENCH_ROUNDS * 10)) >"$SANDBOX/edits"
round=0
while read -r us; do
  sample manifest.us value $((round++)) "$us"
done <"$SANDBOX/edits"
bench_end
