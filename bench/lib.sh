# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# What the scenarios share. A scenario is a script of its own, bench/scenarios/NAME.sh; bench.sh runs it,
# and `ONLY=NAME` only it:
#
#   set -euo pipefail
#   # shellcheck source=bench/lib.sh
#   . "$(dirname "$0")/../lib.sh"
#   bench_begin                                   # the sandbox: all of tests/e2e/lib.sh can be used
#   twins                                         # or nodes, pods, servers and agents of its own
#   twin direct && twin socket && twin_agent socket
#   figure socket.connects /s higher "New connections"      # NAME UNIT higher|lower TITLE [BASE]
#   goal socket.connects socket at_least 0.98 of direct     # or at_most, of any side; or without "of"
#   rates socket.connects connect 16 "$(side direct 10.0.0.11:9080)" "$(side socket)"
#   bench_end
#
# - A side is one of the things compared. Sides are run in turn, in an order that changes with every round, in the
#   same minute: by `rates` in slices of 40 ms, by `interleave` in whatever a function of the scenario does. What is judged
#   is the ratio side ÷ BASE ("direct" where nothing is said) in the same round, over all rounds. A figure
#   with one side has a median and the quantiles of its values.
# - A twin (twins.sh) is a side with a node of its own: client, server and what leads from one to the other.
#   Twins differ in the latter alone, so what one of them has, no other pays for.
# - A sample of a round below 0 is warm-up, and not kept.
# - Latencies: `raw` keeps every single request, and figures.py makes NAME.p50, NAME.p99 and NAME.p99.9 of
#   all of a side, exact, which goals can name.
# - What a side is says `about NAME WORDS`, once in a scenario.
# - A peer that is not there: `missing WHAT HOW`, and no samples of its side.
# - The clean-up is the sandbox's: whatever is started in it ends with it.
# - QUICK=1: everything is still done, for $BENCH_SECONDS of load a figure and $BENCH_ROUNDS rounds or few more.
#
# A scenario at API servers sources tests/kube/lib.sh first.
if [[ -z ${SANDBOX_ROOT-} ]]; then
  # shellcheck source=tests/e2e/lib.sh
  . "$(dirname "${BASH_SOURCE[0]}")/../tests/e2e/lib.sh"
fi

# shellcheck source=bench/twins.sh
. "$(dirname "${BASH_SOURCE[0]}")/twins.sh"

BENCH_NAME=$(basename "$0" .sh)
BENCH_OUT=${BENCH_OUT:-$SANDBOX_OUT/../bench}
BENCH_SAMPLES=$BENCH_OUT/samples/$BENCH_NAME.jsonl
BENCH_RAW=$BENCH_OUT/raw/$BENCH_NAME
BENCH_SLICE_MS=40
BENCH_RATE_SLICE_MS=200
BENCH_ROUNDS=12
BENCH_SECONDS=17
BENCH_RATE_SECONDS=30
# Of rates: one client's thread would be what bounds them, not what its connections cost.
BENCH_WORKERS=2
[[ -z ${QUICK-} ]] || BENCH_ROUNDS=7 BENCH_SECONDS=1 BENCH_RATE_SECONDS=1 BENCH_RATE_SLICE_MS=60
declare -A BENCH_FIGURES=() BENCH_TITLES=() BENCH_BASES=()
BENCH_AGENT=()
# Of bench/load: --go-on where requests of a peer may fail, which then count as no answer.
BENCH_LOAD=()

# Nothing of an earlier run stays. BENCH_BEGIN: what begins the sandbox, where it is not what was sourced.
bench_begin() {
  local begin=${BENCH_BEGIN-}

  mkdir -p "$BENCH_OUT/samples"
  rm -rf "$BENCH_RAW"
  : >"$BENCH_SAMPLES"
  [[ -n $begin ]] || begin=$(declare -F kube_begin || echo sandbox_begin)
  "$begin" "bench/$BENCH_NAME"
}

bench_end() {
  SANDBOX_QUIET=1
  sandbox_end
}

# ------------------------------------------------------------------------------ what is measured

# bench_record KIND JQ_ARGUMENT…: one line of the samples' file.
bench_record() {
  jq -nc --arg kind "$1" --arg scenario "$BENCH_NAME" "${@:2}" '$ARGS.named' >>"$BENCH_SAMPLES"
}

# about SIDE WORDS: what is compared under that name.
about() {
  bench_record side --arg side "$1" --arg words "$2"
}

# figure NAME UNIT higher|lower TITLE [BASE]
figure() {
  BENCH_FIGURES[$1]=$2
  BENCH_TITLES[$1]=$4
  BENCH_BASES[$1]=${5:-direct}
  bench_record figure --arg name "$1" --arg unit "$2" --arg better "$3" --arg title "$4" --arg base "${5:-direct}"
}

# goal FIGURE SIDE at_least|at_most VALUE [of SIDE]
goal() {
  bench_record goal --arg figure "$1" --arg side "$2" --arg is "$3" --argjson value "$4" ${6:+--arg of "$6"}
}

