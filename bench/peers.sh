# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# The same work done by others, for scenarios to compare: a service at $VIP with PEERS_HOME at home and one
# endpoint in the other region. To be sourced in the place of lib.sh:
#
#   peers_begin direct haproxy                    # bench_begin, and a twin for each of these; all: "${PEERS[@]}"
#   for name in direct haproxy; do
#     peer_start "$name" || continue              # what is not there has been told as missing
#     sides+=("${PEER_SIDE[$name]}")              # as bench/load takes it
#   done
#   peers_scale second                            # endpoints at home, from now on, for all of them
#   peer_stop haproxy
#
# direct          the pod's own address, on a node where nothing is installed: the limit
# socket, tc      Meridian: its hooks at the socket; at the interface alone (the agent's cgroup has no pod in it)
# kube-iptables, kube-nftables   the real kube-proxy, its rules from the real API server, connection tracking
#                 on. It knows no other region, and sees neither answers nor silence.
# haproxy, nginx, envoy   a sidecar in the client's pod, asked at an address of localhost (sidecars.sh)
#
# Each has a twin (twins.sh) of that name, with two more servers: pods NAME-server and NAME-second, and NAME-remote
# behind a node of the other region. NUMBER-NAME is one more of its kind. Servers that `fail` makes answer 503 are
# there after bench_web() { web "$@"; }.
# shellcheck source=tests/kube/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tests/kube/lib.sh"
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=bench/kube_objects.sh
. "$(dirname "${BASH_SOURCE[0]}")/kube_objects.sh"
# shellcheck source=bench/sidecars.sh
. "$(dirname "${BASH_SOURCE[0]}")/sidecars.sh"

# shellcheck disable=SC2034 # used by the scenarios
PEERS=(direct socket tc kube-iptables kube-nftables haproxy nginx envoy)
PEERS_HOME=(server)
# How long an endpoint is out once it has failed, for those who can be told.
PEERS_EJECTION_S=60
declare -A PEER_SIDE=() PEER_PID=() PEER_TOLD=()
# Lines of an agent's configuration, where it has not its defaults.
declare -A PEER_AGENT=([fast-tc]="kernel.fastForward: true" [noprobe-socket]="kernel.probe: false")
declare -A PEER_ADDRESS=([server]=10.0.0.11 [second]=10.0.0.12 [remote]=10.1.0.11)

# peers_begin NAME…
peers_begin() {
  local name readers=()

  # One request of a peer that times out ends no run.
  BENCH_LOAD=(--go-on)
  BENCH_BEGIN=sandbox_begin bench_begin
  mkdir "$SANDBOX/kube"
  cluster ack-hangzhou cn-hangzhou
  cluster ack-shanghai cn-shanghai
  for name; do
    peers_twin "$name"
    [[ $name != *socket && $name != *tc && $name != *kube-* ]] || readers+=("$name")
  done
  if [[ " ${readers[*]}" == *" kube-"* ]] && peers_programs; then
    api_server ack-hangzhou home 172.16.0.0/15 "${readers[@]}"
    servers_up
    crd_install ack-hangzhou
    templates
    for name in "${readers[@]}"; do
      kube_node "$name"
    done
  fi
  svc ack-hangzhou reviews "$VIP" 80
  peers_endpoints "${PEERS_HOME[@]}"
  eps ack-shanghai reviews "${PEER_ADDRESS[remote]}"
  failover_policy reviews "{ consecutive5xxErrors: 1, interval: 1s,
      baseEjectionTime: ${PEERS_EJECTION_S}s, maxEjectionPercent: 100 }"
}

# peers_programs: an API server, and kube-proxy. Without, Meridian reads files.
peers_programs() {
  KUBE_PROGRAMS=$("$SANDBOX_ROOT/scripts/kube_assets.sh" --dir etcd kube-apiserver kubectl kube-proxy 2>/dev/null)
}

peers_twin() {
  local far=$1-far address

  if [[ $1 == *tc ]]; then
    twin "$1" outside
  else
    twin "$1"
  fi
  node "$far" cluster=ack-shanghai region=cn-shanghai 10.1.0.0/16
  link "$1" "$far" "${REGION_DELAY:-0}"
  read -r address _ <<<"${NODE_ADDRS[$1]}"
  ip -n "$far" route add 10.0.0.0/16 via "$address" dev "to-${1:0:12}" onlink
  pod "$1" "$1-second" "${PEER_ADDRESS[second]}"
  pod "$far" "$1-remote" "${PEER_ADDRESS[remote]}"
  bench_web "$1-second" "$1-remote"
}

