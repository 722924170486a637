#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A quick run of a benchmark leaves what it promises, and it is sane; how fast anything was is no concern of
# a test. One that is interrupted leaves nothing.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/70-bench
mkdir "$SANDBOX_CGROUP/bench"
[[ -e /usr/lib/python3/dist-packages/matplotlib ]] || sandbox_skip "no matplotlib: make deps"
command -v iperf3 >/dev/null || sandbox_skip "no iperf3: make deps"
out=$SANDBOX/out
bench=$SANDBOX_ROOT/bench/bench.sh

# summary JQ_EXPRESSION: what it yields of the run's summary.
summary() { jq -r "$1" "$out/summary.json"; }

# start NAME…: in the background, where Ctrl-C means something.
start() {
  QUICK=1 ONLY="$*" MRD_OUT=$SANDBOX_OUT sandbox_spawn "$SANDBOX_CGROUP/bench" "$SANDBOX/log/bench" \
    env --default-signal=INT setsid "$bench" "$out"
}

# The script of the scenario that runs.
scenario_pid() { pgrep --parent "$SERVE_PID" --full "scenarios/$1.sh"; }

# is_under_way NAME TWIN: that agent has pinned its maps, and a client is at work.
is_under_way() {
  pid=$(scenario_pid "$1")
  cgroup=$(compgen -G "$SANDBOX_CGROUP2/mrd-bench-$1-$pid")
  folder=$(compgen -G "/tmp/mrd-bench-$1-$pid.*")
  nsenter --mount --target "$pid" bpftool -j map show pinned "$folder/bpf/$2/mrd_service" >"$SANDBOX/map"
  mapfile -t commands < <(find "$cgroup" -name cgroup.procs -exec cat {} + | sed 's|.*|/proc/&/cmdline|')
  grep -qsz -e --client "${commands[@]}"
}

# counts_runs: the kernel counts runs of programs, of the whole machine's, for as long as $counter lives.
counts_runs() {
  pid=$(scenario_pid programs)
  counter=$(find "$SANDBOX_CGROUP2/mrd-bench-programs-$pid" -name cgroup.procs -exec cat {} + | while read -r process; do
    ! grep -qsz run_stats "/proc/$process/cmdline" || echo "$process"
  done)
  [[ -n $counter ]]
}

# uneven: of lines "SIDE ROUND" in the order of runs, the sides that were not at every place in it as often as the others.
uneven() {
  awk 'BEGIN { round = -1 }
    $2 != round { round = $2; place = 0; rounds++ } { count[place++ " " $1]++; sides[$1] }
    END { for (side in sides) for (place = 0; place < length(sides); place++)
      if (count[place " " side] * length(sides) != rounds) print side }'
}

# interrupt: sends Ctrl-C to the group; how the benchmark ended is in $ended.
interrupt() {
  ended=0
  kill -INT -- "-$SERVE_PID"
  wait "$SERVE_PID" || ended=$?
}

# ------------------------------------------------------------------------------ what it leaves

expect_ok "a quick run" env QUICK=1 ONLY="floor floor_tc memory paths" "MRD_OUT=$SANDBOX_OUT" "$bench" "$out" >"$SANDBOX/table"
sides='["again","direct","socket","tc"]'
for figure in paths.connects paths.requests paths.connects.cpu paths.requests.cpu_server paths.latency.p99.9; do
  expect_eq "sides of $figure" "$sides" \
    "$(summary "[.measured[] | select(.name == \"$figure\").sides[].side] | sort | tojson")"
done
expect_eq "sides of floor.connects" '["again","array","direct","hash","least","ready","rewrite","storage","vip"]' \
  "$(summary '[.measured[] | select(.name == "floor.connects").sides[].side] | sort | tojson')"
expect_eq "sides of floor_tc.connects" '["again","direct","fast","hooked","least","nothing","tc"]' \
  "$(summary '[.measured[] | select(.name == "floor_tc.connects").sides[].side] | sort | tojson')"
expect_eq "a ratio by its name" ratio "$(summary '.figures[] | select(.name == "socket.connects_vs_direct").unit')"
expect_eq "beside the pod's own address on its node" true "$(summary '[.figures[] | select(.name == "vip.node_socket_vs_pod").median > 0.1] | any')"
expect_eq "figures without seven rounds" "agent.rss_mib" \
  "$(summary '[.measured[] | select(any(.sides[]; .rounds < 7)).name] | join(" ")')"
expect_eq "medians out of their intervals, or not above nothing" "" "$(summary '[.measured[] | select(.name | test("cpu_agent") | not)
  | select(any(.sides[]; .low > .median or .median > .high or .median <= 0)).name] | join(" ")')"
expect_eq "what is beside the base" 3 \
  "$(summary '[.measured[] | select(.name == "paths.connects").sides[].ratio | select(.) | select(.low > 0)] | length')"
