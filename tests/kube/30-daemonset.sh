#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The DaemonSet on real nodes: installed by apply -k, the guide by kubectl scale and applied rules with
# clients and servers as pods, what happens to agents, and that nothing is left of it.
set -euo pipefail
# shellcheck source=tests/kube/nodes.sh
. "$(dirname "$0")/nodes.sh"

IMAGE=registry.local/meridian
DEPLOY=$SANDBOX_ROOT/deploy/daemonset
CLUSTERS=(ack-hangzhou ack-shanghai)

# ------------------------------------------------------------------------------ what is installed

# overlay CLUSTER OTHER TAG: a folder as docs/INSTALL.md makes it. kustomize takes relative paths only.
overlay() {
  local folder=$SANDBOX/overlay/$1

  mkdir -p "$folder/cleanup"
  cat >"$folder/kustomization.yaml" <<YAML
resources: [$(realpath --relative-to "$folder" "$DEPLOY")]
images: [{ name: $IMAGE, newTag: $3 }]
configMapGenerator:
- { name: meridian, namespace: meridian-system, behavior: replace, files: [meridian.yaml, policy.yaml] }
generatorOptions: { disableNameSuffixHash: true }
YAML
  cp "$DEPLOY/policy.yaml" "$folder"
  sed -e "s/^- name: home /- name: $1 /; s/^  # region: cn-hangzhou /  region: ${CLUSTER_REGION[$1]} /" \
    -e "/^# - name: ack-shanghai/,/^\$/{s/^# //; s/ack-shanghai/$2/; s/cn-shanghai/${CLUSTER_REGION[$2]}/; /CIDRs/d}" \
    "$DEPLOY/meridian.yaml" >"$folder/meridian.yaml"
}

# join HOME OTHER: as its operator would, with both contexts in one file.
join() {
  kube_config_of_both >"$SANDBOX/both.conf"
  KUBECONFIG=$SANDBOX/both.conf PATH=$KUBE_PROGRAMS:$PATH nsenter --net="/run/netns/${NODE_OF[$1]}" -- \
    "$DEPLOY/remote/meridian-join" --remote "$2" --name "$2" --home "$1" 2>"$SANDBOX/log/join-$1"
}

kube_config_of_both() {
  KUBECONFIG=$SANDBOX/kube/ack-hangzhou/admin.conf:$SANDBOX/kube/ack-shanghai/admin.conf \
    "$KUBE_PROGRAMS/kubectl" config view --flatten --raw
}

# What the agents said is shown when the test fails.
rolled_out() {
  kube "$1" -n meridian-system rollout status daemonset/meridian --timeout 90s && return
  kube "$1" -n meridian-system logs daemonset/meridian >"$SANDBOX/log/agent-$1" 2>&1 || true
  return 1
}

# agent CLUSTER COMMAND…: in the agent's pod.
agent() {
  local cluster=$1

  shift
  kube "$cluster" -n meridian-system exec daemonset/meridian -- "$@"
}

# ------------------------------------------------------------------------------ the guide's services