# peers_endpoints POD…: what the control plane says of home.
peers_endpoints() {
  local addresses=() pod

  PEERS_HOME=("$@")
  for pod; do
    addresses+=("${PEER_ADDRESS[$pod]}")
  done
  eps ack-hangzhou reviews "${addresses[@]}"
}

# peers_scale POD…: endpoints at home from now on; every peer that runs hears of it in its way.
peers_scale() {
  local name

  peers_endpoints "$@"
  for name in haproxy nginx; do
    [[ -z ${PEER_PID[$name]-} ]] || sidecar_reload "$name"
  done
}

# ahead FIGURE at_least|at_most: a goal for both of our ways, of kube-proxy by either.
ahead() {
  local ours

  for ours in socket tc; do
    goal "$1" "$ours" "$2" 1 of kube-iptables
    goal "$1" "$ours" "$2" 1 of kube-nftables
  done
}

# ------------------------------------------------------------------------------ start and stop

# peer_words NAME: what the report says of it.
peer_words() {
  case $1 in
  direct) echo "the pod's own address, where nothing is installed: the limit" ;;
  socket) echo "Meridian with its defaults: by the hooks at sockets, and programs at interfaces" ;;
  fast-tc) echo "$(peer_words tc), with fastForward" ;;
  noprobe-socket) echo "$(peer_words socket); without the probe" ;;
  close-socket | reset-socket) echo "$(peer_words socket); an ejection ends connections (meridian.dev/on-eject: ${1%-*})" ;;
  tc) echo "Meridian by the programs at interfaces alone: a client that the hooks at sockets do not see" ;;
  kube-iptables) echo "kube-proxy with iptables (nf_tables' compatible ones), connection tracking on" ;;
  kube-nftables) echo "kube-proxy with nftables, connection tracking on" ;;
  haproxy | nginx | envoy) echo "$1 as a sidecar in the client's pod, connections to the server kept and shared" ;;
  *-slim-*) echo "$(peer_words "${1/-slim/}"), in maps of no more rows than it needs" ;;
  [0-9]*-*) echo "$(peer_words "${1#*-}"), for a service of ${1%%-*} endpoints" ;;
  esac
}

# peer_start NAME: it is ready when this returns; 1: it is not there, which was told.
peer_start() {
  local patience_s=30

  SERVE_PID=
  case $1 in
  *direct) PEER_SIDE[$1]=$(side "$1" "${PEER_ADDRESS[${PEERS_HOME[0]}]}:9080") ;;
  *socket | *tc)
    twin_agent "$1" ${PEER_AGENT[$1]:+"${PEER_AGENT[$1]}"}
    PEER_SIDE[$1]=$(side "$1")
    ;;
  *kube-*)
    kube_proxy_start "$1" || return
    PEER_SIDE[$1]=$(side "$1")
    ;;
  *)
    sidecar_start "$1" || return
    PEER_SIDE[$1]=$(side "$1" "127.0.0.1:${SIDECAR_PORT[$1]}")
    ;;
  esac
  PEER_PID[$1]=$SERVE_PID
  # With 10,000 services nft alone may take a minute for kube-proxy's first rules.
  [[ $1 != *kube-* ]] || patience_s=240
  if wait_for "$patience_s" peer_answers "$1"; then
    [[ -n ${PEER_TOLD[$1]-} ]] || about "$1" "$(peer_words "$1")"
    PEER_TOLD[$1]=1
    return
  fi
  [[ $1 == *kube-* || -n ${SIDECAR_PORT[$1]-} ]] || exit 1 # ours, and the pod itself, have to
  peer_stop "$1"
  missing "$1" "it runs, but gives no good answer; it said: $(tail -n 1 "$SANDBOX/log/$1")"
  return 1
}

# peer_answers NAME: is there a good answer at the address of its side?
peer_answers() {
  local address=${PEER_SIDE[$1]#*=}

  answers "$1" "${address%%@*}"
}

# answers NAME ADDRESS:PORT: the same there.
answers() {
  in_twin "$1" curl --silent --fail --connect-timeout 0.3 --max-time 2 "http://$2/"
}

peer_stop() {
  local pid=${PEER_PID[$1]-}

  unset "PEER_PID[$1]" "PEER_SIDE[$1]"
  case $1 in
  *direct) ;;
  *socket | *tc) agent_stop "$1" ;;
  *kube-*) kube_proxy_stop "$1" "$pid" ;;
  *) stop "$pid" || true ;;
  esac
}

