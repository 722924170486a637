#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What a run of each program takes over real traffic, by the kernel's own statistics, against budget.txt: in look-ups that
# are taken meanwhile (run_stats.c), so that it holds on whatever machine. And what the kernel accounts for the maps.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

budgets=$SANDBOX_ROOT/tests/verify/budget.txt

sandbox_begin verify/01-traffic
one_region
web h1
serve h2 "$PEER" udp-echo 10.0.0.12 5353 h2
serve h2 "$PEER" udp-echo fd00:a0::12 5353 h2
svc ack-hangzhou reviews "$VIP,$VIP6" 80
eps ack-hangzhou reviews 10.0.0.11 fd00:a0::11
svc ack-hangzhou limited 172.16.0.21 80
eps ack-hangzhou limited 10.0.0.11
PORT_NAME=dns PROTOCOL=UDP svc ack-hangzhou dns 172.16.0.53,fd00:172::53 53
PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353 eps ack-hangzhou dns 10.0.0.12 fd00:a0::12
policy limited <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: limited, namespace: default }
spec: { host: limited, trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1000000 } } } }
YAML
agent_start h
serve h "$SANDBOX_OUT/tests/run_stats"
wait_for 5 grep -q "^ready" "$SANDBOX/log/h"
read -r yardstick lookups < <(sed -n 's/^ready //p' "$SANDBOX/log/h")

# traffic: of all kinds, by all hooks.
traffic() {
  local vip

  for vip in "$VIP" "[$VIP6]"; do
    run_in client wrk -t1 -c4 -d1s -H "Connection: close" "http://$vip/"
    run_in client wrk -t1 -c4 -d1s "http://$vip/"
    outside client wrk -t1 -c4 -d1s -H "Connection: close" "http://$vip/"
  done
  run_in client wrk -t1 -c4 -d1s http://172.16.0.21/
  for vip in 172.16.0.53 fd00:172::53; do
    run_in client "$PEER" udp unconnected 10000 "$vip" 53
  done
}

# runs: NAME RUNS NANOSECONDS, so far, of the programs and of the yardstick.
runs() {
  {
    programs_of h | jq -c '.[]'
    bpftool -j prog show id "$yardstick" | jq -c '.name = "yardstick"'
  } | jq -r '"\(.name) \(.run_cnt // 0) \(.run_time_ns // 0)"' | sort
}

# percents: NAME RUNS PERCENT of what ran between two files of runs.
percents() {
  join "$1" "$2" | awk -v lookups="$lookups" '
    { count[$1] = $4 - $2; ns[$1] = $5 - $3 }
    END {
      unit = ns["yardstick"] / count["yardstick"] / lookups
      delete count["yardstick"]
      for (name in count)
        print name, count[name], count[name] ? int(ns[name] / count[name] / unit * 100) : 0
    }'
}

# A processor that is taken away in the middle of a run is no price of the program: the least of three counts.
declare -A budget=() least=() ran=()
while read -r _ program most; do
  budget[$program]=$most
done < <(grep "^run " "$budgets")
for ((round = 0; round < 3; round++)); do
  runs >"$SANDBOX/before"
  traffic >"$SANDBOX/traffic"
  runs >"$SANDBOX/after"
  over=
  while read -r program count percent; do
    ran[$program]=$count
    ((percent >= ${least[$program]-percent + 1})) || least[$program]=$percent
    [[ -z ${budget[$program]-} ]] || ((${least[$program]} <= ${budget[$program]})) || over+=" $program"
  done < <(percents "$SANDBOX/before" "$SANDBOX/after")
  [[ -n $over ]] || break
done
for program in "${!budget[@]}"; do
  echo "$program: ${ran[$program]-0} runs, ${least[$program]-0} of ${budget[$program]} percent of a look-up each"
  expect_between "$program: runs" 1000 1000000000 "${ran[$program]-0}"
  expect_between "$program: percent of a look-up" 1 "${budget[$program]}" "${least[$program]-0}"
done
# User space runs that one, for a row each.
expect_eq "programs without a budget" mrd_flow_delete "$(for program in "${!least[@]}"; do
  [[ -n ${budget[$program]-} ]] || echo "$program"
done | paste -sd' ')"
mib=$(cat /proc/"${AGENT_PID[h]}"/fdinfo/* | awk '$1 == "memlock:" { bytes = $2 } $1 == "map_id:" && !seen[$2]++ { sum += bytes }
  END { print int(sum / 1048576) }')
most=$(sed -n 's/^memory maps //p' "$budgets")
echo "maps: $mib of $most MiB"
expect_between "MiB of maps at default limits" 1 "$most" "$mib"
sandbox_end
