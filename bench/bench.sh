#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Runs the scenarios one after the other, and sums them up.
#
# Usage: bench.sh OUT_FOLDER      environment: QUICK=1 (fewer rounds, several at once), ONLY="NAME…" (of bench/scenarios)
# To OUT_FOLDER: samples/ (JSON lines) and raw/ (every latency) of each scenario, log/, machine.json (with the seconds that
# all scenarios took), summary.json, plots/ (SVG, PNG), report.html. The exit code says whether every scenario came to
# its end, not whether goals were reached.
set -euo pipefail
here=$(realpath "$(dirname "$0")")

BENCH_OUT=$(realpath -m "${1:?usage: bench.sh OUT_FOLDER}")
export BENCH_OUT
exit_skip=77
status=0
# One at a time, so that nothing else disturbs it; what is too short to quote may be disturbed.
at_once=1
[[ -z ${QUICK-} ]] || at_once=$(nproc)
declare -A running=() since=()

names() {
  local file

  for file in "$here"/scenarios/*.sh; do
    basename "$file" .sh
  done
}

# machine SECONDS: what the figures were taken on, and for how long.
machine() {
  jq -n --argjson seconds "$1" --arg kernel "$(uname -r)" --argjson cores "$(nproc)" --arg date "$(date -uI)" \
    --arg cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
    --argjson memory_mib "$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)" \
    --arg version "$(git -C "$here" -c safe.directory='*' describe --always --dirty 2>/dev/null || true)" \
    --arg hypervisor "$(sed -n '/^flags.* hypervisor/ { s/.*/virtual/p; q }' /proc/cpuinfo)" \
    --arg only "${ONLY-}" \
    --argjson quick "$([[ -n ${QUICK-} ]] && echo true || echo false)" '$ARGS.named'
}

# begin NAME: in a process group of its own, so that what ends this script ends all of that.
begin() {
  : >"$BENCH_OUT/samples/$1.jsonl"
  setsid "$here/scenarios/$1.sh" >"$BENCH_OUT/log/$1" 2>&1 </dev/null &
  running[$!]=$1
  since[$1]=$SECONDS
}

# reap: waits for one that runs to end, and says how it did.
reap() {
  local name pid result=0

  wait -n -p pid "${!running[@]}" || result=$?
  name=${running[$pid]}
  unset "running[$pid]"
  printf '%-12s ' "$name"
  case $result in
  0) echo "$((SECONDS - since[$name])) s" ;;
  "$exit_skip") skipped "$name" "$(tail -n 1 "$BENCH_OUT/log/$name")" ;;
  *)
    echo "FAIL, exit $result"
    tail -n 20 "$BENCH_OUT/log/$name"
    status=1
    ;;
  esac
}

# skipped NAME SKIP_LINE
skipped() {
  echo "$2"
  jq -nc --arg scenario "$1" --arg line "$2" '{kind: "missing", $scenario, what: "all of it",
    how: ($line | sub("^SKIP [^ ]*: "; ""))}' >"$BENCH_OUT/samples/$1.jsonl"
}

# Scenarios clean up after themselves when they are told to end.
interrupted() {
  local pid

  trap '' INT TERM HUP
  for pid in "${!running[@]}"; do
    kill -TERM -- "-$pid" 2>/dev/null || true
  done
  for pid in "${!running[@]}"; do
    wait "$pid" || true
  done
  echo "interrupted"
  exit 130
}

mapfile -t wanted < <(names)
if [[ -n ${ONLY-} ]]; then
  read -ra wanted <<<"$ONLY"
fi
for name in "${wanted[@]}"; do
  if [[ ! -x $here/scenarios/$name.sh ]]; then
    echo "bench.sh: no scenario $name; there are: $(names | paste -sd' ')" >&2
    exit 2
  fi
done
# Also what sums an earlier run up: after an interruption it would stand for this one.
rm -rf "$BENCH_OUT"/{samples,raw,log,plots,machine.json,summary.json,report.html}
mkdir -p "$BENCH_OUT"/{samples,raw,log}
trap interrupted INT TERM HUP
for name in "${wanted[@]}"; do
  ((${#running[@]} < at_once)) || reap
  begin "$name"
done
while ((${#running[@]})); do
  reap
done
seconds=$SECONDS
machine "$seconds" >"$BENCH_OUT/machine.json"
echo
/usr/bin/python3 "$here/figures.py" "$BENCH_OUT" "${wanted[@]}"
/usr/bin/python3 "$here/report.py" "$BENCH_OUT" "${wanted[@]}"
echo "all scenarios: $seconds s; with plots and report: $SECONDS s"
exit "$status"
