#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# docs/INSTALL.md as a new user goes through it, on real nodes: its commands are taken from its text, in
# their order, and nothing else is run but what it says in words.
set -euo pipefail
# shellcheck source=tests/kube/nodes.sh
. "$(dirname "$0")/nodes.sh"
# shellcheck source=tests/kube/guide.sh
. "$(dirname "$0")/guide.sh"

# The text's own name; the image is on the nodes, as by `ctr images import`.
IMAGE=registry.example/meridian
INSTALL=$SANDBOX_ROOT/docs/INSTALL.md

# blocks SECTION KIND: what stands in the section's blocks of that kind.
blocks() {
  awk -v section="## $1" -v kind="$2" '
    /^```/ { inside = !inside && on && $0 == "```" kind; next }
    /^## / { on = index($0, section) == 1 }
    inside' "$INSTALL"
}

# commands SECTION: those of a shell, and those that are shown with what they print.
commands() {
  blocks "$1" sh
  blocks "$1" console | sed -n 's/^\$ //p'
}

# user COMMAND…: on a machine that reaches both API servers, with kubectl, in the folder $AT.
user() (
  cd "$AT"
  HOME=$SANDBOX/home KUBECONFIG=$SANDBOX/both.conf PATH=$KUBE_PROGRAMS:$PATH \
    nsenter --net="/run/netns/${NODE_OF[ack-hangzhou]}" -- "$@"
)

# walk SECTION: there must be commands in it. Istio's definition comes from a file, not from the net.
walk() {
  commands "$1" | sed "s,https://raw[^ ]*,$KUBE_TESTS/destinationrules.json," >"$SANDBOX/commands"
  expect_ok "$1: has commands" test -s "$SANDBOX/commands"
  expect_ok "$1: each of them works" user "$BASH" -euxo pipefail "$SANDBOX/commands"
}

nodes_begin kube/31-install
images 1
two_nodes
kube_config_of_both >"$SANDBOX/both.conf"
for name in "${CLUSTERS[@]}"; do
  app "$name" reviews reviews "$([[ $name == ack-hangzhou ]] && echo v1 || echo v2)"
  app_service "$name" reviews 120
  kube "$name" wait --for condition=Available deployment --all --timeout 90s >/dev/null
done
mkdir "$SANDBOX/walk" "$SANDBOX/home"
ln -s "$SANDBOX_ROOT" "$SANDBOX/walk/meridian"

AT=$SANDBOX/walk
expect_ok "1.: what it calls is there" user make -C meridian --dry-run image IMAGE=registry.example/meridian:1
walk "2. The agents"
AT=$SANDBOX/walk/my-hangzhou
expect_match "an agent of that image" "image: $IMAGE:1" "$(kube ack-hangzhou -n meridian-system get pods -o yaml)"
expect_ok "a pool of its own endpoints" wait_for 30 settled pool 1

walk "3. The second region"
{
  sed '/^clusters:/,$d' "$AT/meridian.yaml"
  blocks "3. The second region" yaml
  sed -n '/^policy:/,$p' "$AT/meridian.yaml"
} >"$SANDBOX/new.yaml"
mv "$SANDBOX/new.yaml" "$AT/meridian.yaml"
expect_ok "the configuration is looked at before" user ../meridian/out/meridiand --check --config meridian.yaml
user kubectl apply -k . >/dev/null
expect_ok "a pool of both regions" wait_for 90 settled pool 2
expect_match "status knows the second" 'ack-shanghai' "$(agent ack-hangzhou meridianctl status)"

walk "4. A first rule"
expect_ok "the rule holds" wait_for 90 settled failover 2
walk "5. See it work"
expect_ok "scaled down" wait_for 30 settled failover 1
expect_match "as the text shows it" 'default/reviews:http port 9080/TCP IPv4, from cn-hangzhou' \
  "$(agent ack-hangzhou meridianctl explain default/reviews)"

user kubectl delete destinationrule reviews >/dev/null
expect_ok "the way back of a rule" wait_for 30 settled pool 1
walk "Remove it"
expect_eq "no program is left" 0 "$(programs_of ack-hangzhou)"
user kubectl --context ack-shanghai delete -k ../meridian/deploy/daemonset/remote --ignore-not-found >/dev/null
expect_eq "nor anything in the other cluster" "" \
  "$(kube ack-shanghai get namespace,clusterrole,clusterrolebinding -o name | grep meridian || true)"
sandbox_end
