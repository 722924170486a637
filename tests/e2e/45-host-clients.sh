#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Clients of the host's own at an uplink, where sources are checked loosely and strictly (rp_filter): they are served, and
# rescued, through both, also by pods of this node, whose answers come in by other interfaces than the VIP's.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/45-host-clients
REGION_DELAY=1 two_regions # by TAP devices, which are no veths
pod s s2 10.1.0.12,fd00:a1::12
web h1 h2 s1 s2
svc ack-hangzhou near 172.16.0.21,fd00:172::21 80
eps ack-hangzhou near 10.0.0.11 fd00:a0::11
for cluster in ack-hangzhou ack-shanghai; do
  svc $cluster far 172.16.0.22,fd00:172::22 80
  svc $cluster moved 172.16.0.23,fd00:172::23 80
done
PORT_NAME=dns PROTOCOL=UDP svc ack-hangzhou dns 172.16.0.26,fd00:172::26 53
PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353 eps ack-hangzhou dns 10.0.0.11 fd00:a0::11
serve h1 "$PEER" udp-mirror :: 5353
eps ack-shanghai far 10.1.0.11 fd00:a1::11
svc ack-hangzhou home 172.16.0.24,fd00:172::24 80
svc ack-shanghai home 172.16.0.24,fd00:172::24 80
eps ack-hangzhou home 10.0.0.11 fd00:a0::11
eps ack-shanghai home 10.1.0.11 fd00:a1::11
eps ack-shanghai moved 10.1.0.11 10.1.0.12 fd00:a1::11 fd00:a1::12
for name in moved home; do
  policy $name <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: $name, namespace: default, annotations: { meridian.dev/fallback: next-region } }
spec:
  host: $name
  trafficPolicy:
    outlierDetection: { consecutive5xxErrors: 0, consecutiveGatewayErrors: 0, interval: 1h }
    loadBalancer: { localityLbSetting: { distribute: [ { from: "cn-hangzhou/*", to: { "cn-shanghai/*": 100 } } ] } }
YAML
done
# As on a node: what is not known goes to the uplink.
ip -n h route add default via 192.168.0.2 dev to-s onlink
ip -n h route add default via fd00:192::2 dev to-s onlink
agent_start h "kernel.interfaces: ['veth*', to-s]"
wait_for 10 serves h 4

checked() { nsenter --net=/run/netns/h sysctl -qw "net.ipv4.conf.all.rp_filter=$1"; } # 1: strictly, 2: loosely
for mode in 2 1; do
  checked $mode
  for prefix in 172.16.0. fd00:172::; do
    what="rp_filter $mode, ${prefix}x"
    expect_eq "$what: another region" "s1=3" "$(outside_hits h ${prefix}22 80 3)"
    expect_eq "$what: a pod of this node" "h1=3" "$(outside_hits h ${prefix}21 80 3)"
    for size in 1 1473 8000; do
      expect_eq "$what: its datagram of $size bytes" same "$(outside h "$PEER" datagram $size ${prefix}26 53)"
    done
    expect_eq "$what: seen by hooks" "s1=3" "$(run_in h "$PEER" get ${prefix}22 80 3 | tally)"
    expect_eq "$what: seen by hooks, a pod of this node" "h1=3" "$(run_in h "$PEER" get ${prefix}21 80 3 | tally)"
    blackhole s1
    expect_eq "$what: rescued" "s2=2" "$(outside_hits h ${prefix}23 80 2)"
    expect_eq "$what: rescued, at home" "h1=2" "$(outside_hits h ${prefix}24 80 2)"
    expect_eq "$what: seen by hooks, rescued, at home" "h1=4" "$(run_in h "$PEER" get ${prefix}24 80 4 | tally)"
    expect_eq "$what: seen by hooks, rescued" "s2=4" "$(run_in h "$PEER" get ${prefix}23 80 4 | tally)"
    unblackhole s1
  done
done

# What a pod sends passes the uplink, too, translated already: a connection of the host's there does not end the pod's.
outside h "$PEER" hold 172.16.0.21 80 60 >>"$SANDBOX/log/outside" 2>&1 &
held() { run_in h ss -tnH state established dst 172.16.0.21 | grep -q .; }
wait_for 5 held
for prefix in 172.16.0. fd00:172::; do
  expect_eq "${prefix}x: a pod's, beside one of the host's" "s1=3" "$(outside_hits client ${prefix}22 80 3)"
  blackhole s1
  expect_eq "${prefix}x: rescued" "s2=2" "$(outside_hits client ${prefix}23 80 2)"
  expect_eq "${prefix}x: seen by hooks, rescued" "s2=4" "$(hits client ${prefix}23 80 4)"
  unblackhole s1
done
sandbox_end
