#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# etcd is set back to a snapshot: what it has lost is given up as soon as the server is back, whether its
# versions are lower than those that were heard, or have passed them already.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/17-storage-set-back
two_clusters
reviews_applied
storage_keep ack-hangzhou
server_start ack-hangzhou
agent_start h
reviews_planned

services() { ctl h services -o json | jq '.services | length'; }
services_are() { [[ $(services) == "$1" ]]; }
heard() { told ack-hangzhou ".resources[] | select(.resource == \"endpointslices\") | .version"; }
stored() { api ack-hangzhou /apis/discovery.k8s.io/v1/endpointslices?limit=1 | jq -r .metadata.resourceVersion; }
has_heard() { (($(heard) >= $1)); }
before=$(services)
expect_eq "the rule holds" "failover" \
  "$(ctl h services -o json | jq -r '.services[] | select(.service == "default/reviews") | .mode')"

# Much has happened since.
many ack-hangzhou 60
eps ack-hangzhou reviews 10.0.0.12
expect_ok "all is followed" wait_for "$SOON_S" planned 10.0.0.12 10.1.0.11
expect_ok "all is followed" wait_for "$SOON_S" services_are $((before + 60))
expect_ok "to the last version" wait_for "$SOON_S" has_heard "$(stored)"
version=$(heard)
poll_start
storage_set_back ack-hangzhou
server_start ack-hangzhou
expect_between "the server's version is lower" 1 $((version - 1)) "$(stored)"
expect_ok "what it has holds" wait_for "$AGAIN_S" planned 10.0.0.11 10.0.0.12 10.1.0.11
expect_ok "and nothing else" wait_for "$SOON_S" services_are "$before"
expect_ok "all is well" wait_for "$AGAIN_S" is_well ack-hangzhou
eps ack-hangzhou reviews 10.0.0.11
expect_ok "changes come at once" wait_for "$SOON_S" planned 10.0.0.11 10.1.0.11

# One change since, and the server is reached only after more has happened in it than it has lost.
version=$(heard)
server_kill ack-hangzhou
silence ack-hangzhou
storage_set_back ack-hangzhou
server_start ack-hangzhou
for ((i = 0; i < 200; i++)); do
  api ack-hangzhou /api/v1/namespaces/default -X PATCH -o /dev/null \
    -H 'Content-Type: application/merge-patch+json' -d "{\"metadata\": {\"annotations\": {\"at\": \"$i\"}}}"
done
expect_between "the server's version has passed the one that was heard" $((version + 1)) 1000000000 "$(stored)"
unsilence ack-hangzhou
expect_ok "what it has holds" wait_for "$AGAIN_S" planned 10.0.0.11 10.0.0.12 10.1.0.11
expect_ok "all is well" wait_for "$AGAIN_S" is_well ack-hangzhou
eps ack-hangzhou reviews 10.0.0.12
expect_ok "changes come at once" wait_for "$SOON_S" planned 10.0.0.12 10.1.0.11
poll_stop "while storage was set back" 100
sandbox_end
