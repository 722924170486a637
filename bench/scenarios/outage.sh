#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What an outage costs those who ask, beside those who do the same work: two instances at home and one in the other
# region, requests at a constant rate, and all of the same outage at the same time. Each side has servers of
# its own, so that none sees what another one's clients do to them.
set -euo pipefail
# shellcheck source=bench/peers.sh
. "$(dirname "$0")/../peers.sh"

rate=200
before_s=1 outage_s=3 after_s=4
[[ -z ${QUICK-} ]] || before_s=0.5 outage_s=1 after_s=1.5
# An endpoint is away for longer than the outage, and is back before the end.
PEERS_EJECTION_S=4
[[ -z ${QUICK-} ]] || PEERS_EJECTION_S=1
timeout_ms=3000
mode=connect
sides=()

# Servers that can be made to answer 503.
bench_web() {
  web "$@"
}

# refuse POD: as a pod whose program has ended; unrefuse ends it.
refuse() {
  nsenter --net="/run/netns/$1" nft 'table inet mrd_refuse { chain in { type filter hook input priority 0
    tcp dport 9080 reject with tcp reset; }; }'
}
unrefuse() {
  nsenter --net="/run/netns/$1" nft delete table inet mrd_refuse
}

# to_servers ACT POD…: does it to these servers of every side. When it began, side by side: $SANDBOX/when.
to_servers() {
  local act=$1 name pod

  shift
  : >"$SANDBOX/when"
  for name in "${sides[@]}"; do
    echo "$name ${EPOCHREALTIME/[.,]/}" >>"$SANDBOX/when"
    for pod; do
      "$act" "$name-$pod"
    done
  done
}

# The control plane says that home has no instance, and these end when pods are told to; and all of it back.
scale_down() {
  told_at=${EPOCHREALTIME/[.,]/}
  peers_scale
  sleep 0.5
  to_servers refuse "$@"
  printf "%s $told_at\n" "${sides[@]}" >"$SANDBOX/when"
}
scale_up() {
  to_servers unrefuse "$@"
  peers_scale "$@"
}

# when NAME FILE
when() {
  sed -n "s/^$1 //p" "$2"
}

# outage NAME TITLE BEGIN END POD…: BEGIN and END are commands with these pods.
outage() {
  local figure=outage.$1 begin=$3 end=$4 name loads=() ms connections=2048

  figure "$figure" us lower "$2"
  [[ $mode != keepalive ]] || connections=64
  for name in socket tc fast-tc; do
    goal "$figure.failed" "$name" at_most "${UNDER_WAY:-0}"
    goal "$figure.back_failed" "$name" at_most 0
  done
  ms=$(awk "BEGIN { print ($before_s + $outage_s + $after_s) * 1000 }")
  shift 4
  for name in "${sides[@]}"; do
    load "--rate=$rate" --go-on "--timeout=$timeout_ms" "--requests=$SANDBOX/line-$name" "$mode" "$connections" "$ms" 1 \
      "${PEER_SIDE[$name]}" >"$SANDBOX/log/load-$name" 2>&1 &
    loads+=($!)
  done
  sleep "$before_s"
  $begin "$@"
  mv "$SANDBOX/when" "$SANDBOX/began"
  sleep "$outage_s"
  $end "$@"
  wait "${loads[@]}"
  for name in "${sides[@]}"; do
    timeline "$figure" "$name" "$SANDBOX/line-$name" "$(when "$name" "$SANDBOX/began")" "$(when "$name" "$SANDBOX/when")"
  done
  sleep "$PEERS_EJECTION_S" # what is away yet comes back
}

# The same endpoints as services of other names, whose connections an ejection ends: only for connections that stay.
declare -A ends=([close]=172.16.0.24 [reset]=172.16.0.25)
[[ -z ${QUICK-} ]] || ends=()
ends_begin() {
  local how

  for how in "${!ends[@]}"; do
    svc ack-hangzhou "$how" "${ends[$how]}" 80
    eps ack-hangzhou "$how" "${PEER_ADDRESS[server]}" "${PEER_ADDRESS[second]}"
    eps ack-shanghai "$how" "${PEER_ADDRESS[remote]}"
    policy "$how" <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: $how, namespace: default, annotations: { meridian.dev/on-eject: $how } }
spec:
  host: $how
  trafficPolicy:
    outlierDetection: { consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: ${PEERS_EJECTION_S}s, maxEjectionPercent: 100 }
    loadBalancer: { localityLbSetting: { failover: [{ from: cn-hangzhou, to: cn-shanghai }] } }
YAML
  done
}

PEERS_HOME=(server second)
names=(socket tc fast-tc kube-iptables kube-nftables haproxy nginx envoy)
hows=("${!ends[@]}")
peers_begin "${names[@]}" "${hows[@]/%/-socket}"
ends_begin
for name in "${names[@]}"; do
  peer_start "$name" || continue
  sides+=("$name")
done

# Answers may be under way when the first one tells.
UNDER_WAY=2 outage unwell "An instance answers 503" "to_servers fail" "to_servers unfail" server
outage refusing "An instance refuses" "to_servers refuse" "to_servers unrefuse" server
[[ -n ${QUICK-} ]] || outage silent "An instance falls silent" "to_servers blackhole" "to_servers unblackhole" server
outage region "The whole region falls silent" "to_servers blackhole" "to_servers unblackhole" server second
outage scaled "The region is scaled to zero" scale_down scale_up server second
[[ -z ${QUICK-} ]] || bench_end

mode=keepalive
for how in "${hows[@]}"; do
  peer_start "$how-socket"
  PEER_SIDE[$how-socket]=$(side "$how-socket" "${ends[$how]}:80")
  wait_for 10 peer_answers "$how-socket"
  sides+=("$how-socket")
done
# Of half of the connections, each asks once more before it is closed; a reset waits for no answer.
goal outage.kept.unwell.failed close-socket at_most 34
goal outage.kept.unwell.failed reset-socket at_most 2
outage kept.unwell "An instance answers 503, connections stay" "to_servers fail" "to_servers unfail" server
outage kept.refusing "An instance refuses, connections stay" "to_servers refuse" "to_servers unrefuse" server
outage kept.silent "An instance falls silent, connections stay" "to_servers blackhole" "to_servers unblackhole" server
outage kept.region "The whole region falls silent, connections stay" "to_servers blackhole" "to_servers unblackhole" \
  server second
bench_end
