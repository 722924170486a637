#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The agent's own work without a kernel, by the number of services, and 1,000 rules through `meridianctl
# check`, from start to end of the process.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

changes=200 sizes=(1000 10000 64000)
[[ -z ${QUICK-} ]] || changes=50 sizes=(1000 10000)

# plan SERVICES: bench/scale prints "NAME VALUE" lines.
plan() {
  local name value round=0

  "$SANDBOX_OUT/bench/scale" "$1" "$changes" "$SANDBOX" >"$SANDBOX/scale"
  while read -r name value; do
    [[ $name == change_us || $1 == 10000 ]] || continue
    [[ $name != change_us ]] || name=change_${1}_us
    sample "plan.$name" value $((round++)) "$value"
  done <"$SANDBOX/scale"
}

bench_begin
for services in "${sizes[@]}"; do
  figure "plan.change_${services}_us" us lower "A changed slice of $services services, planned"
  goal "plan.change_${services}_us" value at_most 1000
done
figure plan.full_ms ms lower "A full plan of 10,000 services, 1,000 rules"
goal plan.full_ms value at_most 1000
figure plan.rss_mb MB lower "Memory then"
goal plan.rss_mb value at_most 150
figure plan.events_core "% of a core" lower "10,000 errors a second, each an ejection: in the detector"
goal plan.events_core value at_most 5
figure plan.planned_core "% of a core" lower "The same: from its verdicts to the new plans' rows"
figure plan.returns_core "% of a core" lower "The same: back at a sweep, and planned again"
for services in "${sizes[@]}"; do
  plan "$services"
done

figure check.rules_1000_ms ms lower "1,000 rules through meridianctl check"
goal check.rules_1000_ms value at_most 100
for ((round = 0; round < BENCH_ROUNDS; round++)); do
  start=$EPOCHREALTIME
  "$MERIDIANCTL" check "$SANDBOX/rules.yaml" >"$SANDBOX/found"
  sample check.rules_1000_ms value "$round" "$(awk "BEGIN { printf \"%.2f\", ($EPOCHREALTIME - $start) * 1000 }")"
done
bench_end
