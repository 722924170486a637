# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# What the end-to-end tests share on top of the sandbox: two regions with pods, manifests by the line,
# nginx as the backend, and counts of who answered.
# shellcheck source=tests/harness/sandbox.sh
. "$(dirname "${BASH_SOURCE[0]}")/../harness/sandbox.sh"

PEER=$SANDBOX_OUT/tests/peer
# shellcheck disable=SC2034 # used by the tests
VIP=172.16.0.20
# shellcheck disable=SC2034 # used by the tests
VIP6=fd00:172::20

# two_regions: node h of ack-hangzhou (home of the agent under test) and node s of ack-shanghai, REGION_DELAY (0)
# milliseconds away, one way. Pods: client, h1, h2 behind h; s1 behind s.
two_regions() {
  cluster ack-hangzhou cn-hangzhou
  cluster ack-shanghai cn-shanghai
  node h cluster=ack-hangzhou region=cn-hangzhou 10.0.0.0/16 fd00:a0::/32
  node s cluster=ack-shanghai region=cn-shanghai 10.1.0.0/16 fd00:a1::/32
  link h s "${REGION_DELAY:-0}"
  pod h client 10.0.0.2,fd00:a0::2
  pod h h1 10.0.0.11,fd00:a0::11
  pod h h2 10.0.0.12,fd00:a0::12
  pod s s1 10.1.0.11,fd00:a1::11
}

# one_region: the same without ack-shanghai.
one_region() {
  cluster ack-hangzhou cn-hangzhou
  node h cluster=ack-hangzhou region=cn-hangzhou 10.0.0.0/16 fd00:a0::/32
  pod h client 10.0.0.2,fd00:a0::2
  pod h h1 10.0.0.11,fd00:a0::11
  pod h h2 10.0.0.12,fd00:a0::12
}

# ------------------------------------------------------------------------------ backends

# web POD…: nginx on port 9080 that answers with the pod's name; 503 while `fail POD` holds; at /missing 404, at /broken 503.
web() {
  local pod conf

  mkdir -p "$SANDBOX/web" "$SANDBOX/fail"
  for pod; do
    conf=$SANDBOX/web/$pod.conf
    cat >"$conf" <<CONF
daemon off;
master_process off;
pid $SANDBOX/web/$pod.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path $SANDBOX/web/$pod.body;
  proxy_temp_path $SANDBOX/web/$pod.proxy;
  fastcgi_temp_path $SANDBOX/web/$pod.fastcgi;
  uwsgi_temp_path $SANDBOX/web/$pod.uwsgi;
  scgi_temp_path $SANDBOX/web/$pod.scgi;
  keepalive_requests 1000000;
  server {
    listen 9080 backlog=1024;
    listen [::]:9080 backlog=1024;
    location = /missing { return 404 "$pod\n"; }
    location = /broken { return 503 "$pod\n"; }
    location / {
      if (-f $SANDBOX/fail/$pod) { return 503 "$pod\n"; }
      return 200 "$pod\n";
    }
  }
}
CONF
    serve "$pod" nginx -e stderr -c "$conf"
  done
  for pod; do
    wait_listen "$pod" 9080
  done
}

fail() { touch "$SANDBOX/fail/$1"; }
unfail() { rm -f "$SANDBOX/fail/$1"; }

# ------------------------------------------------------------------------------ manifests

# manifest CLUSTER NAME <TEXT: replaces a manifest in one step. manifest_file is for whoever has another
# manifest().
manifest() { manifest_file "$@"; }
manifest_file() {
  local file=$SANDBOX/state/$1/$2.yaml

  cat >"$SANDBOX/manifest.new"
  mv "$SANDBOX/manifest.new" "$file"
}

