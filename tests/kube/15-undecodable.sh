#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Objects that the server hands out and that nobody can understand: rules of the wrong types, which the
# kind's schema lets in, and slices and services that were written into etcd past the server's judgement.
# Each is named; its last good version holds until it is mended, over a new list, too.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/15-undecodable
audited ack-shanghai
two_clusters
reviews_applied
agent_start h
reviews_planned

slices=/apis/discovery.k8s.io/v1/namespaces/default/endpointslices
services=/api/v1/namespaces/default/services
# smuggle CLUSTER PATH FILTER KEY: an object of the server's, changed by jq, into etcd.
smuggle() { api "$1" "$2" | jq "$3" | etcd_put "$1" "/registry/$4"; }
broken() { [[ $(told "$1" .broken_objects) == "$2" ]]; }
said() { expect_ok "which is told" wait_for "$SOON_S" agent_said h "$1"; }

poll_start
smuggle ack-shanghai $slices/reviews-ipv4 '.endpoints[0].addresses = ["10.1.0.300"]' \
  endpointslices/default/reviews-ipv4
expect_ok "a slice with an address that is none" wait_for "$SOON_S" broken ack-shanghai 1
said 'ack-shanghai/endpointslices/default/reviews-ipv4: .*endpoints\[0\].addresses\[0\].*10\.1\.0\.300'
smuggle ack-shanghai $slices/reviews-ipv4 '.metadata.name = "other" | .addressType = "IPv5"' \
  endpointslices/default/other
expect_ok "one that never was any better" wait_for "$SOON_S" broken ack-shanghai 2
said 'ack-shanghai/endpointslices/default/other: .*addressType'
expect_eq "status names both" \
  "ack-shanghai/endpointslices/default/other ack-shanghai/endpointslices/default/reviews-ipv4" \
  "$(told ack-shanghai '.broken[]' | cut -d: -f1 | sort | xargs)"
expect_match "and what is wrong" 'NOT UNDERSTOOD ack-shanghai/endpointslices/default/other: error: addressType' "$(ctl h status)"
smuggle ack-hangzhou $services/reviews '.spec.clusterIP = "here" | .spec.clusterIPs = ["here"]' \
  services/specs/default/reviews
expect_ok "a service" wait_for "$SOON_S" broken ack-hangzhou 1
said 'ack-hangzhou/services/default/reviews: .*clusterIP'
expect_ok "the last good ones hold" planned 10.0.0.11 10.0.0.12 10.1.0.11
eps ack-hangzhou reviews 10.0.0.11
expect_ok "other objects are followed" wait_for "$SOON_S" planned 10.0.0.11 10.1.0.11

rejected() { ctl h status -o json | jq -r '.agent.rules_rejected[] | "\(.rule) \(.holds) \(.findings)"'; }
is_rejected() { [[ $(rejected) == "ack-hangzhou/default/reviews before "*spec.host*spec.trafficPolicy* ]]; }
none_rejected() { [[ $(rejected) == "" ]]; }
policy reviews <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec: { host: [ 5, { a: b } ], trafficPolicy: [ 1, 2 ] }
YAML
expect_ok "a rule of other types" wait_for "$SOON_S" is_rejected
said 'ack-hangzhou/default/reviews: .*spec\.host'
said 'ack-hangzhou/default/reviews: .*spec\.trafficPolicy'
expect_eq "the last good one holds" "h1=10" "$(hits client $VIP 80 10)"

lists() {
  asked ack-shanghai 'select(.requestURI | test("endpointslices.*sendInitialEvents")) | .stage' |
    grep -c ResponseComplete
}
forgets ack-shanghai
listed_again() { (($(lists) >= 2)); }
expect_ok "a new list" wait_for "$AGAIN_S" listed_again
expect_ok "with both of them" broken ack-shanghai 2
expect_ok "the last good one is kept" planned 10.0.0.11 10.1.0.11

eps ack-shanghai reviews 10.1.0.12
expect_ok "mended" wait_for "$AGAIN_S" planned 10.0.0.11 10.1.0.12
kube ack-shanghai delete endpointslice other >/dev/null
expect_ok "and gone" wait_for "$AGAIN_S" broken ack-shanghai 0
smuggle ack-hangzhou $services/reviews ".spec.clusterIP = \"$VIP\" | .spec.clusterIPs = [\"$VIP\"]" \
  services/specs/default/reviews
expect_ok "the service" wait_for "$AGAIN_S" broken ack-hangzhou 0
failover_policy reviews
expect_ok "the rule" wait_for "$SOON_S" none_rejected
expect_ok "all is well" wait_for "$AGAIN_S" is_well ack-shanghai
poll_stop "while objects were broken" 100
sandbox_end