# sample FIGURE SIDE ROUND VALUE
sample() {
  (($3 >= 0)) || return 0
  printf '{"kind":"sample","figure":"%s","side":"%s","round":%d,"value":%s,"unit":"%s"}\n' "$@" \
    "${BENCH_FIGURES[$1]?figure $1 is not declared}" >>"$BENCH_SAMPLES"
}

# raw FIGURE NUMBER FILE [connect]: what bench/load --requests wrote, of any number of sides, is taken over: how long
# answers took, or connecting.
raw() {
  local file=$1-$2.jsonl

  : "${BENCH_FIGURES[$1]?figure $1 is not declared}"
  mkdir -p "$BENCH_RAW"
  mv "$3" "$BENCH_RAW/$file"
  bench_record raw --arg figure "$1" --arg file "raw/$BENCH_NAME/$file" --arg of "${4:-latency}"
}

# timeline FIGURE SIDE FILE BEGIN_US [BACK_US]: of the same kind of file, where something happened at a time
# (microseconds since 1970) and was over at another. figures.py makes NAME.failed, NAME.slow (more than
# 100 ms) and NAME.last_ms of it, and NAME.back_… of what followed the return.
timeline() {
  local file=$1-$2.jsonl

  : "${BENCH_FIGURES[$1]?figure $1 is not declared}"
  mkdir -p "$BENCH_RAW"
  mv "$3" "$BENCH_RAW/$file"
  bench_record timeline --arg figure "$1" --arg side "$2" --arg file "raw/$BENCH_NAME/$file" \
    --argjson begin_us "$4" --argjson back_us "${5:-null}"
}

# missing WHAT HOW: what cannot be compared on this machine, and how to change that.
missing() {
  bench_record missing --arg what "$1" --arg how "$2"
}

# ------------------------------------------------------------------------------ how it is measured

