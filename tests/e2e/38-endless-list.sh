#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# An API server whose list has no end, as fast as it is read: another cluster's changes are in the kernel
# meanwhile, the list is given up where kernel.limits could not hold it, and what it took is given back.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

limit=250000 # of it some 25,000 are sent for each change
changes=8

# by_server CLUSTER PORT: its state comes from an API server of node h.
by_server() {
  cat >"$SANDBOX/$1.conf" <<YAML
current-context: x
contexts: [{ name: x, context: { cluster: c, user: u } }]
clusters: [{ name: c, cluster: { server: "http://127.0.0.1:$2" } }]
users: [{ name: u, user: { token: none } }]
YAML
  CLUSTER_ACCESS[$1]="kubeconfig: $SANDBOX/$1.conf"
}

# told CLUSTER FILTER: of its status.
told() { ctl h status -o json | jq -r --arg name "$1" ".clusters[] | select(.name == \$name) | $2"; }
is_given_up() { [[ $(told far .error) == *kernel.limits.services* ]]; }

# memory FIELD: of node h's agent, in MiB.
memory() { awk -v field="$1:" '$1 == field { print int($2 / 1024) }' "/proc/${AGENT_PID[h]}/status"; }
is_small() { (($(memory VmRSS) < 40)); }

sandbox_begin e2e/38-endless-list
command -v python3 >/dev/null || sandbox_skip "no python3"
cluster home cn-hangzhou
cluster far cn-shanghai
node h cluster=home region=cn-hangzhou 10.0.0.0/16
pod h client 10.0.0.2
by_server home 7001
by_server far 7002
mkdir "$SANDBOX/objects"
cat >"$SANDBOX/objects/services" <<JSON
{"apiVersion":"v1","kind":"Service","metadata":{"name":"reviews","namespace":"default"},"spec":{"clusterIP":"$VIP","clusterIPs":["$VIP"],"ports":[{"name":"http","port":80}]}}
JSON
for ((i = 0; i <= changes; i++)); do
  cat <<JSON
{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"reviews","namespace":"default","resourceVersion":"$((i + 1))","labels":{"kubernetes.io/service-name":"reviews"}},"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.$((i + 11))"]}],"ports":[{"name":"http","port":9080}]}
JSON
done >"$SANDBOX/objects/endpointslices"
touch "$SANDBOX/objects/sent"
sandbox_spawn "$(cgroup_of h)" "$SANDBOX/log/servers" nsenter --net=/run/netns/h -- \
  python3 "$SANDBOX_ROOT/tests/e2e/endless_api.py" 7001 7002 "$SANDBOX/objects" "$(agent_log_of h)"
wait_listen h 7001
wait_listen h 7002
agent_launch h "startupWait: 1s" "kernel.limits: {services: $limit}"
wait_for 20 sandbox_agent_ready h

expect_ok "the list is given up" wait_for 180 is_given_up
expect_eq "all changes were in the kernel before" "$changes" "$(wc -l <"$SANDBOX/objects/sent")"
# Bytes that are on their way are some 2,000 of these; a call of libcurl may read 12,000, and of those calls there
# were three before the row was written.
expect_between "objects sent meanwhile, for each" 0 10000 \
  "$(awk '{ sum += $1 } END { print int(sum / NR) }' "$SANDBOX/objects/sent")"
expect_between "MiB at most" 0 300 "$(memory VmHWM)"
expect_ok "and then few" wait_for 10 is_small
expect_eq "nothing is left of it" 0 "$(told far .services)"
expect_match "limit and remedy are told" \
  "more than $limit objects, and kernel.limits.services allows no more: raise it" "$(grep -o 'reason="watch services.*' "$(agent_log_of h)")"
expect_eq "the other cluster is well" ",1" "$(told home '"\(.error),\(.slices)"')"
sandbox_end