expect_eq "goals of sides that ran without a verdict" "" "$(summary '[.goals[] | select(.verdict == "not measured" and .side != "fast").figure] | join(" ")')"
expect_eq "an agent's processor time on the base" 0 \
  "$(summary '.measured[] | select(.name == "paths.connects.cpu_agent").sides[] | select(.side == "direct").median')"
for figure in paths.connects paths.requests paths.node_socket; do
  expect_eq "sides with a place in the order that others have less often: $figure" "" "$(
    jq -r --arg figure "$figure" 'select(.kind == "sample" and .figure == $figure) | "\(.side) \(.round)"' "$out/samples/paths.jsonl" | uneven)"
done
expect_eq "the same of latencies" "" "$(jq -sr 'sort_by(.[0], .[2])[] | "\(.[1]) \(.[0])"' "$out"/raw/paths/* | uniq | uneven)"
expect_ok "for how long it took" jq -e '.seconds > 1' "$out/machine.json"
expect_match "it says that at its end" "^all scenarios: $(jq .seconds "$out/machine.json") s; " "$(tail -n 1 "$SANDBOX/table")"
expect_ok "samples are JSON lines" jq -es 'length > 100 and all(has("kind"))' "$out/samples/paths.jsonl" >/dev/null
expect_match "the table" "paths.connects +direct .*paths.connects +socket .* of direct .*goal .*agent.rss_mib" "$(<"$SANDBOX/table")"
expect_eq "requests that are kept, and had no answer" "" "$(jq -c 'select(.[5] != "ok")' "$out"/raw/paths/*)"
for plot in paths.connects paths.connects.cpu paths.requests paths.latency.all; do
  expect_ok "$plot.svg is XML" /usr/bin/python3 -c 'import sys, xml.dom.minidom as xml; xml.parse(sys.argv[1])' "$out/plots/$plot.svg"
  expect_eq "$plot.png" PNG "$(head -c 4 "$out/plots/$plot.png" | tail -c 3)"
done
expect_eq "plots in the report" "$(find "$out/plots" -name '*.svg' | wc -l)" "$(grep -c '<svg' "$out/report.html")"
expect_eq "what the report asks for elsewhere" "" "$(grep -oE '(src|href)="[^#"]*"|url\([^#)]*\)|@import' "$out/report.html" || true)"
expect_match "the report follows the reader's system" "prefers-color-scheme" "$(<"$out/report.html")"

expect_match "a scenario that is none" "no scenario nothing; there are: .*paths" \
  "$(ONLY=nothing MRD_OUT=$SANDBOX_OUT "$bench" "$out" 2>&1 || echo "exit $?")"
expect_ok "it has removed nothing" test -s "$out/summary.json"

# ------------------------------------------------------------------------------ a sidecar that is rarely there

# Envoy is on few machines. By the end of the name it takes the file for YAML.
declare -A PEER_ADDRESS=([server]=10.0.0.11 [remote]=10.1.0.11)
PEERS_HOME=(server) PEERS_EJECTION_S=4
# shellcheck source=bench/sidecars.sh
. "$SANDBOX_ROOT/bench/sidecars.sh"
file=$(sidecar_file envoy)
expect_match "the name of Envoy's configuration" '\.yaml$' "$file"
expect_eq "whom it sends to, by priority" "10.0.0.11 10.1.0.11" "$(/usr/bin/python3 -c 'import sys, yaml
for locality in yaml.safe_load(open(sys.argv[1]))["static_resources"]["clusters"][0]["load_assignment"]["endpoints"]:
    print(locality["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]["address"])' "$file" | paste -sd' ')"

# ------------------------------------------------------------------------------ Ctrl-C

start bulk
wait_for 60 is_under_way bulk socket
mapfile -t namespaces < <(nsenter --mount --target "$pid" find /run/netns -type f -printf '%i\n')
expect_eq "namespaces while it runs, three of each side" 12 "${#namespaces[@]}"
interrupt
expect_eq "it ends by Ctrl-C" 130 "$ended"
expect_fail "its script is there" test -d "/proc/$pid"
expect_fail "its cgroup is there" test -e "$cgroup"
expect_fail "its folder is there" test -e "$folder"
map=$(jq .id "$SANDBOX/map")
wait_for 10 eval "! bpftool map show id $map"
for namespace in "${namespaces[@]}"; do
  wait_for 10 eval "! lsns --type net --noheadings --output NS | grep -qw $namespace"
done
expect_eq "what it said" interrupted "$(tail -n 1 "$SANDBOX/log/bench" | awk '{ print $NF }')"

start programs
wait_for 60 counts_runs
interrupt
expect_eq "it ends by Ctrl-C, too" 130 "$ended"
expect_fail "what has the kernel count runs is there" test -d "/proc/$counter"
sandbox_end
