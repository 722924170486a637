# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# What the tests against real API servers share, on top of the end-to-end tests' pods and counts: etcd
# and kube-apiserver for each cluster, in a network namespace of their own that the agent's node reaches
# by a link; an agent with the rights of a service account and a token that the server gave it.
#
# `manifest` and `policy`, and so `svc`, `eps` and `failover_policy`, are kubectl apply here where there
# is an API server.
#
# Servers are processes of the sandbox: they end with it, whatever the script died of.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

KUBE_TESTS=$SANDBOX_ROOT/tests/kube
KUBE_PORT=6443
# The server takes a token for a minute longer than it says (for clocks that differ), and remembers for
# ten seconds that it was good.
KUBE_LEEWAY_S=60

# After failures in a row each kind of object is asked for again within a minute, by itself: client-go's
# 30 s, and as much again by chance.
# shellcheck disable=SC2034 # used by the tests
AGAIN_S=70

# What nothing is in the way of, on a machine with much else to do; less than it takes to notice that a server is
# silent, so that what waits for that is late.
# shellcheck disable=SC2034
SOON_S=15

# KUBE_FLAGS: what each start of a cluster's server has besides.
declare -A KUBE_HOST=() KUBE_ADDRESS=() KUBE_SERVICES=() KUBE_ROLE=() KUBE_PID=() KUBE_FLAGS=() ETCD_PID=()

# kube_begin NAME: sandbox_begin, where there are API servers to run.
kube_begin() {
  local tool

  SANDBOX_NAME=$1
  if ! KUBE_PROGRAMS=$("$SANDBOX_ROOT/scripts/kube_assets.sh" --dir 2>/dev/null); then
    sandbox_skip "no API server: make kube-assets"
  fi
  for tool in openssl jq curl; do
    command -v "$tool" >/dev/null || sandbox_skip "no $tool: make deps"
  done
  sandbox_begin "$1"
  mkdir "$SANDBOX/kube"
}

# two_clusters: the pods of two_regions, and an API server for each cluster, which node h reads.
# DELAY_MS, if set, is that of the way to Shanghai's. Node h's agent is the DaemonSet's at its own
# server, and what meridian-join makes of it at the other.
two_clusters() {
  two_regions
  api_server ack-hangzhou home 172.16.0.0/16 h
  api_server ack-shanghai remote 172.17.0.0/16 "h=${DELAY_MS:-0}"
  servers_up
}

# ------------------------------------------------------------------------------ servers

