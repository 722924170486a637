#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The DaemonSet on real nodes: installed by apply -k, the guide by kubectl scale and applied rules with
# clients and servers as pods, what happens to agents, and that nothing is left of it.
set -euo pipefail
# shellcheck source=tests/kube/nodes.sh
. "$(dirname "$0")/nodes.sh"
# shellcheck source=tests/kube/guide.sh
. "$(dirname "$0")/guide.sh"

# ------------------------------------------------------------------------------ install

nodes_begin kube/30-daemonset
images dev next
two_nodes
overlay ack-hangzhou ack-shanghai dev
overlay ack-shanghai ack-hangzhou dev
bookinfo_up
meridian_apply
for name in "${CLUSTERS[@]}"; do
  expect_ok "$name: rolled out" rolled_out "$name"
done
expect_match "the node's cgroup, not the container's" 'ready.* cgroup=/host/cgroup( |$)' \
  "$(kube ack-hangzhou -n meridian-system logs daemonset/meridian | grep 'msg="ready"' || true)"

# ------------------------------------------------------------------------------ rights, no more

pid=$(on_node ack-hangzhou sh -c 'pgrep -x meridiand')
expect_eq "three capabilities" $(((1 << 12) | (1 << 38) | (1 << 39))) \
  $((16#$(on_node ack-hangzhou sed -n 's/^CapEff:\t//p' "/proc/$pid/status")))
expect_eq "a filter of system calls" 2 "$(on_node ack-hangzhou sed -n 's/^Seccomp:\t//p' "/proc/$pid/status")"
account=system:serviceaccount:meridian-system:meridian
may() { kube ack-hangzhou auth can-i --as "$account" --all-namespaces "$@" 2>/dev/null || true; }
for resource in services nodes endpointslices.discovery.k8s.io destinationrules.networking.istio.io; do
  expect_eq "may list and watch $resource" "yes yes" "$(may list "$resource") $(may watch "$resource")"
  expect_eq "may not change $resource" "no no no" "$(may get "$resource") $(may patch "$resource") $(may delete "$resource")"
done
for resource in secrets configmaps pods; do
  expect_eq "may not read $resource" no "$(may list "$resource")"
done

# ------------------------------------------------------------------------------ the guide

expect_ok "no rule: one pool" wait_for 30 settled pool 3
seen=$(pages 30)
for version in v1 v2 v3; do
  expect_between "of 30 pages by $version" 8 12 "$(answered $version <<<"$seen")"
done

failover='{ failover: [ { from: cn-hangzhou, to: cn-shanghai }, { from: cn-shanghai, to: cn-hangzhou } ] }'
for service in productpage details ratings reviews; do
  rule $service "$failover"
done
expect_ok "a rule is applied" wait_for 15 settled failover 3
expect_eq "of 10 pages by Shanghai, before" 0 "$(pages 10 | answered v2)"
scale ack-hangzhou reviews-v1 0
scale ack-hangzhou reviews-v3 0
expect_ok "scaled to 0" wait_for 15 settled failover 1
expect_eq "lines with stars, the guide's loop" 20 "$(stars)"

rule reviews '{ distribute: [ { from: "cn-hangzhou/*", to: { "cn-hangzhou/*": 90, "cn-shanghai/*": 10 } } ] }'
scale ack-hangzhou reviews-v1 1
expect_ok "distribution" wait_for 30 settled distribute 2
expect_eq "lines with stars, the guide's loop" 2 "$(stars)"
expect_between "of 100 pages by Shanghai" 9 11 "$(pages 100 | answered v2)"

# ------------------------------------------------------------------------------ what agents go through

rule reviews "$failover"
expect_ok "failover again" wait_for 15 settled failover 2
poll_start pod
kube ack-hangzhou -n meridian-system delete pod --selector app.kubernetes.io/name=meridian >/dev/null
expect_ok "the agent's pod is deleted, and there is another" rolled_out ack-hangzhou
expect_match "no request failed meanwhile" '^[1-9][0-9]+ 0$' "$(poll_end pod)"

poll_start roll
overlay ack-hangzhou ack-shanghai next
kube ack-hangzhou apply -k "$SANDBOX/overlay/ack-hangzhou" >/dev/null
expect_ok "another image is rolled out" rolled_out ack-hangzhou
expect_match "no request failed meanwhile" '^[1-9][0-9]+ 0$' "$(poll_end roll)"
expect_match "it runs" ":next$" "$(kube ack-hangzhou -n meridian-system get pod \
  -o 'jsonpath={.items[*].spec.containers[0].image}')"

poll_start server
daemon_stop ack-hangzhou server
expect_fail "there is no API server" kube ack-hangzhou get --raw /readyz --request-timeout 1s
gone_s=$(up_s)
sleep 5
back_s=$(up_s)
daemon_start ack-hangzhou server
expect_ok "the API server was away, and is back" wait_for 60 kube ack-hangzhou get --raw /readyz
expect_ok "the agent is well" wait_for 60 rolled_out ack-hangzhou
expect_match "no request failed meanwhile" '^[1-9][0-9]+ 0$' "$(poll_end server)"
expect_match "nor while there was none, when some were made" '^[1-9][0-9]+ 0$' "$(polled server "$gone_s" "$back_s")"
scale ack-hangzhou reviews-v1 0
expect_ok "and hears what is scaled" wait_for 30 settled failover 1
scale ack-hangzhou reviews-v1 1
expect_ok "up as well" wait_for 30 settled failover 2

restarts='jsonpath={.items[*].status.containerStatuses[*].restartCount}'
cp "$SANDBOX/overlay/ack-hangzhou/meridian.yaml" "$SANDBOX/two.yaml"
sed -i '/^- name: ack-shanghai/,/^$/d' "$SANDBOX/overlay/ack-hangzhou/meridian.yaml"
kube ack-hangzhou apply -k "$SANDBOX/overlay/ack-hangzhou" >/dev/null
expect_ok "a cluster is taken out of the ConfigMap" wait_for 30 settled failover 1
cp "$SANDBOX/two.yaml" "$SANDBOX/overlay/ack-hangzhou/meridian.yaml"
kube ack-hangzhou apply -k "$SANDBOX/overlay/ack-hangzhou" >/dev/null
expect_ok "and put back" wait_for 30 settled failover 2
expect_eq "without a restart" 0 "$(kube ack-hangzhou -n meridian-system get pod -o "$restarts")"

# ------------------------------------------------------------------------------ the serving region is lost

rule reviews '{ distribute: [ { from: "cn-hangzhou/*", to: { "cn-hangzhou/*": 10, "cn-shanghai/*": 90 } } ] }'
expect_ok "Shanghai serves" wait_for 15 settled distribute 2
expect_between "of 20 pages by Shanghai" 17 19 "$(pages 20 | answered v2)"
poll_start frozen
sleep 1
frozen_s=$(up_s)
region_freeze ack-shanghai
expect_ok "its endpoint is ejected" wait_for 20 settled distribute 1
ejected_s=$(up_s)
expect_eq "of 20 pages by the region that is left" 20 "$(pages 20 | answered v1)"
scale ack-hangzhou reviews-v3 1
expect_ok "and its API server delays nobody" wait_for 15 settled distribute 2
seen=$(poll_end frozen)
# One may have been under way.
expect_match "requests before" '^[1-9][0-9]* [01]$' "$(polled frozen 0 "$frozen_s")"
expect_match "requests afterwards" '^[1-9][0-9]+ 0$' "$(polled frozen "$ejected_s")"
# What was under way, and waited in vain: one after the other.
expect_between "requests that failed until then" 0 3 "${seen#* }"
region_thaw ack-shanghai

# ------------------------------------------------------------------------------ and nothing is left

expect_between "programs are attached" 10 20 "$(programs_of ack-hangzhou)"
for name in "${CLUSTERS[@]}"; do
  kube "$name" delete -k "$SANDBOX/overlay/$name" --ignore-not-found --timeout 60s >/dev/null
  kube "$name" apply -k "$DEPLOY/cleanup" >/dev/null
  expect_ok "$name: cleaned" kube "$name" -n meridian-cleanup rollout status daemonset/meridian-cleanup --timeout 60s
  kube "$name" delete -k "$DEPLOY/cleanup" --ignore-not-found --timeout 60s >/dev/null
  kube "$name" delete -k "$DEPLOY/remote" --ignore-not-found --timeout 60s >/dev/null
  expect_eq "$name: no program is left" 0 "$(programs_of "$name")"
  expect_eq "$name: no pin is left" "" "$(on_node "$name" find /sys/fs/bpf -mindepth 1 ! -name '*.debug')"
done
expect_eq "services are kube-proxy's again: of 10 pages, failed" 0 "$(pages 10 | grep -c failed || true)"
expect_eq "no namespace and no right of it" "" \
  "$(kube ack-hangzhou get namespace,clusterrole,clusterrolebinding -o name | grep meridian || true)"
sandbox_end
