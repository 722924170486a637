#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The guide, its manifests applied to two API servers: one pool, failover by a DestinationRule that is
# applied with kubectl, distribution by another.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=demo/stage.sh
. "$SANDBOX_ROOT/demo/stage.sh"

# The stage is set before there is a server to apply a state to.
scale() { :; }

# applied CLUSTER [POD…]: the cluster's state as it stands in demo/state, without the endpoints of these
# pods, as after `kubectl scale --replicas=0`. A server gives uid and version itself.
applied() {
  local cluster=$1 gone

  shift
  gone=$(IFS='|' && echo "$*")
  sed -E '/^    (uid|resourceVersion):/d' "$DEMO_DIR/state/${cluster#ack-}/all.yaml" |
    kube "$cluster" create --dry-run=client -f - -o json |
    jq -s --arg gone "^(${gone:-none})-" '{apiVersion: "v1", kind: "List",
      items: map(if .items then .items[] else . end
        | if .endpoints then .endpoints |= map(select(.targetRef.name // "" | test($gone) | not))
          else . end)}' |
    kube "$cluster" apply -f - >/dev/null 2>"$SANDBOX/log/apply-$cluster"
}

# rule NAME SETTING: a DestinationRule with this locality setting, in both clusters: each agent reads
# its own.
rule() {
  local cluster

  for cluster in ack-hangzhou ack-shanghai; do
    kube "$cluster" apply -f - >/dev/null <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: $1, namespace: default }
spec:
  host: $1
  trafficPolicy:
    connectionPool: { http: { maxRequestsPerConnection: 1 } }
    outlierDetection: { consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1m }
    loadBalancer:
      localityLbSetting: $2
YAML
  done
}

# The guide's loop.
stars() {
  # shellcheck disable=SC2016 # $1 is the inner shell's
  run_in laptop bash -c \
    'for ((i=1;i<=10;i++)); do curl http://$1/productpage 2>&1 | grep full.stars; done | wc -l' \
    bash "$GATEWAY"
}

# settled SERVICE MODE ADDRESS…: for wait_for: node hangzhou-1's kernel has it so.
settled() {
  local service=default/$1 mode=$2

  shift 2
  ctl hangzhou-1 services | grep -qE "$service .*\<$mode\>" || return 1
  [[ $(ctl hangzhou-1 endpoints "$service" -o json | jq -r '.endpoints[].address' | sort -u |
    paste -sd' ') == "${*/%/:9080}" ]]
}

kube_begin kube/01-guide
stage_up
api_server ack-hangzhou home 172.16.0.0/16 hangzhou-1 shanghai-1
api_server ack-shanghai home 172.17.0.0/16 hangzhou-1 shanghai-1
servers_up
for name in ack-hangzhou ack-shanghai; do
  crd_install "$name"
  kube "$name" create namespace istio-system >/dev/null
  applied "$name"
done
stage_wait_listen
agent_start hangzhou-1
agent_start shanghai-1

all_pods=(10.0.0.20 10.0.0.21 10.1.0.20)
expect_ok "no rule: one pool" wait_for "$SOON_S" settled reviews pool "${all_pods[@]}"
seen=$(pages 30)
for version in v1 v2 v3; do
  expect_between "of 30 pages by $version" 8 12 "$(answered $version <<<"$seen")"
done

failover='{ failover: [ { from: cn-hangzhou, to: cn-shanghai }, { from: cn-shanghai, to: cn-hangzhou } ] }'
for service in productpage details ratings reviews; do
  rule $service "$failover"
done
expect_ok "a rule is applied" wait_for "$SOON_S" settled reviews failover "${all_pods[@]}"
expect_ok "and those of the services around it" wait_for "$SOON_S" settled productpage failover 10.0.0.30 10.1.0.30
expect_eq "of 10 pages by Shanghai, before" 0 "$(pages 10 | answered v2)"
applied ack-hangzhou reviews-v1 reviews-v3
expect_ok "scaled to zero" wait_for "$SOON_S" settled reviews failover 10.1.0.20
expect_eq "lines with stars, the guide's loop" 20 "$(stars)"

rule reviews '{ distribute: [ { from: "cn-hangzhou/*", to: { "cn-hangzhou/*": 90, "cn-shanghai/*": 10 } } ] }'
applied ack-hangzhou reviews-v3
expect_ok "distribution" wait_for "$SOON_S" settled reviews distribute 10.0.0.20 10.1.0.20
expect_eq "lines with stars, the guide's loop" 2 "$(stars)"
expect_between "of 100 pages by Shanghai" 9 11 "$(pages 100 | answered v2)"

kube ack-hangzhou delete destinationrule reviews >/dev/null
applied ack-hangzhou
expect_ok "a rule is deleted: one pool again" wait_for "$SOON_S" settled reviews pool "${all_pods[@]}"
sandbox_end
