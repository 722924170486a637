#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# default/kubernetes and kube-system stay inside their cluster; clusterLocal lifts and sets it.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/18-cluster-local
two_regions
web h1 h2 s1
for service in default/kubernetes kube-system/kube-dns default/private; do
  eps ack-hangzhou $service 10.0.0.11
  eps ack-shanghai $service 10.1.0.11
done
svc ack-hangzhou default/kubernetes 172.16.0.1 443
svc ack-hangzhou kube-system/kube-dns 172.16.0.10 53
svc ack-hangzhou default/private 172.16.0.30 80
policy mesh <<'YAML'
serviceSettings:
- settings: { clusterLocal: true }
  hosts: ["private.default.svc.cluster.local"]
YAML
agent_start h
expect_eq "default/kubernetes" "h1=20" "$(hits client 172.16.0.1 443 20)"
expect_eq "kube-system" "h1=20" "$(hits client 172.16.0.10 53 20)"
expect_eq "by policy" "h1=20" "$(hits client 172.16.0.30 80 20)"
policy mesh <<'YAML'
serviceSettings:
- settings: { clusterLocal: false }
  hosts: ["kube-dns.kube-system.svc.cluster.local"]
YAML
expect_ok "lifted" wait_for 5 sees "h1=5 s1=5" client 172.16.0.10 53 10
expect_eq "no longer by policy" "h1=10 s1=10" "$(hits client 172.16.0.30 80 20)"

# internalTrafficPolicy: Local is of this node alone.
svc ack-hangzhou nodelocal 172.16.0.40 80 "internalTrafficPolicy: Local"
eps ack-hangzhou nodelocal 10.0.0.11 10.0.0.12
sed -i 's/^- addresses: \["10.0.0.11"\]/&\n  nodeName: h/; s/^- addresses: \["10.0.0.12"\]/&\n  nodeName: elsewhere/' \
  "$SANDBOX/state/ack-hangzhou/slice-default-nodelocal-ipv4.yaml"
expect_ok "this node's endpoint only" wait_for 5 sees "h1=10" client 172.16.0.40 80 10
eps ack-hangzhou nodelocal 10.0.0.12
expect_ok "none on this node: refused" wait_for 5 sees "ECONNREFUSED=5" client 172.16.0.40 80 5
sandbox_end
