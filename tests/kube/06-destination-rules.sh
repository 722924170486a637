#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# DestinationRules: their kind is not installed yet, is installed, is taken away, is there in another
# version. What is applied takes effect; what is wrong is named, and the last good rule holds.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/06-destination-rules
two_clusters
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
eps ack-shanghai reviews 10.1.0.11
agent_start h
wait_for 15 planned 10.0.0.11 10.1.0.11

mode() { ctl h services -o json | jq -r '.services[] | select(.service == "default/reviews") | .mode'; }
mode_is() { [[ $(mode) == "$1" ]]; }

expect_eq "no such kind: one pool" "h1=5 s1=5" "$(hits client $VIP 80 10)"
expect_ok "which is no error" is_well ack-hangzhou

crd_install ack-hangzhou
failover_policy reviews
expect_ok "installed later" wait_for 70 mode_is failover
expect_eq "a rule that was applied" "h1=10" "$(hits client $VIP 80 10)"

rule() { # SETTING
  policy reviews <<YAML
apiVersion: networking.istio.io/${VERSION:-v1}
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec: { host: reviews, trafficPolicy: { loadBalancer: { localityLbSetting: $1 } } }
YAML
}
distribute='{ distribute: [ { from: "cn-hangzhou/*", to: { "cn-hangzhou/*": 90, "cn-shanghai/*": 10 } } ] }'
failover='{ failover: [ { from: cn-hangzhou, to: cn-shanghai } ] }'
rule "$distribute"
expect_ok "edited" wait_for "$SOON_S" mode_is distribute
expect_eq "one in ten leaves" "h1=90 s1=10" "$(hits client $VIP 80 100)"

rule '{ distribute: [ { from: "cn-hangzhou/*", to: { "cn-hangzhou/*": 90, "cn-shanghai/*": 20 } } ] }'
expect_ok "a wrong sum is named with object and field" \
  wait_for "$SOON_S" agent_said h 'default/reviews.*distribute|distribute.*default/reviews'
expect_eq "the last good rule holds" "h1=90 s1=10" "$(hits client $VIP 80 100)"
rule "$distribute"

kube ack-hangzhou delete destinationrule reviews >/dev/null
expect_ok "deleted: one pool" wait_for "$SOON_S" mode_is pool
failover_policy reviews
expect_ok "again" wait_for "$SOON_S" mode_is failover

crd_remove ack-hangzhou
expect_ok "the kind is taken away: its rules are gone" wait_for 40 mode_is pool
VERSION=v1beta1
crd_install ack-hangzhou v1beta1
rule "$distribute"
expect_ok "another version is served" wait_for 70 mode_is distribute
agent_kill h
agent_start h
expect_ok "and found at start" wait_for "$SOON_S" mode_is distribute

# Istio before 1.6 has no other. The rule is not lost while the versions change.
crd_remove ack-hangzhou
expect_ok "the kind is taken away again" wait_for 40 mode_is pool
crd_install ack-hangzhou v1alpha3 v1
crd_serve ack-hangzhou v1alpha3
VERSION=v1alpha3 rule "$distribute"
expect_ok "the oldest version alone is served" wait_for 70 mode_is distribute
agent_kill h
agent_start h
expect_ok "and found at start" wait_for "$SOON_S" mode_is distribute
(while true; do mode || true; sleep 0.1; done) >"$SANDBOX/log/modes" &
modes=$!
seen() { [[ $(grep . "$SANDBOX/log/modes" | tail -n 1) == "$1" ]]; }
expect_ok "watched" wait_for "$SOON_S" seen distribute
crd_serve ack-hangzhou v1
VERSION=v1 rule "$failover"
expect_ok "followed from one version to another" wait_for 70 seen failover
crd_serve ack-hangzhou v1alpha3
VERSION=v1alpha3 rule "$distribute"
expect_ok "and back" wait_for 70 seen distribute
kill $modes
expect_eq "without ever having been lost" "distribute failover distribute" \
  "$(grep . "$SANDBOX/log/modes" | uniq | paste -sd' ')"
expect_ok "all is well" wait_for "$SOON_S" is_well ack-hangzhou
sandbox_end
