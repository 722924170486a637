#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#
# The guide on two real one-node clusters, for a person to watch: kubelets, containers, Meridian as the
# DaemonSet that docs/INSTALL.md installs, and nothing but kubectl to handle it. About three minutes. The
# exit code is 0 if all that is seen is what is expected.
set -euo pipefail
# shellcheck source=tests/kube/nodes.sh
. "$(dirname "$0")/../tests/kube/nodes.sh"
# shellcheck source=tests/kube/guide.sh
. "$KUBE_TESTS/guide.sh"
# shellcheck source=demo/print.sh
. "$SANDBOX_ROOT/demo/print.sh"

FAILOVER='{ failover: [ { from: cn-hangzhou, to: cn-shanghai }, { from: cn-shanghai, to: cn-hangzhou } ] }'
DISTRIBUTE='{ distribute: [ { from: "cn-hangzhou/*", to: { "cn-hangzhou/*": 90, "cn-shanghai/*": 10 } } ] }'

# shown COMMAND_LINE OF_KUBECTL [CLUSTER]: typed, done, and its answer.
shown() {
  local cluster=${2:-ack-hangzhou}

  typed "kubectl $1" "$cluster"
  # shellcheck disable=SC2086 # words
  kube "$cluster" $1 2>&1 | prose
}

# What the agent of Hangzhou says of reviews.
seen_by_agent() {
  typed "kubectl -n meridian-system exec daemonset/meridian -- meridianctl endpoints default/reviews"
  agent ack-hangzhou meridianctl endpoints default/reviews 2>&1 | columns "ENDPOINT REGION STATE CONNECTS" | indented
}

act_install() {
  say "Meridian is applied to both clusters, then each is given the other's read-only account by" \
    "meridian-join. The pods become ready when the first plan is in the kernel."
  typed "kubectl apply -k overlay; meridian-join --remote ack-shanghai --name ack-shanghai --home ack-hangzhou"
  meridian_apply
  rolled_out ack-hangzhou >/dev/null || true
  rolled_out ack-shanghai >/dev/null || true
  shown "-n meridian-system get pods"
  shown "-n meridian-system get pods" ack-shanghai
  prove "agents that are ready" 2 2 "$(for name in "${CLUSTERS[@]}"; do
    kube "$name" -n meridian-system get pods -o 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}{"\n"}'
  done | grep -cx True)"
}

act_pool() {
  local pages version

  say "No rule yet: the endpoints of both clusters are one pool, about 1:1:1."
  wait_for 30 settled pool 3 || true
  seen_by_agent
  pages=$(pages 30)
  for version in v1 v2 v3; do
    prove "of 30 pages by $version" 8 12 "$(answered "$version" <<<"$pages")"
  done
}

act_failover() {
  local service

  say "Each region is the other's backup. Then reviews in Hangzhou is scaled to 0; v2 of Shanghai has" \
    "stars on both reviews of a page, so ten pages are 20 lines."
  typed "kubectl apply -f failover.yaml"
  for service in productpage details ratings reviews; do
    rule "$service" "$FAILOVER"
  done
  wait_for 15 settled failover 3 || true
  prove "of 10 pages by Shanghai, before" 0 0 "$(pages 10 | answered v2)"
  shown "scale deployment reviews-v1 reviews-v3 --replicas 0"
  wait_for 15 settled failover 1 || true
  seen_by_agent
  prove "lines with stars, the guide's loop" 20 20 "$(stars)"
}

act_distribution() {
  say "10 % of what Hangzhou asks goes to Shanghai; v1, without stars, serves the rest."
  typed "kubectl apply -f distribution.yaml"
  rule reviews "$DISTRIBUTE"
  shown "scale deployment reviews-v1 --replicas 1"
  wait_for 30 settled distribute 2 || true
  prove "lines with stars, the guide's loop" 2 2 "$(stars)"
  prove "of 100 pages by Shanghai" 9 11 "$(pages 100 | answered v2)"
}

act_upgrade() {
  local polled

  say "Another image is rolled out under a request every 50 ms."
  poll_start roll
  overlay ack-hangzhou ack-shanghai next
  kube ack-hangzhou apply -k "$SANDBOX/overlay/ack-hangzhou" >/dev/null
  shown "-n meridian-system rollout status daemonset/meridian --timeout 90s"
  polled=$(poll_end roll)
  prove "requests that failed, of ${polled% *}" 0 0 "${polled#* }"
}

main() {
  local act

  nodes_begin demo/kube
  say "Two nodes with their control planes, and Bookinfo on both; about a minute ..."
  images dev next
  two_nodes
  overlay ack-hangzhou ack-shanghai dev
  overlay ack-shanghai ack-hangzhou dev
  bookinfo_up
  shown "get nodes,pods -o wide"
  for act in install pool failover distribution upgrade; do
    ACT=$act
    title "$act"
    "act_$act"
  done
  print_table
  SANDBOX_QUIET=1
  SANDBOX_VERDICT=played
  exit $((DIFFERENT > 0))
}

main
