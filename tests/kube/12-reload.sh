#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Clusters are removed, added and changed by editing the configuration, while the service is used: what is
# known of a cluster stays until another source of it has said what there is.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/12-reload
two_clusters
reviews_applied
agent_start h
reviews_planned
names() { ctl h status -o json | jq -r '.clusters[].name' | paste -sd' '; }

poll_start
cp "$SANDBOX/h.yaml" "$SANDBOX/whole.yaml"
sed -i '/- name: ack-shanghai/,/kubeconfig:.*shanghai/d' "$SANDBOX/h.yaml"
agent_reload h
expect_ok "removed: its endpoints go" wait_for "$SOON_S" planned 10.0.0.11 10.0.0.12
expect_eq "and it" "ack-hangzhou" "$(names)"
expect_match "the home cluster's rule holds" '^h1=. h2=.$' "$(hits client $VIP 80 10)"
cp "$SANDBOX/whole.yaml" "$SANDBOX/h.yaml"
agent_reload h
expect_ok "added" wait_for "$SOON_S" planned 10.0.0.11 10.0.0.12 10.1.0.11

# Another kubeconfig for the same cluster, which cannot be reached just then.
cp "$SANDBOX/kube/ack-shanghai/agent.conf" "$SANDBOX/kube/ack-shanghai/other.conf"
server_kill ack-shanghai
sed -i 's|ack-shanghai/agent.conf|ack-shanghai/other.conf|' "$SANDBOX/h.yaml"
agent_reload h
expect_ok "status says that it is gone" wait_for "$SOON_S" complains ack-shanghai .
expect_ok "changed: what was known stays" planned 10.0.0.11 10.0.0.12 10.1.0.11
eps ack-hangzhou reviews 10.0.0.11
expect_ok "the other one goes on" wait_for "$SOON_S" planned 10.0.0.11 10.1.0.11
server_start ack-shanghai
eps ack-shanghai reviews 10.1.0.12
expect_ok "until it was read" wait_for "$AGAIN_S" planned 10.0.0.11 10.1.0.12
expect_ok "and is well" wait_for "$AGAIN_S" is_well ack-shanghai
poll_stop "while clusters came and went"
sandbox_end