# app CLUSTER NAME ROLE [VERSION]: a Deployment of Bookinfo.
app() {
  local services=${KUBE_SERVICES[$1]}

  services=${services%.0/*}
  kube "$1" apply -f - >/dev/null <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: { name: $2 }
spec:
  selector: { matchLabels: { pod: $2 } }
  template:
    metadata: { labels: { pod: $2, app: $3 } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: registry.local/pods:test
        imagePullPolicy: IfNotPresent
        command: [bookinfo, $3${4:+, $4}]
        readinessProbe: { tcpSocket: { port: 9080 }, periodSeconds: 1 }
        env:
        - { name: REGION, value: ${CLUSTER_REGION[$1]} }
        - { name: POD_NAME, value: $2 }
        - { name: DETAILS_URL, value: "http://$services.110:9080" }
        - { name: REVIEWS_URL, value: "http://$services.120:9080" }
        - { name: RATINGS_URL, value: "http://$services.140:9080" }
YAML
}

# app_service CLUSTER NAME LAST_BYTE
app_service() {
  local services=${KUBE_SERVICES[$1]}

  kube "$1" apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Service
metadata: { name: $2 }
spec:
  clusterIP: ${services%.0/*}.$3
  selector: { app: $2 }
  ports: [ { name: http, port: 9080 } ]
YAML
}

bookinfo_up() {
  local cluster

  for cluster in "${CLUSTERS[@]}"; do
    app "$cluster" productpage productpage
    app "$cluster" details details
    app "$cluster" ratings ratings
    app_service "$cluster" details 110
    app_service "$cluster" reviews 120
    app_service "$cluster" productpage 130
    app_service "$cluster" ratings 140
    kube "$cluster" run client --image registry.local/pods:test --image-pull-policy IfNotPresent >/dev/null
  done
  app ack-hangzhou reviews-v1 reviews v1
  app ack-hangzhou reviews-v3 reviews v3
  app ack-shanghai reviews-v2 reviews v2
  for cluster in "${CLUSTERS[@]}"; do
    kube "$cluster" wait --for condition=Available deployment --all --timeout 90s >/dev/null
    kube "$cluster" wait --for condition=Ready pod/client --timeout 30s >/dev/null
  done
}

# scale CLUSTER DEPLOYMENT REPLICAS
scale() {
  kube "$1" scale "deployment/$2" --replicas "$3" >/dev/null
}

# in_client COMMAND_LINE: by a shell in Hangzhou's client pod.
in_client() { kube ack-hangzhou exec client -- sh -c "$1"; }

# pages COUNT: that many, one after the other.
pages() {
  in_client "for i in \$(seq $1); do curl -s -S --max-time 5 http://172.16.0.130:9080/productpage || echo failed; done"
}
answered() { grep -c "answered: reviews $1 " || true; }

# The guide's loop.
stars() {
  # shellcheck disable=SC2016 # $() is the pod's
  in_client 'for i in $(seq 10); do curl http://172.16.0.130:9080/productpage 2>&1 | grep full.stars; done | wc -l'
}

# rule NAME SETTING: in Hangzhou, whose agent is the one that the client's connections meet.
rule() {
  kube ack-hangzhou apply -f - >/dev/null <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: $1 }
spec:
  host: $1
  trafficPolicy:
    connectionPool: { http: { maxRequestsPerConnection: 1 } }
    outlierDetection: { consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1m }
    loadBalancer: { localityLbSetting: $2 }
YAML
}

# settled MODE COUNT: for wait_for: Hangzhou's kernel has reviews so, with so many endpoints that are ready.
settled() {
  local said

  said=$(agent ack-hangzhou meridianctl services default/reviews) || return 1
  grep -qE "default/reviews .*\<$1\>" <<<"$said" || return 1
  [[ $(agent ack-hangzhou meridianctl endpoints default/reviews -o json | jq '[.endpoints[] | select(.state == "ACTIVE")] | length') == "$2" ]]
}

# poll_start NAME, poll_end NAME: a request to productpage each 50 ms; prints how many there were, and how
# many failed.
poll_start() {
  kube ack-hangzhou exec client -- sh -c 'rm -f /tmp/stop; while [ ! -e /tmp/stop ]; do
    curl -s -o /dev/null --max-time 5 -w "%{http_code}\n" http://172.16.0.130:9080/productpage; sleep 0.05
  done' >"$SANDBOX/poll-$1" 2>/dev/null &
  POLL=$!
}
poll_end() {
  in_client 'touch /tmp/stop'
  wait "$POLL" || true
  echo "$(wc -l <"$SANDBOX/poll-$1") $(grep -vcx 200 "$SANDBOX/poll-$1")"
}

# ------------------------------------------------------------------------------ install

nodes_begin kube/30-daemonset
OUT=$SANDBOX/image
mkdir "$OUT"
cp "$SANDBOX_OUT"/{meridiand,meridianctl} "$OUT"
for tag in dev next; do
  OUT=$OUT IMAGE=$IMAGE:$tag BUILDER=buildah "$SANDBOX_ROOT/scripts/image.sh" >"$SANDBOX/log/image" 2>&1
  mv "$OUT/meridian.tar" "$SANDBOX/images/meridian-$tag.tar"
done
pods_image
two_nodes
overlay ack-hangzhou ack-shanghai dev
overlay ack-shanghai ack-hangzhou dev
bookinfo_up
crd_install ack-hangzhou
for name in "${CLUSTERS[@]}"; do
  kube "$name" apply -k "$SANDBOX/overlay/$name" >/dev/null
done
join ack-hangzhou ack-shanghai
join ack-shanghai ack-hangzhou
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
sleep 5
daemon_start ack-hangzhou server
expect_ok "the API server was away, and is back" wait_for 60 kube ack-hangzhou get --raw /readyz
expect_ok "the agent is well" wait_for 60 rolled_out ack-hangzhou
expect_match "no request failed, of those that kubectl could tell of" '^[0-9]+ 0$' "$(poll_end server)"
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

region_freeze ack-shanghai
expect_eq "the other region stands still, and delays nobody: of 20 pages, failed" 0 "$(pages 20 | grep -c failed || true)"
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
