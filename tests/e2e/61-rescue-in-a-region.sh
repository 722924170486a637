#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Where a service has one region only, a connection is rescued inside it; with many at once none fails. Who takes it over is
# not blamed before it was asked.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/61-rescue-in-a-region
one_region
web h2
svc ack-hangzhou reviews "$VIP,$VIP6" 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12 fd00:a0::11 fd00:a0::12
policy reviews <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec:
  host: reviews
  trafficPolicy: { outlierDetection: { consecutive5xxErrors: 0, consecutiveGatewayErrors: 0, interval: 1h } }
YAML
agent_start h

served() { [[ $(served_interfaces h) == *veth0=pod* ]]; }
expect_ok "the client's interface is served" wait_for 10 served
expect_eq "one of two refuses: all are answered" "h2=100" "$(hits client $VIP 80 100)"
expect_between "half of them were moved" 40 60 "$(reason h RESCUE_REFUSED)"
expect_eq "the first is to blame" "$(reason h RESCUE_REFUSED)" "$(stat_of h 10.0.0.11 .failed)"

blackhole h1
# many HITS ADDRESS PROCESSES COUNT: who answered so many connections by each of so many processes.
many() {
  local pids=() i

  for ((i = 0; i < $3; i++)); do
    "$1" client "$2" 80 "$4" >"$SANDBOX/answers.$i" &
    pids+=($!)
  done
  wait "${pids[@]}"
  for ((i = 0; i < $3; i++)); do tr ' ' '\n' <"$SANDBOX/answers.$i"; echo; done |
    awk -F= 'NF { n[$1] += $2 } END { for (k in n) print k "=" n[k] }'
}
for address in $VIP $VIP6; do
  expect_eq "one of two is silent: 1,000 connections to $address, none fails" "h2=1000" "$(many hits "$address" 20 50)"
  expect_eq "that no hook sees, likewise" "h2=1000" "$(many outside_hits "$address" 50 20)"
done
unblackhole h1

# The next SYN is the first that the second choice is sent, however long the first choice's refusal has been known.
pod h h3 10.0.0.13
pod h h4 10.0.0.14
web h3 h4
svc ack-hangzhou ratings 172.16.0.21 80
eps ack-hangzhou ratings 10.0.0.11 10.0.0.13 10.0.0.14
policy ratings <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ratings, namespace: default, annotations: { meridian.dev/syn-timeout: 400ms } }
spec:
  host: ratings
  trafficPolicy: { outlierDetection: { consecutive5xxErrors: 0, consecutiveGatewayErrors: 0, interval: 1h } }
YAML
known() { [[ $(ctl h -o json endpoints default/ratings | jq '.endpoints | length') == 3 ]]; }
wait_for 10 known
was=$(reason h RESCUE_REFUSED)
expect_match "one of three refuses: all are answered" '^h3=[0-9]+ h4=[0-9]+$' "$(hits client 172.16.0.21 80 12)"
expect_eq "each third is moved, once" 4 $(($(reason h RESCUE_REFUSED) - was))
expect_eq "nobody else is to blame" "0 0" "$(stat_of h 10.0.0.13 .failed) $(stat_of h 10.0.0.14 .failed)"
sandbox_end
