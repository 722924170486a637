#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# UDP, connected and not: the reply comes from the VIP, a conversation keeps its endpoint.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/07-udp
two_regions
serve h1 "$PEER" udp-echo 10.0.0.11 5353 h1
serve h2 "$PEER" udp-echo 10.0.0.12 5353 h2
wait_for 5 grep -q ready "$SANDBOX/log/h1"
wait_for 5 grep -q ready "$SANDBOX/log/h2"
export PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353
svc ack-hangzhou dns $VIP 53
eps ack-hangzhou dns 10.0.0.11 10.0.0.12
svc ack-hangzhou dns2 172.16.0.21 53
eps ack-hangzhou dns2 10.0.0.12
agent_start h

seen=$(run_in client "$PEER" udp unconnected 4 $VIP 53)
expect_eq "unconnected: every reply from the VIP" 4 "$(grep -c "from $VIP 53\$" <<<"$seen")"
expect_eq "one conversation, one endpoint" 1 "$(sort -u <<<"$seen" | wc -l)"
first=${seen:0:2}
seen=$(run_in client "$PEER" udp unconnected 1 $VIP 53)
expect_eq "the next conversation takes its turn" 1 "$([[ ${seen:0:2} != "$first" ]] && echo 1)"

seen=$(run_in client "$PEER" udp unconnected 6 $VIP 53 172.16.0.21 53)
expect_eq "two services on one socket: the first" 3 "$(grep -c "from $VIP 53\$" <<<"$seen")"
expect_eq "two services on one socket: the second" 3 "$(grep -c "^h2 from 172.16.0.21 53\$" <<<"$seen")"

seen=$(run_in client "$PEER" udp connected 3 $VIP 53)
expect_match "connected: the peer's name is the VIP" "peer $VIP 53" "$seen"
expect_eq "connected: replies from the VIP" 3 "$(grep -c "from $VIP 53\$" <<<"$seen")"
seen=$(run_in client "$PEER" udp named 4 $VIP 53 | tail -n +2)
expect_eq "connected, and naming the VIP all the same" 4 "$(grep -c "from $VIP 53\$" <<<"$seen")"
expect_eq "sockets that are gone are not open" 0 "$(($(stat_of h 10.0.0.11 .open) + $(stat_of h 10.0.0.12 .open)))"

seen=$(run_in client "$PEER" udp unconnected 2 10.0.0.11 5353)
expect_eq "a direct conversation stays direct" 2 "$(grep -c "^h1 from 10.0.0.11 5353\$" <<<"$seen")"

seen=$(run_in client "$PEER" udp unconnected 6 172.16.0.21 53 10.0.0.12 5353)
expect_eq "a service and its pod on one socket: the service" 3 "$(grep -c "^h2 from 172.16.0.21 53\$" <<<"$seen")"
expect_eq "and the pod by its own address" 3 "$(grep -c "^h2 from 10.0.0.12 5353\$" <<<"$seen")"

# A socket set free by connect(AF_UNSPEC) asks for an endpoint anew; what it was sent before is still the VIP's.
only_answers() {
  [[ $(for _ in 1 2; do run_in client "$PEER" udp unconnected 1 "$VIP" 53; done | sort -u) == "$1 from $VIP 53" ]]
}
turns() { serve client python3 "$(dirname "$0")/turns.py" "$@"; }
turns udp connect,$VIP,53 ask read ask hear free peer wait,"$SANDBOX/gone" name,$VIP,53 read read name,$VIP,53 read
wait_for 5 grep -q ENOTCONN "$SANDBOX/log/client"
first=$(sed -n '1s/ .*//p' "$SANDBOX/log/client")
other=$([[ $first == h1 ]] && echo h2 || echo h1)
eps ack-hangzhou dns "10.0.0.1${other#h}"
wait_for 5 only_answers "$other"
touch "$SANDBOX/gone"
wait "$SERVE_PID" || true
expect_eq "set free: the former endpoint's answer, then only the present endpoint" \
  "$first from $VIP 53,ENOTCONN,$first from $VIP 53,$other from $VIP 53,$other from $VIP 53" \
  "$(paste -sd, "$SANDBOX/log/client")"
eps ack-hangzhou dns 10.0.0.11 10.0.0.12

# A connect() that fails leaves the peer as it was: no endpoint where the service has a setting, or no route.
svc ack-hangzhou none 172.16.0.22 53
policy none <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: none, namespace: default, annotations: { meridian.dev/on-eject: reset } }
spec: { host: none, trafficPolicy: { outlierDetection: { consecutive5xxErrors: 1 } } }
YAML
svc ack-hangzhou far 172.16.0.23 53
eps ack-hangzhou far 10.77.0.1
nsenter --net=/run/netns/client ip route replace unreachable 10.77.0.0/16
wait_for 5 sh -c "bpftool map dump pinned $(bpffs_of h)/mrd_member | grep -q '10,77,0,1'"
for kind in udp udp6; do
  mapped=$([[ $kind == udp ]] || echo ::ffff:)
  : >"$SANDBOX/log/client"
  turns $kind "connect,$mapped$VIP,53" "connect,${mapped}172.16.0.22,53" peer ask read "connect,${mapped}172.16.0.23,53" peer ask read
  wait "$SERVE_PID" || true
  expect_match "connect() that failed, $kind: the peer is still the VIP" \
    "^ECONNREFUSED,$mapped$VIP 53,h. from $mapped$VIP 53,(EHOSTUNREACH|ENETUNREACH),$mapped$VIP 53,h. from $mapped$VIP 53\$" \
    "$(paste -sd, "$SANDBOX/log/client")"
done

# A socket that goes from the VIP to the endpoint itself has that as its peer.
for kind in udp udp6; do
  mapped=$([[ $kind == udp ]] || echo ::ffff:)
  : >"$SANDBOX/log/client"
  turns $kind "connect,${mapped}172.16.0.21,53" peer ask read "connect,${mapped}10.0.0.12,5353" peer ask read
  wait "$SERVE_PID" || true
  vip="${mapped}172.16.0.21 53" pod="${mapped}10.0.0.12 5353"
  expect_eq "from the VIP to the endpoint, $kind" "$vip,h2 from $vip,$pod,h2 from $pod" "$(paste -sd, "$SANDBOX/log/client")"
done

eps ack-hangzhou dns
wait_for 5 sh -c "! bpftool map dump pinned $(bpffs_of h)/mrd_member | grep -q '10,0,0,11'"
expect_eq "no endpoint: refused at once" ECONNREFUSED "$(run_in client "$PEER" udp unconnected 1 $VIP 53)"
sandbox_end