# api_server CLUSTER home|remote SERVICE_CIDR NODE[=DELAY_MS]…: where its server will run, what the agent
# is to it, and who reaches it.
api_server() {
  local cluster=$1 host=api-${1#ack-} node

  KUBE_ROLE[$cluster]=$2
  KUBE_SERVICES[$cluster]=$3
  shift 3
  node "$host" "cluster=$cluster"
  KUBE_HOST[$cluster]=$host
  KUBE_ADDRESS[$cluster]=${NODE_ADDRS[$host]%% *}
  for node; do
    link "${node%=*}" "$host" "$([[ $node != *=* ]] || echo "${node#*=}")"
    # Else a connection whose peer has vanished holds the namespace and the cgroup for two minutes.
    nsenter --net="/run/netns/${node%=*}" sysctl -qw net.ipv4.tcp_orphan_retries=1
  done
  nsenter --net="/run/netns/$host" sysctl -qw net.ipv4.tcp_orphan_retries=1
  mkdir "$SANDBOX/kube/$cluster"
  kube_certificates "$SANDBOX/kube/$cluster" "${KUBE_ADDRESS[$cluster]}"
  kube_config "$cluster" admin "client-certificate: admin.crt" "client-key: admin.key"
  kube_config "$cluster" agent "tokenFile: agent.token"
  CLUSTER_ACCESS[$cluster]="kubeconfig: $SANDBOX/kube/$cluster/agent.conf"
}

kube_certificates() (
  cd "$1" || exit
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=sandbox-ca \
    -keyout ca.key -out ca.crt -addext keyUsage=critical,keyCertSign,cRLSign
  kube_certificate server /CN=kube-apiserver "subjectAltName=IP:$2,DNS:kubernetes.default.svc"
  kube_certificate admin /O=system:masters/CN=admin extendedKeyUsage=clientAuth
  openssl genrsa -out sa.key 2048
  openssl rsa -in sa.key -pubout -out sa.pub
) 2>/dev/null

# kube_certificate NAME SUBJECT EXTENSION: signed by this folder's CA.
kube_certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$1.key" |
    openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out "$1.crt" \
      -extfile <(echo "$3")
}

# kube_config CLUSTER USER LINE…: a kubeconfig whose user has these keys.
kube_config() {
  local cluster=$1 user=$2

  shift 2
  cat >"$SANDBOX/kube/$cluster/$user.conf" <<YAML
apiVersion: v1
kind: Config
current-context: $user
contexts:
- name: $user
  context: { cluster: $cluster, user: $user }
clusters:
- name: $cluster
  cluster:
    server: https://${KUBE_ADDRESS[$cluster]}:$KUBE_PORT
    certificate-authority: ca.crt
users:
- name: $user
  user:
$(printf '    %s\n' "$@")
YAML
}

# serve_kube CLUSTER NAME COMMAND…: a process of its control plane, its output in log/NAME-CLUSTER.
serve_kube() {
  local host=${KUBE_HOST[$1]} log=$SANDBOX/log/$2-$1

  shift 2
  sandbox_spawn "$(cgroup_of "$host")" "$log" nsenter --net="/run/netns/$host" -- "$@"
}

etcd_start() {
  local url=http://127.0.0.1

  serve_kube "$1" etcd "$KUBE_PROGRAMS/etcd" --name e --data-dir "$SANDBOX/kube/$1/etcd" \
    --unsafe-no-fsync --log-level warn --listen-client-urls $url:2379 --advertise-client-urls $url:2379 \
    --listen-peer-urls $url:2380 --initial-advertise-peer-urls $url:2380 --initial-cluster e=$url:2380
  ETCD_PID[$1]=$SERVE_PID
}

# storage_keep CLUSTER: a copy of what etcd has now. storage_set_back CLUSTER: it has that again, as from
# a snapshot. Both end the server, and etcd; who calls starts the server again.
storage_keep() {
  storage_stop "$1"
  cp -a "$SANDBOX/kube/$1/etcd" "$SANDBOX/kube/$1/kept"
  etcd_start "$1"
}

storage_set_back() {
  storage_stop "$1"
  rm -rf "$SANDBOX/kube/$1/etcd"
  cp -a "$SANDBOX/kube/$1/kept" "$SANDBOX/kube/$1/etcd"
  etcd_start "$1"
}

storage_stop() {
  server_kill "$1"
  stop "${ETCD_PID[$1]}" || true
}

# server_launch CLUSTER [FLAG…]: without waiting until it is ready.
server_launch() {
  local cluster=$1 dir=$SANDBOX/kube/$1 flags

  shift
  read -ra flags <<<"${KUBE_FLAGS[$cluster]-}"
  serve_kube "$cluster" server "$KUBE_PROGRAMS/kube-apiserver" --etcd-servers http://127.0.0.1:2379 \
    --bind-address "${KUBE_ADDRESS[$cluster]}" --secure-port $KUBE_PORT \
    --cert-dir "$dir" --tls-cert-file "$dir/server.crt" --tls-private-key-file "$dir/server.key" \
    --client-ca-file "$dir/ca.crt" --service-account-issuer https://kubernetes.default.svc \
    --service-account-key-file "$dir/sa.pub" --service-account-signing-key-file "$dir/sa.key" \
    --service-cluster-ip-range "${KUBE_SERVICES[$cluster]}" --authorization-mode RBAC \
    --endpoint-reconciler-type none --disable-admission-plugins ServiceAccount "${flags[@]}" "$@"
  KUBE_PID[$cluster]=$SERVE_PID
}

server_wait() {
  wait_for 90 server_ready "$1"
}

server_ready() {
  kill -0 "${KUBE_PID[$1]}" && [[ $(api "$1" /readyz) == ok ]]
}

server_start() {
  server_launch "$@"
  server_wait "$1"
}

# By SIGKILL: with open watches SIGTERM takes a minute.
server_kill() {
  stop "${KUBE_PID[$1]}" KILL || true
}

# The process stands still, its connections stay open: nobody answers, and nobody hangs up.
server_pause() { kill -STOP "${KUBE_PID[$1]}"; }
server_resume() { kill -CONT "${KUBE_PID[$1]}"; }

# cut_off CLUSTER: node h's connections to its server are reset.
cut_off() {
  run_in h ss -K dst "${KUBE_ADDRESS[$1]}" >/dev/null 2>&1
}

# received CLUSTER: bytes that node h has got on its open connections to its server.
received() {
  run_in h ss -Htin dst "${KUBE_ADDRESS[$1]}" | grep -o 'bytes_received:[0-9]*' | cut -d: -f2 |
    awk '{ n += $1 } END { print n + 0 }'
}

# silence CLUSTER: nothing leaves its server's network namespace nor enters it, and nobody is told;
# kubectl, which is inside, goes on. unsilence ends it.
silence() {
  nsenter --net="/run/netns/${KUBE_HOST[$1]}" nft 'table inet silence {
    chain in { type filter hook input priority 0; iif != lo drop; };
    chain out { type filter hook output priority 0; oif != lo drop; }; }'
}

