# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# Twins: nodes of the same shape, each with a client and a server of its own, that differ in what leads from
# one to the other. They have the same addresses, as none can reach another. lib.sh sources this.

# The cgroup of each twin's client.
declare -A BENCH_TWIN=()
BENCH_DNS=172.16.0.53

# twins: what every twin's agent hears of: services with the twin's server as their only endpoint, reviews at
# $VIP, dns at $BENCH_DNS, bulk at $VIP:5201.
twins() {
  cluster ack-hangzhou cn-hangzhou
  svc ack-hangzhou reviews "$VIP" 80
  eps ack-hangzhou reviews 10.0.0.11
  failover_policy reviews
  PORT_NAME=dns PROTOCOL=UDP svc ack-hangzhou dns "$BENCH_DNS" 53
  PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353 eps ack-hangzhou dns 10.0.0.11
  PORT_NAME=bulk svc ack-hangzhou bulk 172.16.0.52 5201
  PORT_NAME=bulk TARGET_PORT=5201 eps ack-hangzhou bulk 10.0.0.11
}

# twin NAME [outside]: a node with pods NAME-client, 10.0.0.2, and NAME-server, 10.0.0.11, where bench_web
# serves. A client that is outside is in no cgroup of the node's, so its connections meet programs at
# interfaces alone.
twin() {
  node "$1" region=cn-hangzhou
  pod "$1" "$1-client" 10.0.0.2
  pod "$1" "$1-server" 10.0.0.11
  BENCH_TWIN[$1]=$(cgroup_of "$1-client")
  [[ ${2-} != outside ]] || BENCH_TWIN[$1]=$SANDBOX_CGROUP/outside/$1
  mkdir -p "${BENCH_TWIN[$1]}" "$SANDBOX_CGROUP/agents/$1"
  many_ports "$1-client"
  bench_web "$1-server"
}

# twin_agent NAME [LINE…]: the agent of a twin's node, configured as by agent_config. In a cgroup of its own.
twin_agent() {
  agent_start "$@"
  echo "${AGENT_PID[$1]}" >"$SANDBOX_CGROUP/agents/$1/cgroup.procs"
  [[ "$*" == *interfaces* ]] || wait_for 5 serves "$1" 2
}

# path NAME: a twin for one of our ways, or for the limit.
path() {
  case $1 in
  direct) about direct "the pod's own address, where nothing is installed: the limit" ;;
  again) about again "the same once more: what it differs by is noise" ;;
  socket) about socket "Meridian with its defaults: by the hooks at sockets, with the probe, and programs at interfaces" ;;
  noprobe) about noprobe "the same without the probe" ;;
  notc) about notc "the same without programs at interfaces" ;;
  tc) about tc "by the programs at interfaces alone: a client that the hooks at sockets do not see" ;;
  tcnoprobe) about tcnoprobe "the same without the probe" ;;
  fast) about fast "as tc, with fastForward" ;;
  esac
  twin "$1" "$([[ $1 != @(tc|tcnoprobe|fast) ]] || echo outside)"
  case $1 in
  socket | tc) twin_agent "$1" ;;
  noprobe | tcnoprobe) twin_agent "$1" "kernel.probe: false" ;;
  notc) twin_agent notc "kernel.interfaces: none" ;;
  fast) twin_agent fast "kernel.fastForward: true" ;;
  esac
}

# paths NAME…: twins for these.
paths() {
  local name

  PATHS=("$@")
  twins
  for name in "${PATHS[@]}"; do
    path "$name"
  done
}

# sides_of_paths SERVER SERVICE: in $SIDES, for rates and latencies: ADDRESS:PORT of either.
sides_of_paths() {
  local name

  SIDES=()
  for name in "${PATHS[@]}"; do
    SIDES+=("$(side "$name" "$(address_of "$name" "$@")")")
  done
}

# address_of SIDE SERVER SERVICE: the one that this side's client asks.
address_of() {
  case $1 in
  direct | again) echo "$2" ;;
  *) echo "$3" ;;
  esac
}

# side NAME [ADDRESS:PORT]: a twin's client and the VIP, for rates.
side() {
  echo "$1=${2:-$VIP:80}@${BENCH_TWIN[$1]}@$1-client"
}

# in_twin NAME COMMAND…: as its client.
in_twin() (
  name=$1
  shift
  sandbox_exec "${BENCH_TWIN[$name]}" "$name-client" "$@"
)

