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
node h cluster=ack-hangzhou region=cn-hangzhou 10.0.0.0/16
node s cluster=ack-shanghai region=cn-shanghai 10.1.0.0/16
node f cluster=ack-frankfurt region=eu-central 10.2.0.0/16
link h s 15
link h f 75
pod h client 10.0.0.2
pod h h1 10.0.0.11
pod s s1 10.1.0.11
pod f f1 10.2.0.11
web h1 s1 f1

# abroad NAME VIP CLUSTER REGION POD: a service that lives there, and as a last resort at home.
abroad() {
  svc ack-hangzhou "$1" "$2" 80
  eps "$3" "$1" "$5"
  eps ack-hangzhou "$1" 10.0.0.11
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
abroad far 172.16.0.31 ack-shanghai cn-shanghai 10.1.0.11
abroad farther 172.16.0.32 ack-frankfurt eu-central 10.2.0.11
agent_start h

for _ in 1 2; do # at first nothing is known of them
  expect_eq "30 ms away" "s1=20" "$(hits client 172.16.0.31 80 20)"
  expect_eq "150 ms away" "f1=20" "$(hits client 172.16.0.32 80 20)"
done
for reason in RESCUE_TIMEOUT RESCUE_REFUSED RESCUE_UNREACHABLE RESCUE_NOWHERE; do
  expect_eq "none was moved ($reason)" 0 "$(reason h $reason)"
done
expect_eq "no failures" 0 "$(stat_of h 10.2.0.11 .failed)"

blackhole f1
expect_eq "but silent it is" "h1=3" "$(hits client 172.16.0.32 80 3)"
expect_between "and moved" 3 3 "$(reason h RESCUE_TIMEOUT)"
sandbox_end
