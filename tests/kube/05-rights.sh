#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The agent's rights are taken away and given back. What it lacks is named as a rule of RBAC would name it,
# the plan stands, and nobody has to restart anything.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/05-rights
two_clusters
reviews_applied
agent_start h
reviews_planned

# denied CLUSTER PATH: the server has heard of what was taken away, which it does after it has answered.
denied() { [[ $(as_agent "$1" "$2" --output /dev/null --write-out '%{http_code}') == 403 ]]; }

# An open watch goes on without rights; one that is opened now has none.
poll_start
kube ack-hangzhou delete clusterrolebinding/meridian >/dev/null
wait_for "$SOON_S" denied ack-hangzhou /api/v1/nodes
cut_off ack-hangzhou
refused() { [[ $(lacks ack-hangzhou "$1") == *403* ]]; }
expect_ok "refused" wait_for "$AGAIN_S" complains ack-hangzhou '403'
for resource in services nodes; do
  expect_ok "$resource are refused" wait_for "$AGAIN_S" refused $resource
  expect_match "verb, resource and group" "(list|watch).* $resource .*\"\"" "$(lacks ack-hangzhou $resource)"
done
expect_ok "and slices" wait_for "$AGAIN_S" refused endpointslices
expect_match "verb, resource and group" '(list|watch).*endpointslices.*discovery\.k8s\.io' \
  "$(lacks ack-hangzhou endpointslices)"
expect_ok "the log says so, too" wait_for "$AGAIN_S" agent_said h 'cluster cannot be read.*"may not (list|watch) .*403'
eps ack-hangzhou reviews 10.0.0.11
eps ack-shanghai reviews 10.1.0.12
expect_ok "the other cluster goes on" wait_for "$SOON_S" planned 10.0.0.11 10.0.0.12 10.1.0.12
agent_rights ack-hangzhou
expect_ok "given back" wait_for "$AGAIN_S" planned 10.0.0.11 10.1.0.12
expect_ok "all is well" wait_for "$AGAIN_S" is_well ack-hangzhou

# One resource only: the others go on.
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
wait_for "$SOON_S" planned 10.0.0.11 10.0.0.12 10.1.0.12
kube ack-hangzhou get clusterrole/meridian -o json |
  jq '.rules |= map(select(.resources != ["destinationrules"]))' | kube ack-hangzhou apply -f - >/dev/null
wait_for "$SOON_S" denied ack-hangzhou /apis/networking.istio.io/v1/destinationrules
cut_off ack-hangzhou
expect_ok "it is named" wait_for "$AGAIN_S" refused destinationrules
expect_match "with its group" '(list|watch).*destinationrules.*networking\.istio\.io' \
  "$(lacks ack-hangzhou destinationrules)"
nothing_else() { [[ -z $(lacks ack-hangzhou services)$(lacks ack-hangzhou endpointslices) ]]; }
expect_ok "and nothing else" wait_for "$AGAIN_S" nothing_else
eps ack-hangzhou reviews 10.0.0.12
expect_ok "slices are followed" wait_for "$AGAIN_S" planned 10.0.0.12 10.1.0.12
expect_eq "the rule stands" "h2=10" "$(hits client $VIP 80 10)"
agent_rights ack-hangzhou
expect_ok "all is well again" wait_for "$AGAIN_S" is_well ack-hangzhou
poll_stop "while rights came and went" 100

# At start without any: it is waited for ten seconds, and no longer.
kube ack-shanghai delete clusterrolebinding/meridian-remote >/dev/null
wait_for "$SOON_S" denied ack-shanghai /api/v1/nodes
agent_kill h
agent_launch h
expect_ok "ready without it" wait_for "$AGAIN_S" agent_said h '(^|[ ="])ready([ "]|$)'
expect_ok "status names it" wait_for "$AGAIN_S" complains ack-shanghai '(services|endpointslices|nodes)'
agent_rights ack-shanghai
eps ack-shanghai reviews 10.1.0.11
expect_ok "given back after the start" wait_for "$AGAIN_S" planned 10.0.0.12 10.1.0.11
sandbox_end
