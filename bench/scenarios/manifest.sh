#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# From a saved manifest to the row in the kernel, of one service of 10,000 (QUICK=1: 1,000): while nothing else
# happens, while clients connect to the very service that is edited, and as often as can be while these leave no
# processor idle; and what clients lose by that.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

count=10000 rate=2000 ms=4000 slice_ms=400
[[ -z ${QUICK-} ]] || count=1000 ms=2000 slice_ms=200

# edit ROUNDS PAUSE_US: one edit behind the other.
edit() {
  exec "$SANDBOX_OUT/bench/edit_latency" "$(bpffs_of h)" "$VIP" 80 "$slice" "$SANDBOX/a" "$SANDBOX/b" "$@"
}

# edits FIGURE
edits() {
  local round=0 us

  (edit $((BENCH_ROUNDS * 10)) 20000) >"$SANDBOX/edits"
  while read -r us; do
    sample "$1" value $((round++)) "$us"
  done <"$SANDBOX/edits"
}

# clients ROUND still|edited: as many connections as can be made.
clients() {
  local edits

  if [[ $2 == edited ]]; then
    edit 1000000 0 >"$SANDBOX/edits" &
    edits=$!
  fi
  load connect 16 "$slice_ms" 1 "vip=$VIP:80" >"$SANDBOX/rates"
  if [[ $2 == edited ]]; then
    kill "$edits" # it was there all the time
    wait "$edits" || true
    sample manifest.updates_per_s value "$1" $(($(wc -l <"$SANDBOX/edits") * 1000 / slice_ms))
  fi
  sample manifest.connects "$2" "$1" "$(awk '$1 == 0 { print $3 }' "$SANDBOX/rates")"
}

bench_begin
two_regions
web h1 h2
many_ports client
many_services "$SANDBOX/state/ack-hangzhou" "$count"
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
edits manifest.us

figure manifest.loaded_us us lower "The same, while clients connect to the service $rate times a second"
goal manifest.loaded_us value at_most 50000
figure manifest.loaded_failed requests lower "Requests of these clients that failed"
goal manifest.loaded_failed value at_most 0
load "--rate=$rate" "--requests=$SANDBOX/requests" connect 256 "$ms" 1 "vip=$VIP:80" >/dev/null &
loaded=$!
edits manifest.loaded_us
kill -0 "$loaded" # it was there all the time
wait "$loaded"
[[ $(wc -l <"$SANDBOX/requests") -gt $rate ]]
sample manifest.loaded_failed value 0 "$(jq -c 'select(.[5] != "ok")' "$SANDBOX/requests" | wc -l)"

about still "nothing changes"
about edited "the service's manifest is edited, again as soon as an edit is in the kernel"
figure manifest.updates_per_s /s higher "Edits in the kernel, while clients connect as often as they can"
figure manifest.connects /s higher "New connections meanwhile" still
interleave "$BENCH_ROUNDS" clients still edited
figure manifest.rss_mib MiB lower "The agent's memory then, of $count services"
sample manifest.rss_mib value 0 "$(rss_mib "${AGENT_PID[h]}")"
figure manifest.plan_rows rows lower "Rows of the kernel's maps then, of the plan of $count services"
sample manifest.plan_rows value 0 "$(ctl h status -o json | jq '[.kernel.maps[]
  | select(.map | IN("mrd_service", "mrd_route", "mrd_member", "mrd_health", "mrd_setting", "mrd_name")).rows] | add')"
bench_end
