#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# `QUICK=1 make bench` as a user has it, the others' programs included: each scenario comes to its end and has measured
# every side that it names. How fast anything was is no concern of a test. What e2e/70-bench looks at is not looked at again.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin kube/33-quick-bench
KUBE_PROGRAMS=$("$SANDBOX_ROOT/scripts/kube_assets.sh" --dir etcd kube-apiserver kubectl kube-proxy) ||
  sandbox_skip "no kube-apiserver and kube-proxy: make kube-assets"
out=$SANDBOX/out

# summary JQ_EXPRESSION: what it yields of the run's summary, in a line.
summary() { jq -r "$1" "$out/summary.json" | paste -sd' '; }

# shellcheck disable=SC2016 # they are jq's
unjudged() {
  summary '.sides as $sides | .goals[] | select(.verdict == "not measured")
    | select([.side, .of // .side] - ($sides[.scenario] // {} | keys) == []) | "\(.figure):\(.side)"'
}

expect_ok "a quick run of all scenarios" env QUICK=1 "MRD_OUT=$SANDBOX_OUT" "$SANDBOX_ROOT/bench/bench.sh" "$out" >"$SANDBOX/table"
cat "$SANDBOX/table"

# What machines need not have, and what is measured only when it is asked for.
expect_eq "what is missing" "floor floor_tc kube_traffic" \
  "$(summary '.missing[] | select(.what != "envoy").scenario')"
expect_eq "scenarios that measured nothing" "floor floor_tc kube_traffic" "$(
  for file in "$out"/samples/*; do
    jq -es 'any(.kind == "sample" or .kind == "timeline")' "$file" >/dev/null || basename "$file" .jsonl
  done | paste -sd' ')"
# shellcheck disable=SC2016 # they are jq's
expect_eq "sides that are named, and were not measured" "" "$(summary '
  [.measured[], .outages[]] as $seen | .sides | to_entries[] | .key as $scenario | .value | keys[] as $side
  | select([$seen[] | select(.scenario == $scenario).sides[].side] | index($side) | not) | "\($scenario):\($side)"')"
expect_eq "goals of sides that ran without a verdict" "" "$(unjudged)"
expect_eq "medians out of their intervals" "" \
  "$(summary '.measured[] | select(any(.sides[]; .low > .median or .median > .high)).name')"
expect_eq "figures of nothing, but for what had better not be" "" "$(summary '.measured[]
  | select(.name | test("failed$|slow$|last_ms$|cpu_agent$") | not) | select(any(.sides[]; .median <= 0)).name')"
expect_eq "time lines with fewer than a hundred requests" "" "$(
  wc -l "$out"/raw/outage/* | awk '$2 != "total" && $1 < 100 { print $2 }')"
expect_eq "plots in the report" "$(find "$out/plots" -name '*.svg' | wc -l)" "$(grep -c '<svg' "$out/report.html")"
out=$SANDBOX/asked
expect_ok "what is measured beside kube-proxy when it is asked for" env QUICK=1 ONLY=kube_traffic \
  "MRD_OUT=$SANDBOX_OUT" "$SANDBOX_ROOT/bench/bench.sh" "$out" >"$SANDBOX/table"
expect_eq "its figures, and their sides" "bulk 4 latency.p50 4 latency.p99 4 latency.p99.9 4 queries 4 requests 4 sockets 4" \
  "$(summary '.measured | map(select(.name | test("cpu") | not)) | sort_by(.name)[] | "\(.name | sub("kube_traffic."; "")) \(.sides | length)"')"
expect_eq "its goals" "" "$(unjudged)"
sandbox_end
