#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A region that is far away is not taken for one that is silent: its connections are never moved. Told how long to
# wait, and too short, the agent's user gets what was asked for.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/62-slow-is-not-silent
cluster ack-hangzhou cn-hangzhou
cluster ack-shanghai cn-shanghai
cluster ack-frankfurt eu-central
node h cluster=ack-hangzhou region=cn-hangzhou 10.0.0.0/16 fd00:a0::/32
node s cluster=ack-shanghai region=cn-shanghai 10.1.0.0/16 fd00:a1::/32
node f cluster=ack-frankfurt region=eu-central 10.2.0.0/16 fd00:a2::/32
link h s 15
link h f 75
pod h client 10.0.0.2,fd00:a0::2
pod h h1 10.0.0.11,fd00:a0::11
pod s s1 10.1.0.11,fd00:a1::11
pod f f1 10.2.0.11,fd00:a2::11
web h1 s1 f1

# abroad NAME NUMBER CLUSTER REGION PODS: a service that lives there, and as a last resort at home.
abroad() {
  svc ack-hangzhou "$1" "172.16.0.$2,fd00:172::$2" 80
  eps "$3" "$1" "${5%,*}" "${5#*,}"
  eps ack-hangzhou "$1" 10.0.0.11 fd00:a0::11
  policy "$1" <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: $1, namespace: default, annotations: { meridian.dev/fallback: next-region } }
spec:
  host: $1
  trafficPolicy:
    loadBalancer:
      localityLbSetting: { distribute: [{ from: cn-hangzhou, to: { $4: 100 } }] }
YAML
}
abroad far 31 ack-shanghai cn-shanghai 10.1.0.11,fd00:a1::11
abroad farther 32 ack-frankfurt eu-central 10.2.0.11,fd00:a2::11
agent_start h
wait_for 10 serves h 2

for _ in 1 2; do # at first nothing is known of them
  for prefix in 172.16.0. fd00:172::; do
    for see in hits outside_hits; do
      expect_eq "30 ms away ($see, ${prefix}31)" "s1=10" "$($see client ${prefix}31 80 10)"
      expect_eq "150 ms away ($see, ${prefix}32)" "f1=10" "$($see client ${prefix}32 80 10)"
    done
  done
done
for reason in RESCUE_TIMEOUT RESCUE_REFUSED RESCUE_UNREACHABLE RESCUE_NOWHERE; do
  expect_eq "none was moved ($reason)" 0 "$(reason h $reason)"
done
expect_eq "no failures" 0 "$(stat_of h 10.2.0.11 .failed)"

blackhole f1
expect_eq "but silent it is" "h1=3" "$(hits client 172.16.0.32 80 3)"
expect_between "and moved" 3 3 "$(reason h RESCUE_TIMEOUT)"
expect_eq "of clients that no hook sees, too" "h1=3" "$(outside_hits client 172.16.0.32 80 3)"
expect_between "and moved" 6 6 "$(reason h RESCUE_TIMEOUT)"

# A way that has become longer: what left too soon has its answer late, also once its own request is long over, and later
# ones wait.
was=$(reason h RESCUE_TIMEOUT)
sandbox_spawn "$SANDBOX_CGROUP/links" "$SANDBOX/log/detour" "$DELAY_LINE" h long-s s long-h 75000
wait_for 5 grep -q forwarding "$SANDBOX/log/detour"
# detour NODE LINK NET: over that link from now on, with the same addresses.
detour() {
  local address gateway

  ip -n "$1" link set "$2" up
  for address in ${NODE_ADDRS[$1]}; do
    [[ $address == *:* ]] || ip -n "$1" address add "$address/32" dev "$2"
  done
  gateway=$(ip -n "$1" -j route show "$3" | jq -r '.[0].gateway')
  ip -n "$1" route replace "$gateway" dev "$2"
  ip -n "$1" route replace "$3" via "$gateway" dev "$2" onlink
}
detour h long-s 10.1.0.0/16
detour s long-h 10.0.0.0/16
expect_ok "the longer way" run_in client ping -q -c 1 -W 5 10.1.0.11
expect_match "some leave" 's1=' "$(hits client 172.16.0.31 80 10)"
expect_between "few" 0 3 $(($(reason h RESCUE_TIMEOUT) - was))
expect_eq "then they know" "s1=10" "$(hits client 172.16.0.31 80 10)"
sandbox_end