unsilence() {
  nsenter --net="/run/netns/${KUBE_HOST[$1]}" nft delete table inet silence
}

# All that api_server has prepared, with the agent's rights.
servers_up() {
  local cluster

  for cluster in "${!KUBE_HOST[@]}"; do
    etcd_start "$cluster"
    server_launch "$cluster"
  done
  for cluster in "${!KUBE_HOST[@]}"; do
    server_wait "$cluster"
    agent_rights "$cluster"
    agent_token "$cluster"
  done
}

# ------------------------------------------------------------------------------ asking them

# kube CLUSTER ARGUMENT…: kubectl, as an administrator, beside the server.
kube() {
  local cluster=$1

  shift
  nsenter --net="/run/netns/${KUBE_HOST[$cluster]}" -- "$KUBE_PROGRAMS/kubectl" \
    --kubeconfig "$SANDBOX/kube/$cluster/admin.conf" --cache-dir "$SANDBOX/kube/$cluster/cache" "$@"
}

# api CLUSTER PATH [CURL_ARGUMENT…]: the same by curl, which is quicker and shows what is on the wire.
api() {
  local cluster=$1 path=$2 dir=$SANDBOX/kube/$1

  shift 2
  kube_curl "$cluster" "$path" --cert "$dir/admin.crt" --key "$dir/admin.key" "$@"
}

# as_agent CLUSTER PATH [CURL_ARGUMENT…]: with the agent's token.
as_agent() {
  local cluster=$1 path=$2

  shift 2
  kube_curl "$cluster" "$path" -H "Authorization: Bearer $(<"$SANDBOX/kube/$cluster/agent.token")" "$@"
}

kube_curl() {
  local cluster=$1 path=$2

  shift 2
  nsenter --net="/run/netns/${KUBE_HOST[$cluster]}" -- curl --silent --show-error --max-time 10 \
    --cacert "$SANDBOX/kube/$cluster/ca.crt" "https://${KUBE_ADDRESS[$cluster]}:$KUBE_PORT$path" "$@"
}

# audited CLUSTER: before two_clusters; its server writes down what it answers, but to administrators.
audited() {
  cat >"$SANDBOX/kube/audit.yaml" <<YAML
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- { level: None, userGroups: ["system:masters"] }
- { level: Metadata }
YAML
  KUBE_FLAGS[$1]+=" --audit-policy-file $SANDBOX/kube/audit.yaml --audit-log-path $SANDBOX/kube/$1.audit"
}

# asked CLUSTER FILTER: what its server has answered to the agent, by a filter of jq for audit's events.
asked() {
  jq -r "select(.userAgent // \"\" | startswith(\"meridiand\")) | $2" "$SANDBOX/kube/$1.audit"
}

# etcd_ask CLUSTER PATH JSON: etcd's gateway.
etcd_ask() {
  nsenter --net="/run/netns/${KUBE_HOST[$1]}" -- \
    curl --silent --show-error --fail "http://127.0.0.1:2379/v3/kv/$2" --data "$3"
}

# etcd_compact CLUSTER: forgets everything but the present. A server that is started after this knows no
# version before.
etcd_compact() {
  local revision

  revision=$(etcd_ask "$1" range '{"key": "AA=="}' | jq -r .header.revision)
  etcd_ask "$1" compaction "{\"revision\": \"$revision\", \"physical\": true}" >/dev/null
}

# forgets CLUSTER [FLAG…]: while node h's agent stands still, its server is replaced by one, with these
# flags, that knows the present alone, which is newer than anything that the agent knows.
forgets() {
  local cluster=$1 i

  shift
  kill -STOP "${AGENT_PID[h]}"
  server_kill "$cluster"
  for i in 1 2; do
    etcd_put "$cluster" "revision-$i" <<<""
  done
  etcd_compact "$cluster"
  server_start "$cluster" "$@"
  kill -CONT "${AGENT_PID[h]}"
}

