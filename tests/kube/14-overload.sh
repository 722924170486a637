#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The server's priority and fairness has no room for the agent's account: 429, with Retry-After. It is
# named, it is waited for, and the plan stands until there is room again.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/14-overload
audited ack-shanghai
two_clusters
reviews_applied
agent_start h
reviews_planned

# One seat for the agent's account and for who takes it: with a body that does not come to its end.
kube ack-shanghai create clusterrolebinding holder --clusterrole cluster-admin --user holder >/dev/null
kube ack-shanghai apply -f - >/dev/null <<YAML
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata: { name: one-seat }
spec:
  type: Limited
  limited: { nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse: { type: Reject } }
---
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata: { name: one-seat }
spec:
  priorityLevelConfiguration: { name: one-seat }
  matchingPrecedence: 2
  rules:
  - subjects:
    - { kind: User, user: { name: holder } }
    - { kind: ServiceAccount, serviceAccount: { name: meridian-remote, namespace: meridian-remote } }
    resourceRules: [ { verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] } ]
YAML
# header NAME: a header of the server's answer to the agent's account.
header() {
  as_agent ack-shanghai '/api/v1/services?limit=1' -o /dev/null -D - | tr -d '\r' | sed -n "s/^$1: //Ip"
}
one_seat=$(kube ack-shanghai get prioritylevelconfiguration one-seat -o 'jsonpath={.metadata.uid}')
is_one_seat() { [[ $(header x-kubernetes-pf-prioritylevel-uid) == "$one_seat" ]]; }
expect_ok "one seat" wait_for 20 is_one_seat
dir=$SANDBOX/kube/ack-shanghai
# shellcheck disable=SC2016 # $0 and $1 are the inner shell's
serve_kube ack-shanghai holder bash -c 'sleep 1000 | curl --silent --show-error --fail --upload-file - --request POST \
  --cacert "$0/ca.crt" --cert "$0/admin.crt" --key "$0/admin.key" --header "Impersonate-User: holder" \
  --header "Content-Type: application/json" "$1/api/v1/namespaces/default/configmaps"' \
  "$dir" "https://${KUBE_ADDRESS[ack-shanghai]}:$KUBE_PORT"
# The more ask in vain, the longer they are to wait.
told_to_wait() { [[ $(header retry-after) -ge $1 ]]; }
expect_ok "which is taken" wait_for 20 told_to_wait 1
expect_ok "for long" wait_for 20 told_to_wait 4

# And the server forgets that it was asked: so it is asked on, until the agent has been told.
for ((n = 0; n < 600; n++)); do
  header retry-after >/dev/null || true
  sleep 0.1
done &
asking=$!
poll_start
cut_off ack-shanghai
eps ack-shanghai reviews 10.1.0.12
refused() { [[ $(lacks ack-shanghai "$1") == *"answers 429"* ]]; }
for resource in services endpointslices nodes; do
  expect_ok "$resource are refused" wait_for "$SOON_S" refused $resource
done
kill "$asking"
wait "$asking" || true
eps ack-hangzhou reviews 10.0.0.11
expect_ok "the other cluster goes on, the plan stands" wait_for "$SOON_S" planned 10.0.0.11 10.1.0.11
kube ack-shanghai delete flowschema one-seat >/dev/null
expect_ok "there is room again" wait_for "$AGAIN_S" planned 10.0.0.11 10.1.0.12
expect_ok "all is well" wait_for "$AGAIN_S" is_well ack-shanghai
poll_stop "while there was no room"

# Each kind's first wait, from one request to the next. The end of the watch was a failure, too, so this is the
# second of the backoff, which alone would end before 3.2 s.
# shellcheck disable=SC2016 # $ms is jq's
waits=$(asked ack-shanghai '(.requestReceivedTimestamp | (sub("\\..*"; "Z") | fromdate) * 1000 + (.[20:23] | tonumber))
    as $ms | [.objectRef.resource, .responseStatus.code, $ms] | @tsv' |
  awk '$1 in since && since[$1] && $3 > since[$1] { print $3 - since[$1]; since[$1] = 0 }
    !($1 in since) && $2 == 429 { since[$1] = $3 }')
expect_eq "kinds that waited" 3 "$(wc -l <<<"$waits")"
expect_between "Retry-After, the least wait in ms" 3500 60000 "$(sort -n <<<"$waits" | head -n 1)"
sandbox_end
