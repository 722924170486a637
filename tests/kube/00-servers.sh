#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What the other tests stand on: two servers that are apart, what the agent's account may do there, a
# token that runs out, a server that dies and forgets. Without an agent.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/00-servers
two_clusters
slices=/apis/discovery.k8s.io/v1/endpointslices

status_of() { api "$@" -o "$SANDBOX/answer" -w '%{http_code}'; }
answers() { api "$1" /readyz --max-time 2 >/dev/null 2>&1; }
agent_status() { as_agent "$@" -o "$SANDBOX/answer" -w '%{http_code}'; }

svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
expect_eq "applied" "reviews-ipv4" "$(api ack-hangzhou $slices | jq -r '.items[].metadata.name')"
expect_eq "the other cluster has none of it" "" "$(api ack-shanghai $slices | jq -r '.items[].metadata.name')"
expect_eq "node h reaches both servers" "401 401" "$(for name in ack-hangzhou ack-shanghai; do
  run_in h curl -sk -o "$SANDBOX/answer" -w '%{http_code}\n' --max-time 5 -H 'Authorization: Bearer x' \
    "https://${KUBE_ADDRESS[$name]}:$KUBE_PORT/api"
done | paste -sd' ')"

for path in /api/v1/services /api/v1/nodes "$slices"; do
  expect_eq "the agent may list $path" 200 "$(agent_status ack-hangzhou "$path")"
done
services=/api/v1/namespaces/default/services
expect_eq "it may not get one" 403 "$(agent_status ack-hangzhou $services/reviews)"
expect_eq "nor make one" 403 \
  "$(agent_status ack-hangzhou $services -d '{}' -H 'Content-Type: application/json')"
expect_eq "nor read secrets" 403 "$(agent_status ack-hangzhou /api/v1/secrets)"
cp "$SANDBOX/kube/ack-hangzhou/agent.token" "$SANDBOX/kube/ack-shanghai/agent.token"
expect_eq "one cluster's token is nothing to the other" 401 "$(agent_status ack-shanghai $slices)"

# The server remembers for ten seconds that a token was good.
agent_token ack-shanghai 2
expect_eq "a token is good" 200 "$(agent_status ack-shanghai $slices)"
expired() { [[ $(agent_status ack-shanghai "$slices") == 401 ]]; }
expect_ok "and runs out" wait_for 20 expired

expect_eq "no DestinationRules yet" 404 "$(status_of ack-hangzhou /apis/networking.istio.io/v1/destinationrules)"
crd_install ack-hangzhou
failover_policy reviews
expect_eq "both versions are served" "reviews reviews" "$(for version in v1 v1beta1; do
  api ack-hangzhou "/apis/networking.istio.io/$version/destinationrules" | jq -r '.items[].metadata.name'
done | paste -sd' ')"
crd_remove ack-hangzhou
crd_install ack-hangzhou v1beta1
expect_eq "one version" 404 "$(status_of ack-hangzhou /apis/networking.istio.io/v1/destinationrules)"
expect_eq "and an empty list" 0 \
  "$(api ack-hangzhou /apis/networking.istio.io/v1beta1/destinationrules | jq '.items | length')"

# Nodes by their metadata alone, in lists and in streamed ones; who names JSON besides gets that from
# servers that cannot.
kube ack-hangzhou apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Node
metadata: { name: n1, labels: { topology.kubernetes.io/region: somewhere } }
spec: { podCIDR: 10.0.0.0/24 }
YAML
as_metadata() { as_agent ack-hangzhou "$1" -H "Accept: application/json;as=$2;g=meta.k8s.io;v=v1,application/json"; }
expect_eq "a list of metadata" "meta.k8s.io/v1 PartialObjectMetadata n1 somewhere null" \
  "$(as_metadata /api/v1/nodes PartialObjectMetadataList | jq -r '.items[]
    | "\(.apiVersion) \(.kind) \(.metadata.name) \(.metadata.labels["topology.kubernetes.io/region"]) \(.spec)"')"
streamed='watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=2'
expect_eq "a stream of metadata, with its end" "ADDED PartialObjectMetadata null;BOOKMARK PartialObjectMetadata true" \
  "$(as_metadata "/api/v1/nodes?$streamed" PartialObjectMetadata | jq -r '"\(.type) \(.object.kind) \(
    .object.metadata.annotations["k8s.io/initial-events-end"])"' | head -2 | paste -sd';')"

# A watch from a version before the compaction, at a server that was started after it.
version=$(api ack-hangzhou $slices | jq -r .metadata.resourceVersion)
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
etcd_compact ack-hangzhou
server_kill ack-hangzhou
expect_fail "a killed server does not answer" answers ack-hangzhou
server_start ack-hangzhou
expect_match "too old" '"type":"ERROR".*"code":410' "$(api ack-hangzhou \
  "$slices?watch=1&resourceVersion=$version&timeoutSeconds=3" -A test)"
expect_eq "what was applied is still there" 2 "$(api ack-hangzhou $slices | jq '.items[0].endpoints | length')"

server_pause ack-hangzhou
expect_fail "a paused one accepts, and says nothing" answers ack-hangzhou
server_resume ack-hangzhou
expect_ok "and goes on" wait_for "$SOON_S" server_ready ack-hangzhou

# Many objects, made over one connection.
many ack-shanghai 300
expect_eq "many" "300 301" "$(api ack-shanghai /apis/discovery.k8s.io/v1/endpointslices | jq '.items | length') $(
  api ack-shanghai /api/v1/services | jq '.items | length')"
sandbox_end