# interleave ROUNDS FUNCTION SIDE…: FUNCTION ROUND SIDE for each, in the order in which bench/load has sides (a square of
# Williams), after a round of warm-up. A multiple of the sides' number, of an odd one twice that, has each place as often.
interleave() {
  local rounds=$1 fn=$2
  local -i round turn step

  shift 2
  for ((round = -1; round < rounds; round++)); do
    for ((turn = 0; turn < $#; turn++)); do
      step=$(((round + $#) / $# % 2 ? turn : $# - 1 - turn))
      "$fn" "$round" "${@:(round + $# + (step % 2 ? $# - (step + 1) / 2 : step / 2)) % $# + 1:1}"
    done
  done
}

# shares SECONDS SLICE_MS SIDES: how often load is to run, and for how many rounds each time, in $runs and $slices.
# At least BENCH_ROUNDS, and all rounds together a multiple of the sides, so that each has every place in the order as often.
shares() {
  slices=$(($1 * 1000 / $2 / $3 / BENCH_ROUNDS))
  slices=$((slices ? slices : 1))
  for ((runs = BENCH_ROUNDS; runs * slices % $3; runs++)); do :; done
}

# rates FIGURE MODE CONNECTIONS SIDE=ADDRESS:PORT[@CGROUP[@NETNS]]…: bench/load in pod client, or where a side
# says. Of twins it also takes FIGURE.cpu, the processor's time for a request, and whose it was.
rates() {
  local -i runs slices run

  shares "$BENCH_SECONDS" "$BENCH_SLICE_MS" $(($# - 3))
  cpu_figures "$1" "${@:4}"
  for ((run = 0; run < runs; run++)); do
    rates_run "$@"
  done
}

# rates_in_turns FIGURE MODE CONNECTIONS PLACES FUNCTION: the same where sides take each other's places, for
# places of the same shape differ, too, by up to a hundredth. FUNCTION 0 to FUNCTION PLACES-1 set $SIDES, and put
# what differs between them where it belongs.
rates_in_turns() {
  local -i runs slices run turn=0

  "$5" 0
  shares "$BENCH_SECONDS" "$BENCH_SLICE_MS" ${#SIDES[@]}
  for ((run = 0; run < runs; run++)); do
    ((run * $4 / runs == turn)) || "$5" $((turn = run * $4 / runs))
    rates_run "$1" "$2" "$3" "${SIDES[@]}"
  done
}

# rates_run FIGURE MODE CONNECTIONS SIDE…: the one of $run, for those above.
rates_run() {
  cpu_read "${@:4}" >"$SANDBOX/cpu.before"
  load "${BENCH_LOAD[@]}" "--workers=$BENCH_WORKERS" "--first-round=$((run * slices))" "$2" "$3" "$BENCH_SLICE_MS" "$slices" "${@:4}" >"$SANDBOX/rates"
  cpu_read "${@:4}" >"$SANDBOX/cpu.after"
  awk -v figure="$1" -v run="$run" -v unit="${BENCH_FIGURES[$1]?figure $1 is not declared}" '$1 >= 0 {
      printf "{\"kind\":\"sample\",\"figure\":\"%s\",\"side\":\"%s\",\"round\":%d,\"run\":%d,\"value\":%s,\"unit\":\"%s\"}\n",
        figure, $2, $1, run, $3, unit }' "$SANDBOX/rates" >>"$BENCH_SAMPLES"
  cpu_samples "$1" "$run"
}

# latencies FIGURE MODE REQUESTS_PER_S SIDE…: of requests that start at a constant rate whatever the answers
# do, sides in turn, a fifth of a second each (QUICK=1: less). In mode connect: of connecting alone.
latencies() {
  local figure=$1 mode=$2 rate=$3
  local -i runs slices run

  shift 3
  shares "$BENCH_RATE_SECONDS" "$BENCH_RATE_SLICE_MS" $#
  for ((run = 0; run < runs; run++)); do
    load "${BENCH_LOAD[@]}" "--rate=$rate" "--requests=$SANDBOX/requests" "--first-round=$((run * slices))" \
      "$mode" 256 "$BENCH_RATE_SLICE_MS" "$slices" "$@" >"$SANDBOX/rates"
    raw "$figure" "$run" "$SANDBOX/requests" "$([[ $mode != connect ]] || echo connect)"
  done
}

# median_of FIGURE SIDE: of its samples so far, a whole number.
median_of() {
  jq -s --arg figure "$1" --arg side "$2" 'map(select(.kind == "sample" and .figure == $figure and .side == $side).value)
    | sort | .[length / 2 | floor] | floor' "$BENCH_SAMPLES"
}

# load ARGUMENT…: in pod client where no side says where.
load() {
  local where=client

  # Where a side has a place it goes there itself, from the host of any node.
  [[ ${*: -1} != *@*@* ]] || where=${SANDBOX_NODES[0]}
  run_in "$where" "$SANDBOX_OUT/bench/load" "$@"
}

# rss_mib PID: its resident memory.
rss_mib() {
  awk '/VmRSS/ { printf "%.2f", $2 / 1024 }' "/proc/$1/status"
}

# ------------------------------------------------------------------------------ where it is measured

# bench_world: two regions, nginx on h1 (home) and s1, reviews at $VIP with endpoint h1, and an agent on
# node h with the lines of $BENCH_AGENT in its configuration. What would run out under load does not.
bench_world() {
  two_regions
  web h1 s1
  svc ack-hangzhou reviews "$VIP" 80
  eps ack-hangzhou reviews 10.0.0.11
  failover_policy reviews
  many_ports client
  agent_start h "${BENCH_AGENT[@]}"
}

# many_services FOLDER COUNT: in the format of kubectl, so many with an endpoint each, a thousand a file.
many_services() {
  mkdir -p "$1"
  awk -v count="$2" -v folder="$1" 'BEGIN {
    for (i = 0; i < count; i++) {
      if (i % 1000 == 0) {
        close(file)
        file = folder "/" i / 1000 ".yaml"
      }
      printf "---\napiVersion: v1\nkind: Service\nmetadata: {name: many-%d, namespace: default}\n" \
        "spec:\n  clusterIP: 172.17.%d.%d\n  clusterIPs: [172.17.%d.%d]\n" \
        "  ports: [{name: http, port: 80, protocol: TCP}]\n", i, i / 250, i % 250 + 1, i / 250, i % 250 + 1 > file
      printf "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n" \
        "metadata: {name: many-%d, namespace: default, labels: {kubernetes.io/service-name: many-%d}}\n" \
        "addressType: IPv4\nports: [{name: http, port: 9080, protocol: TCP}]\n" \
        "endpoints:\n- addresses: [10.0.0.11]\n  conditions: {ready: true}\n", i, i > file
    }
  }'
}

# many_ports POD: connections that were closed do not keep their ports from it.
many_ports() {
  nsenter --net="/run/netns/$1" sh -c 'cd /proc/sys/net/ipv4
    echo 1024 65000 >ip_local_port_range; echo 1 >tcp_tw_reuse'
}

# wrk_load ADDRESS PORT CONNECTIONS [HEADER]: load that is not measured, for WRK_SECONDS (1) seconds.
wrk_load() {
  run_in client wrk -t1 "-c$3" "-d${WRK_SECONDS:-1}s" ${4:+-H "$4"} "http://$1:$2/" |
    awk '/Socket errors|Non-2xx/ { print > "/dev/stderr" }'
}

# packet_ns NODE PROGRAM_ID RUNS FROM:PORT TO:PORT FLAGS: what such packets cost there, at the interface of 10.0.0.2.
packet_ns() {
  local interface

  interface=$(ip -n "$1" -j route get 10.0.0.2 | jq -r '.[0].dev')
  nsenter --net="/run/netns/$1" -- "$SANDBOX_OUT/bench/packet_cost" "$2" "$interface" "${@:3}"
}
