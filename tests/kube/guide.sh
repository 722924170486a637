# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# The guide on real nodes, for the DaemonSet's test and for `make demo-kube`: Meridian is installed as
# docs/INSTALL.md says, Bookinfo's services are Deployments, and clients are pods. To be sourced behind
# nodes.sh.

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

# client CLUSTER NAME [REQUESTS]: a pod to ask from; without requests of resources it is of the class
# BestEffort, and its cgroup in that folder.
client() {
  kube "$1" apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata: { name: $2 }
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: registry.local/pods:test
    imagePullPolicy: IfNotPresent
    resources: { requests: { ${3-} } }
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
    client "$cluster" client
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

# in_client COMMAND_LINE [POD]: by a shell in Hangzhou's client pod, or another one of it.
in_client() { kube ack-hangzhou exec "${2:-client}" -- sh -c "$1"; }

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

# rule NAME SETTING [ANNOTATION]: in Hangzhou, whose agent is the one that the client's connections meet.
rule() {
  kube ack-hangzhou apply -f - >/dev/null <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: $1, annotations: { ${3-} } }
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

# poll_start NAME [POD URL PATTERN]: productpage each 50 ms, or another address that answers so.
# poll_end NAME [POD]: prints how many there were, and how many failed, which is a page without its
# details or its reviews, too.
# Within the pod, so that it goes on while the API server, and with it kubectl, is away.
poll_start() {
  # shellcheck disable=SC2016 # $0 and the like are the pod's
  kube ack-hangzhou exec "${2:-client}" -- sh -c 'rm -f /tmp/stop; (while [ ! -e /tmp/stop ]; do
    read -r now idle </proc/uptime
    page=$(curl -s --max-time 5 "$1")
    case $page in
    $2) echo "$now good" ;;
    *) echo "$now failed" ;;
    esac
    sleep 0.05
  done; touch "/tmp/$0.ended") >"/tmp/$0" 2>/dev/null </dev/null &' "poll-$1" \
    "${3:-http://172.16.0.130:9080/productpage}" "${4:-*answered:?details?*answered:?reviews?*}"
}
poll_end() {
  in_client 'touch /tmp/stop' "${2-}"
  wait_for 10 in_client "[ -e /tmp/poll-$1.ended ]" "${2-}"
  in_client "cat /tmp/poll-$1" "${2-}" >"$SANDBOX/poll-$1"
  polled "$1"
}

# polled NAME [FROM [TO]]: the same of a poll that has ended, of the requests that began between two
# times of up_s.
polled() {
  awk -v from="${2:-0}" -v to="${3:-1e9}" '$1 >= from && $1 <= to { n++; failed += $2 != "good" }
    END { print n + 0, failed + 0 }' "$SANDBOX/poll-$1"
}
# up_s: the machine's uptime, which is the pods', too.
up_s() { cut -d' ' -f1 /proc/uptime; }

# ------------------------------------------------------------------------------ the stage

# images TAG…: the agent's image under each of these, and that of the guide's pods.
images() {
  local OUT=$SANDBOX/image tag

  mkdir "$OUT"
  cp "$SANDBOX_OUT"/{meridiand,meridianctl} "$OUT"
  for tag; do
    OUT=$OUT IMAGE=$IMAGE:$tag BUILDER=buildah "$SANDBOX_ROOT/scripts/image.sh" >"$SANDBOX/log/image" 2>&1
    mv "$OUT/meridian.tar" "$SANDBOX/images/meridian-$tag.tar"
  done
  pods_image
}

# What an operator does with each cluster; then each learns of the other.
meridian_apply() {
  local name

  crd_install ack-hangzhou
  for name in "${CLUSTERS[@]}"; do
    kube "$name" apply -k "$SANDBOX/overlay/$name" >/dev/null
  done
  join ack-hangzhou ack-shanghai
  join ack-shanghai ack-hangzhou
}