# at_interfaces NAME FORWARD REVERSE: pinned programs by tcx links, at both pods' interfaces of a twin.
at_interfaces() {
  local interface pins

  pins=$(bpffs_of "$1-links")
  mkdir "$pins"
  for interface in $(ip -n "$1" -j link show type veth | jq -r '.[].ifname'); do
    nsenter --net="/run/netns/$1" -- "$SANDBOX_OUT/bench/tcx" "$interface" ingress "$2" "$pins/$interface-in"
    nsenter --net="/run/netns/$1" -- "$SANDBOX_OUT/bench/tcx" "$interface" egress "$3" "$pins/$interface-out"
  done
}

# off_interfaces NAME: what at_interfaces attached.
off_interfaces() {
  rm -rf "$(bpffs_of "$1-links")"
}

# bench_web POD…: nginx on ports 9080 and 9081, one process, that answers 200 with two bytes. A client that TC translates asks for
# the pod itself at the second one: by both ways to one port it would come from ports that still wait there to be used again.
bench_web() {
  local pod conf kind

  mkdir -p "$SANDBOX/web"
  for pod; do
    conf=$SANDBOX/web/$pod.conf
    {
      echo "daemon off; master_process off; pid $SANDBOX/web/$pod.pid; error_log stderr warn;"
      echo "events { worker_connections 4096; }"
      echo "http { access_log off; keepalive_requests 1000000000; keepalive_timeout 1h;"
      for kind in client_body proxy fastcgi uwsgi scgi; do
        echo "${kind}_temp_path $SANDBOX/web/$pod.$kind;"
      done
      echo 'server { listen 9080 backlog=4096; listen 9081 backlog=4096; location / { return 200 "ok"; } } }'
    } >"$conf"
    serve "$pod" nginx -e stderr -c "$conf"
  done
  for pod; do
    wait_listen "$pod" 9080
  done
}

# ------------------------------------------------------------------------------ processor time

# cpu_figures FIGURE SPEC…: where a side is a twin.
cpu_figures() {
  [[ -n ${BENCH_TWIN[${2%%=*}]-} ]] || return 0
  figure "$1.cpu" "us a request" lower "${BENCH_TITLES[$1]}: processor time" "${BENCH_BASES[$1]}"
  figure "$1.cpu_client" "us a request" lower "${BENCH_TITLES[$1]}: the client's processor time" "${BENCH_BASES[$1]}"
  figure "$1.cpu_server" "us a request" lower "${BENCH_TITLES[$1]}: the server's processor time" "${BENCH_BASES[$1]}"
  figure "$1.cpu_agent" "us a request" lower "${BENCH_TITLES[$1]}: the agent's or proxy's processor time" "${BENCH_BASES[$1]}"
}

# cpu_read SPEC…: "SIDE PART MICROSECONDS" of those that are twins, as their cgroups account for it.
cpu_read() {
  local name files=()

  for name in "${@%%=*}"; do
    [[ -n ${BENCH_TWIN[$name]-} ]] || continue
    files+=(side="$name" part=client "${BENCH_TWIN[$name]}/cpu.stat"
      part=server "$(cgroup_of "$name-server")/cpu.stat" part=agent "$SANDBOX_CGROUP/agents/$name/cpu.stat")
  done
  [[ -z ${files[*]} ]] || awk '$1 == "usage_usec" { print side, part, $2 }' "${files[@]}"
}

# cpu_samples FIGURE ROUND: of what cpu_read and load left in files.
cpu_samples() {
  local name us side

  awk 'FILENAME ~ /before$/ { before[$1 " " $2] = $3; next }
    FILENAME ~ /after$/ { order[++n] = $1 " " $2; spent[order[n]] = $3 - before[order[n]]; next }
    { requests[$2] += $4 }
    END {
      for (i = 1; i <= n; i++) {
        split(order[i], part)
        each = spent[order[i]] / requests[part[1]]
        whole[part[1]] += each
        print part[1], "cpu_" part[2], each
        if (part[2] == "agent")
          print part[1], "cpu", whole[part[1]]
      }
    }' "$SANDBOX/cpu.before" "$SANDBOX/cpu.after" "$SANDBOX/rates" |
    while read -r side name us; do
      sample "$1.$name" "$side" "$2" "$us"
    done
}
