#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Where an endpoint is, is said by the labels of its node: when the node is there, when its labels are
# edited, and when it is gone.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/18-nodes
two_clusters
web h1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
kube ack-hangzhou patch endpointslice/reviews-ipv4 --type json \
  -p '[{"op": "add", "path": "/endpoints/0/nodeName", "value": "n1"}]' >/dev/null

node_labelled() { # LABEL=VALUE…
  kube ack-hangzhou label --overwrite node/n1 "$@" >/dev/null
}
place() { ctl h endpoints default/reviews -o json | jq -r '.endpoints[0] | "\(.region)/\(.zone)"'; }
is_in() { [[ $(place) == "$1" ]]; }

kube ack-hangzhou apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Node
metadata: { name: n1, labels: { topology.kubernetes.io/region: r1, topology.kubernetes.io/zone: z1 } }
YAML
agent_start h
expect_ok "by the labels of the node" wait_for "$SOON_S" is_in r1/z1
node_labelled topology.kubernetes.io/zone=z2
expect_ok "edited" wait_for "$SOON_S" is_in r1/z2
cut_off ack-hangzhou
node_labelled topology.kubernetes.io/region=r2
expect_ok "edited while nobody listened" wait_for "$SOON_S" is_in r2/z2
# The region of the cluster, as in the configuration.
kube ack-hangzhou delete node/n1 >/dev/null
expect_ok "gone" wait_for "$SOON_S" is_in cn-hangzhou/
expect_ok "all is well" wait_for "$SOON_S" is_well ack-hangzhou
sandbox_end