# etcd_put CLUSTER KEY <VALUE: past the server. What it keeps under /registry it reads as JSON, too.
etcd_put() {
  local key value

  key=$(printf %s "$2" | base64 -w 0)
  value=$(base64 -w 0)
  etcd_ask "$1" put "{\"key\": \"$key\", \"value\": \"$value\"}" >/dev/null
}

# ------------------------------------------------------------------------------ who the agent is

# agent_rights CLUSTER: account, role and binding, as deploy/ has them.
agent_rights() {
  local daemonset=$SANDBOX_ROOT/deploy/daemonset

  if [[ ${KUBE_ROLE[$1]} == remote ]]; then
    kube "$1" apply -k "$daemonset/remote" >/dev/null
  else
    kube "$1" apply -f "$daemonset/namespace.yaml" -f "$daemonset/serviceaccount.yaml" \
      -f "$daemonset/rbac.yaml" >/dev/null
  fi
}

# agent_token CLUSTER [SECONDS]: into the file that its kubeconfig names, in one step. The server gives
# none for less than ten minutes; for a shorter one the claims of one that it gave are signed again,
# with its key.
agent_token() {
  local dir=$SANDBOX/kube/$1 account=meridian namespace=meridian-system token

  [[ ${KUBE_ROLE[$1]} == home ]] || account=meridian-remote namespace=meridian-remote
  token=$(kube "$1" create token $account --namespace $namespace --duration 1h)
  if (($# > 1)); then
    token=$(resign "$token" "$(($(date +%s) + $2 - KUBE_LEEWAY_S))" "$dir/sa.key")
  fi
  echo "$token" >"$dir/agent.token.new"
  mv "$dir/agent.token.new" "$dir/agent.token"
}

# resign TOKEN EXPIRY KEY: prints the JSON web token with another time of expiry.
resign() {
  local claims signed

  claims=$(jq -rR 'split(".")[1] | gsub("-"; "+") | gsub("_"; "/") | . + "=" * ((4 - length % 4) % 4)
    | @base64d' <<<"$1" | jq -cj --argjson exp "$2" '.exp = $exp')
  signed=${1%%.*}.$(base64url <<<"$claims")
  echo "$signed.$(printf %s "$signed" | openssl dgst -sha256 -sign "$3" | base64url)"
}

base64url() {
  base64 -w 0 | tr '+/' '-_' | tr -d =
}

# ------------------------------------------------------------------------------ manifests

# manifest CLUSTER NAME <TEXT: kubectl apply. The name is the business of folders, which clusters without
# a server have.
manifest() {
  if [[ -n ${KUBE_HOST[$1]-} ]]; then
    kube "$1" apply -f - >/dev/null
  else
    manifest_file "$@"
  fi
}

# Only the home cluster's rules are read.
policy() {
  if [[ -n ${KUBE_HOST[ack-hangzhou]-} ]]; then
    kube ack-hangzhou apply -f - >/dev/null
  else
    policy_file "$@"
  fi
}

# The kind that Istio brings: crd_install CLUSTER [VERSION…], the versions that are served.
crd_install() {
  local cluster=$1

  shift
  jq --arg versions "${*:-v1 v1beta1}" '($versions | split(" ")) as $served
    | .spec.versions |= (map(select(.name | IN($served[]))) | .[0].storage = true)' \
    "$KUBE_TESTS/destinationrules.json" | kube "$cluster" apply -f - >/dev/null
  kube "$cluster" wait --for condition=Established --timeout 30s \
    crd/destinationrules.networking.istio.io >/dev/null
}

# crd_serve CLUSTER VERSION…: of the installed versions only these, from now on.
crd_serve() {
  local cluster=$1

  shift
  kube "$cluster" get crd/destinationrules.networking.istio.io -o json |
    jq --arg versions "$*" '($versions | split(" ")) as $served
      | .spec.versions |= map(.served = (.name | IN($served[])))' | kube "$cluster" replace -f - >/dev/null
}

crd_remove() {
  kube "$1" delete crd/destinationrules.networking.istio.io >/dev/null
}

# ------------------------------------------------------------------------------ the service of most tests

# reviews_applied: default/reviews, with h1 and h2 in Hangzhou and s1 in Shanghai, which answer; Hangzhou
# fails over to Shanghai.
reviews_applied() {
  web h1 h2 s1
  crd_install ack-hangzhou
  svc ack-hangzhou reviews "$VIP" 80
  eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
  eps ack-shanghai reviews 10.1.0.11
  failover_policy reviews
}

# reviews_planned: node h's agent has read both clusters, and all of it is in the kernel.
reviews_planned() {
  wait_for 15 planned 10.0.0.11 10.0.0.12 10.1.0.11
}

# planned ADDRESS…: for wait_for: these are the endpoints of reviews in node h's kernel.
planned() {
  [[ $(ctl h endpoints default/reviews -o json | jq -r '.endpoints[].address' | sed 's/:9080$//' |
    sort -u | paste -sd' ') == "$*" ]]
}

# told CLUSTER FILTER: what the agent's status says of a cluster, by a filter of jq.
told() {
  { ctl h status -o json || true; } |
    jq -r --arg name "$1" ".clusters[] | select(.name == \$name) | $2"
}

# Is there nothing to complain of? Does it complain in such words?
is_well() { [[ $(told "$1" .error) == "" ]]; }
complains() { [[ $(told "$1" .error) =~ $2 ]]; }

# lacks CLUSTER RESOURCE: what is wrong with one kind of its objects, if anything.
lacks() {
  told "$1" ".resources[] | select(.resource == \"$2\") | .error"
}

# poll_start: asks the service, thirty times a second, until poll_stop.
poll_start() {
  : >"$SANDBOX/log/client"
  serve client "$PEER" get "$VIP" 80 1000000 30
  POLL_PID=$SERVE_PID
}

# poll_stop WHAT [LEAST]: no answer was missing, of at least so many.
poll_stop() {
  stop "$POLL_PID" || true
  expect_between "$1: answers" "${2:-30}" 1000000 "$(grep -c '^[hs][12]$' "$SANDBOX/log/client")"
  expect_eq "$1: failures" "" "$(grep -v '^[hs][12]$' "$SANDBOX/log/client" | sort | uniq -c)"
}

# many CLUSTER COUNT: so many services more, with a slice of one endpoint each, for a list that is long.
many() {
  kube_objects "$1" Service /api/v1/namespaces/default/services "$2" \
    '{spec: {ports: [{name: "http", port: 80, targetPort: 9080}]}}'
  kube_objects "$1" EndpointSlice /apis/discovery.k8s.io/v1/namespaces/default/endpointslices "$2" \
    '{addressType: "IPv4", ports: [{name: "http", port: 9080, protocol: "TCP"}],
      endpoints: [{addresses: ["10.9.\(. / 250 | floor).\(. % 250 + 1)"], conditions: {ready: true}}]}'
}

# kube_objects CLUSTER KIND PATH COUNT FILTER: all of them over one connection. The filter of jq makes
# the rest of an object from its number.
kube_objects() {
  local dir=$SANDBOX/kube/$1 version=v1

  [[ $2 != EndpointSlice ]] || version=discovery.k8s.io/v1
  jq -nr --argjson count "$4" --arg kind "$2" --arg version "$version" \
    --arg url "https://${KUBE_ADDRESS[$1]}:$KUBE_PORT$3" "range(\$count)
      | {kind: \$kind, apiVersion: \$version, metadata: {name: \"many-\(.)\",
         labels: {\"kubernetes.io/service-name\": \"many-\(.)\"}}} + $5
      | \"next\", \"url = \(\$url)\", \"data = \(tojson | tojson)\", \"output = /dev/null\",
        \"header = \\\"Content-Type: application/json\\\"\", \"cacert = $dir/ca.crt\",
        \"cert = $dir/admin.crt\", \"key = $dir/admin.key\", \"silent\", \"fail\"" >"$dir/objects"
  nsenter --net="/run/netns/${KUBE_HOST[$1]}" -- curl --no-progress-meter --parallel \
    --parallel-max 8 --config "$dir/objects"
}

# touch_slice CLUSTER NUMBER: the ready condition of many's first endpoint.
touch_slice() {
  api "$1" /apis/discovery.k8s.io/v1/namespaces/default/endpointslices/many-0 -X PATCH -o /dev/null \
    -H 'Content-Type: application/merge-patch+json' \
    -d "{\"metadata\": {\"annotations\": {\"touched\": \"$2-$EPOCHREALTIME\"}}}"
}
