#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Tokens run out and are replaced: in a pod, where the kubelet swaps a link, and in a file that a
# kubeconfig names. The agent takes up the new one by itself; no token is ever seen in what it says.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/04-tokens
two_clusters
reviews_applied

# A pod's view of its service account, at the place where every client looks for it.
account=$SANDBOX/account
mkdir "$account"
# mounted NAME: as the kubelet writes it: a new folder, and a link that is replaced in one step.
mounted() {
  mkdir "$account/..$1"
  cp "$SANDBOX/kube/ack-hangzhou/agent.token" "$account/..$1/token"
  cp "$SANDBOX/kube/ack-hangzhou/ca.crt" "$account/..$1/ca.crt"
  echo meridian-system >"$account/..$1/namespace"
  ln -s "..$1" "$account/..data.new"
  mv -T "$account/..data.new" "$account/..data"
}
agent_token ack-hangzhou 20
mounted first
ln -s ..data/token ..data/ca.crt ..data/namespace "$account"
cat >"$SANDBOX/in-pod" <<END
#!/bin/bash
export KUBERNETES_SERVICE_HOST=${KUBE_ADDRESS[ack-hangzhou]} KUBERNETES_SERVICE_PORT=$KUBE_PORT
exec unshare --mount bash -c 'mount -t tmpfs run /run && mkdir -p /run/secrets/kubernetes.io &&
  ln -s "$account" /run/secrets/kubernetes.io/serviceaccount && exec "\$0" "\$@"' "$MERIDIAND" "\$@"
END
chmod +x "$SANDBOX/in-pod"
CLUSTER_ACCESS[ack-hangzhou]="inCluster: true"
MERIDIAND=$SANDBOX/in-pod agent_start h
reviews_planned

# token_is CLUSTER CODE: what the server says to the token in the file; it remembers good ones for 10 s.
token_is() {
  [[ $(as_agent "$1" /api/v1/services -o /dev/null -w '%{http_code}') == "$2" ]]
}
changed_to() { eps ack-hangzhou reviews "$@" && wait_for "$AGAIN_S" planned "$@" 10.1.0.11; }

poll_start
wait_for 45 token_is ack-hangzhou 401
server_kill ack-hangzhou
server_start ack-hangzhou
expect_ok "the token has run out" wait_for "$AGAIN_S" complains ack-hangzhou '401'
expect_match "the plan stands" '^h1=. h2=.$' "$(hits client $VIP 80 10)"
agent_token ack-hangzhou
mounted second
expect_ok "the next one is found" changed_to 10.0.0.11
expect_ok "all is well" wait_for "$AGAIN_S" is_well ack-hangzhou

# The file of a kubeconfig, replaced before the old token runs out: nobody notices.
agent_token ack-shanghai
cut_off ack-shanghai
eps ack-shanghai reviews 10.1.0.12
expect_ok "a file is replaced" wait_for "$SOON_S" planned 10.0.0.11 10.1.0.12

# One that the server refuses, and then the good one again.
good=$SANDBOX/kube/ack-shanghai/agent.token
mv "$good" "$good.good"
resign "$(<"$good.good")" 1 "$SANDBOX/kube/ack-shanghai/sa.key" >"$good"
cut_off ack-shanghai
expect_ok "a token of another time" wait_for "$AGAIN_S" complains ack-shanghai '401'
mv "$good.good" "$good"
eps ack-shanghai reviews 10.1.0.11
expect_ok "the good one again" wait_for "$AGAIN_S" planned 10.0.0.11 10.1.0.11
poll_stop "while tokens ran out" 100

for token in "$account"/..*/token "$SANDBOX"/kube/*/agent.token; do
  # The signature: header and claims begin alike in every token.
  secret=$(cut -d. -f3 "$token")
  for place in "$(cat "$SANDBOX"/log/agent-h*)" "$(ctl h status)" "$(ctl h status -o json)" \
    "$(tr '\0' '\n' </proc/"${AGENT_PID[h]}"/cmdline)" "$(tr '\0' '\n' </proc/"${AGENT_PID[h]}"/environ)"; do
    expect_eq "no token in what the agent says" "" "$(grep -oF "${secret:0:40}" <<<"$place" || true)"
  done
done
sandbox_end