# svc CLUSTER [NS/]NAME VIP[,VIP] PORT [LINE…]: a Service with a port named http (PORT_NAME, PROTOCOL
# set others); each LINE is added to its spec.
svc() {
  local cluster=$1 namespace=default name=$2 vips=$3 port=$4

  [[ $name != */* ]] || namespace=${name%/*} name=${name#*/}
  shift 4
  {
    cat <<YAML
apiVersion: v1
kind: Service
metadata:
  name: $name
  namespace: $namespace
  creationTimestamp: "2026-01-01T00:00:00Z"
spec:
  type: ClusterIP
  clusterIP: "${vips%%,*}"
  clusterIPs: ["${vips//,/\", \"}"]
  ports:
  - name: ${PORT_NAME:-http}
    port: $port
    protocol: ${PROTOCOL:-TCP}
YAML
    (($# == 0)) || printf '  %s\n' "$@"
  } | manifest "$cluster" "service-$namespace-$name"
}

# eps CLUSTER [NS/]NAME IP[=STATE]…: its endpoints, one slice a family; none = a slice without endpoints.
# STATE: unready, draining (terminating, still serving), terminating. Port: TARGET_PORT (9080). With PODS=1 each address
# is one of the pod that its last number names.
eps() {
  local cluster=$1 namespace=default name=$2 entry v4=() v6=()

  [[ $name != */* ]] || namespace=${name%/*} name=${name#*/}
  shift 2
  for entry; do
    if [[ $entry == *:* ]]; then v6+=("$entry"); else v4+=("$entry"); fi
  done
  slice "$cluster" "$namespace" "$name" IPv4 "${v4[@]}"
  ((${#v6[@]} == 0)) || slice "$cluster" "$namespace" "$name" IPv6 "${v6[@]}"
}

slice() {
  local cluster=$1 namespace=$2 name=$3 family=$4 entry

  shift 4
  {
    cat <<YAML
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: $name-${family,,}
  namespace: $namespace
  labels:
    kubernetes.io/service-name: $name
addressType: $family
ports:
- name: ${PORT_NAME:-http}
  port: ${TARGET_PORT:-9080}
  protocol: ${PROTOCOL:-TCP}
endpoints:$( (($#)) || echo ' []')
YAML
    for entry; do
      echo "- addresses: [\"${entry%=*}\"]"
      [[ -z ${PODS-} ]] || echo "  targetRef: {kind: Pod, name: pod-$(sed 's/=.*//; s/.*[.:]//' <<<"$entry")}"
      case $entry in
      *=unready) echo "  conditions: {ready: false, serving: false, terminating: false}" ;;
      *=draining) echo "  conditions: {ready: false, serving: true, terminating: true}" ;;
      *=terminating) echo "  conditions: {ready: false, serving: false, terminating: true}" ;;
      *) echo "  conditions: {ready: true, serving: true, terminating: false}" ;;
      esac
    done
  } | manifest "$cluster" "slice-$namespace-$name-${family,,}"
}

# policy NAME <TEXT
policy() { policy_file "$@"; }
policy_file() {
  cat >"$SANDBOX/policy.new"
  mv "$SANDBOX/policy.new" "$SANDBOX/policy/$1.yaml"
}

# failover_policy NAME [OUTLIER]: the guide's rule for a service; OUTLIER as a flow mapping.
failover_policy() {
  policy "$1" <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: $1, namespace: default }
spec:
  host: $1
  trafficPolicy:
    outlierDetection: ${2:-{ consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1m \}}
    loadBalancer:
      localityLbSetting:
        failover:
        - { from: cn-hangzhou, to: cn-shanghai }
        - { from: cn-shanghai, to: cn-hangzhou }
YAML
}

# never_ejected: services reviews4 at $VIP and reviews6 at $VIP6, each with h1 and s1 of two_regions, which nothing ejects:
# so every connection to one that does not answer has to be rescued.
never_ejected() {
  local family address endpoints

  for family in 4 6; do
    address=$VIP endpoints=(10.0.0.11 10.1.0.11)
    [[ $family == 4 ]] || address=$VIP6 endpoints=(fd00:a0::11 fd00:a1::11)
    svc ack-hangzhou "reviews$family" "$address" 80
    eps ack-hangzhou "reviews$family" "${endpoints[0]}"
    eps ack-shanghai "reviews$family" "${endpoints[1]}"
    failover_policy "reviews$family" "{ consecutive5xxErrors: 0, consecutiveGatewayErrors: 0, interval: 1h }"
  done
}

# ------------------------------------------------------------------------------ traffic

# hits POD ADDRESS PORT COUNT: who answered COUNT new connections, as "h1=5 s1=5".
hits() {
  run_in "$1" "$PEER" get "$2" "$3" "$4" | tally
}

tally() {
  sort | uniq -c |
    awk '{ n = $1; $1 = ""; sub(/^ /, ""); gsub(/ /, "-"); printf "%s%s=%d", sep, $0, n; sep = " " }'
}

# outside POD COMMAND…: in the pod's namespace, but in no cgroup that an agent's socket hooks are on: its connections meet TC alone.
outside() (
  name=$1
  shift
  mkdir -p "$SANDBOX_CGROUP/outside"
  sandbox_exec "$SANDBOX_CGROUP/outside" "$name" "$@"
)

# outside_hits POD ADDRESS PORT COUNT: as hits.
outside_hits() {
  outside "$1" "$PEER" get "$2" "$3" "$4" | tally
}

# outside_sees WANTED POD ADDRESS PORT COUNT: for wait_for.
outside_sees() {
  [[ $(outside_hits "$2" "$3" "$4" "$5") == "$1" ]]
}

# served_interfaces NODE: "veth0=pod veth1=pod", those that TC serves.
served_interfaces() {
  ctl "$1" -o json status |
    jq -r '[.agent.interfaces.list[] | select(.served) | "\(.interface)=\(.kind)"] | sort | join(" ")'
}

# serves NODE COUNT: that many, or more; for wait_for.
serves() {
  (($(served_interfaces "$1" | wc -w) >= $2))
}

# flows NODE: rows of mrd_flow.
flows() {
  bpftool -j map dump pinned "$(bpffs_of "$1")/mrd_flow" | jq length
}

# sees WANTED POD ADDRESS PORT COUNT: for wait_for.
sees() {
  [[ $(hits "$2" "$3" "$4" "$5") == "$1" ]]
}

# health NODE IPV4: the states of that address in the kernel, sorted, once for each service that has it.
health() {
  bpftool -j map dump pinned "$(bpffs_of "$1")/mrd_health" | jq -r --arg ip "$2" \
    '.[].formatted.value | select(.family == "MRD_FAMILY_IPV4")
     | select((.addr[0:4] | map(tostring) | join(".")) == $ip) | .state | ltrimstr("MRD_STATE_")' |
    sort | paste -sd' '
}

# is_health NODE IPV4 STATE: for wait_for.
is_health() {
  [[ $(health "$1" "$2") == "$3" ]]
}

# stat NODE IPV4 FIELD: a counter of mrd_stat of the address's (first) endpoint; FIELD is a jq path.
stat_of() {
  local id

  id=$(bpftool -j map dump pinned "$(bpffs_of "$1")/mrd_health" | jq -r --arg ip "$2" \
    '[.[].formatted | select((.value.addr[0:4] | map(tostring) | join(".")) == $ip) | .key][0]')
  bpftool -j map dump pinned "$(bpffs_of "$1")/mrd_stat" |
    jq -r --argjson id "$id" ".[].formatted | select(.key == \$id) | .value$3"
}

# reason NODE NAME: the counter of a reason, by its number in maps/abi.h, over all CPUs.
reason() {
  local index

  index=$(awk '/^enum mrd_reason/ { on = 1 } on && /MRD_REASON_/ { if ($1 ~ "^MRD_REASON_" name ",?$") { print n + 0; exit } n++ }' \
    name="$2" "$SANDBOX_ROOT/maps/abi.h")
  bpftool -j map dump pinned "$(bpffs_of "$1")/mrd_count" | jq --argjson key "$index" \
    '[.[].formatted | select(.key == $key) | .values[].value] | add'
}

# programs_of NODE: as bpftool shows them, those that use maps of its agent.
programs_of() {
  bpftool -j prog show | jq --argjson maps \
    "[$(sed -n 's/^map_id:\t*//p' "/proc/${AGENT_PID[$1]}"/fdinfo/* | sort -un | paste -sd,)]" \
    '[.[] | select(any(.map_ids[]?; . as $id | $maps | index($id)))]'
}

# program_id NODE PROGRAM: of one of them.
program_id() {
  programs_of "$1" | jq --arg name "$2" '.[] | select(.name == $name).id'
}