# ------------------------------------------------------------------------------ kube-proxy

# kube_node NAME: the object by which kube-proxy knows its own address.
kube_node() {
  local address=${NODE_ADDRS[$1]%% fd*}

  api ack-hangzhou /api/v1/nodes -H "Content-Type: application/json" -o /dev/null --fail \
    -d "{\"metadata\": {\"name\": \"$1\"}, \"spec\": {\"podCIDR\": \"10.0.0.0/24\"}}"
  api ack-hangzhou "/api/v1/nodes/$1/status" -X PATCH -H "Content-Type: application/merge-patch+json" -o /dev/null --fail \
    -d "{\"status\": {\"addresses\": [{\"type\": \"InternalIP\", \"address\": \"${address# }\"}]}}"
}

kube_proxy_start() {
  local mode=${1##*-} conf=$SANDBOX/kube/$1.json tool

  tool=${mode/nftables/nft}
  if [[ -z ${KUBE_HOST[ack-hangzhou]-} ]]; then
    missing "$1" "make kube-assets builds kube-proxy and its API server"
    return 1
  elif ! command -v "$tool" >/dev/null; then
    missing "$1" "make deps installs $tool"
    return 1
  fi
  # Its defaults, but for limits of connections, which are the machine's, and the repetition of what is there,
  # which would shuffle the rules while they are measured.
  jq -n --arg mode "$mode" --arg name "$1" --arg access "$SANDBOX/kube/ack-hangzhou/admin.conf" \
    '{kind: "KubeProxyConfiguration", apiVersion: "kubeproxy.config.k8s.io/v1alpha1", $mode,
      hostnameOverride: $name, clusterCIDR: "10.0.0.0/8", clientConnection: {kubeconfig: $access},
      iptables: {syncPeriod: "1h"}, nftables: {syncPeriod: "1h"}, oomScoreAdj: 0,
      conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s"}}' >"$conf"
  sandbox_spawn "$SANDBOX_CGROUP/agents/$1" "$SANDBOX/log/$1" nsenter --net="/run/netns/$1" -- \
    "$KUBE_PROGRAMS/kube-proxy" --config "$conf"
}

kube_proxy_stop() {
  stop "$2" || true
  run_in "$1" "$KUBE_PROGRAMS/kube-proxy" --config "$SANDBOX/kube/$1.json" --cleanup >>"$SANDBOX/log/$1" 2>&1
}

# kube_forget NAME: the node forgets connections that are over. For two minutes their ports would be taken for whoever
# comes to the same endpoint by way of another service: packets would be dropped, or new ports be looked for.
kube_forget() {
  run_in "$1" /usr/bin/python3 - <<'END'
import socket, struct
NETLINK_NETFILTER, CT_DELETE, REQUEST_ACK = 12, 1 << 8 | 2, 5
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
s.send(struct.pack("=IHHII4s", 20, CT_DELETE, REQUEST_ACK, 1, 0, bytes(4)))
error, = struct.unpack_from("=i", s.recv(256), 16)
if error:
    raise OSError(-error, "connections that are over")
END
}

# kube_rules NAME: the services' addresses that its rules know, in their order.
kube_rules() {
  if [[ $1 == *kube-iptables ]]; then
    run_in "$1" iptables -t nat -S KUBE-SERVICES | sed -n 's|.* -d \([0-9.]*\)/32 .* -j KUBE-SVC-.*|\1|p'
  else
    run_in "$1" nft -j list map ip kube-proxy service-ips | jq -r '.nftables[].map.elem? // [] | .[][0].concat[0]'
  fi
}

# kube_rules_middle NAME: the address whose rule is in the middle: the mean of what connections to all of them meet.
kube_rules_middle() {
  kube_rules "$1" | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}

# kube_rules_wait NAME COUNT: until its rules know so many services.
kube_rules_wait() {
  local -i end=$((SECONDS + 240))

  until (($(kube_rules "$1" | wc -l) >= $2)); do
    if ((SECONDS > end)); then
      echo "waited in vain for the rules of $2 services at $1" >&2
      return 1
    fi
    sleep 1
  done
}
