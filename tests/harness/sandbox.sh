# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# A world of its own for a test, the demo or a bench: nodes and pods as network namespaces, an agent
# on each node with its own cgroup and bpffs. To be sourced first thing by a script, as
#
#   set -euo pipefail
#  . "$(dirname "$0")/../harness/sandbox.sh"
#  sandbox_begin e2e/07-refused
#  cluster ack-hangzhou cn-hangzhou
#  node n1 cluster=ack-hangzhou region=cn-hangzhou 10.0.0.0/16
#  pod n1 client 10.0.0.2
#  agent_start n1
#  expect_eq "the answer" ok "$(run_in client curl -s http://172.16.0.9:80/)"
#  sandbox_end
#
# How it stays apart from everything else
# - Sourcing runs the script again in a private mount namespace (same pid). In it /run/netns is a
#   fresh tmpfs and bpffs is mounted below the sandbox's temp folder. Names are private, and when
#   the last process leaves, mounts, network namespaces, devices, maps and links vanish by
#   themselves, whatever the script died of.
# - Every process of the sandbox, but not the script, is in one child of the cgroup v2 root,
#   mrd-<name>-<pid>. The end of the sandbox is the end of that cgroup; nothing is killed by name.
# - What a kill -9 of the script leaves (that cgroup with its processes, and the temp folder) carries
#   the script's pid in its name. The next sandbox removes it, if that pid is gone.
#
# How pods are wired: a veth to the node; the pod's default route is 169.254.1.1 or fe80::1, which
# every node end has, so that a VIP needs no route; the node routes to the pod's address. Nodes
# reach each other by a veth, or by demo/delay_line if the link has a delay.
#
# Commands enter the cgroup first and the network namespace second (a socket belongs to the cgroup
# it was made in), by nsenter: `ip netns exec` would hide this mount namespace's bpffs.

SANDBOX_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SANDBOX_OUT=$(cd "$SANDBOX_ROOT" && realpath -m "${MRD_OUT:-out/rel}")
MERIDIAND=${MERIDIAND:-$SANDBOX_OUT/meridiand}
MERIDIANCTL=${MERIDIANCTL:-$SANDBOX_OUT/meridianctl}
DELAY_LINE=${DELAY_LINE:-$SANDBOX_OUT/demo/delay_line}
# The path of a socket in it has room for 107 bytes.
SANDBOX_TMP=${TMPDIR:-/tmp}
((${#SANDBOX_TMP} < 40)) || SANDBOX_TMP=/tmp

# A runner reads the exit code, too: automake's number for a skipped test.
SANDBOX_EXIT_SKIP=77

if ((EUID != 0)); then
  echo "SKIP $(basename "$0" .sh): needs root"
  exit "$SANDBOX_EXIT_SKIP"
fi
if [[ ${MRD_SANDBOX_PID-} != "$$" ]]; then
  export MRD_SANDBOX_PID=$$
  exec unshare --mount --propagation private "$BASH" "$0" "$@"
fi
# A sandbox may start scripts that make their own.
unset MRD_SANDBOX_PID

# ------------------------------------------------------------------------------ begin and end

# sandbox_begin NAME: everything below needs this first.
sandbox_begin() {
  # Nobody's proxy reaches what is in here.
  unset {http,https,ftp,all}_proxy {HTTP,HTTPS,FTP,ALL}_PROXY
  local name=${1//[^A-Za-z0-9.]/-}

  SANDBOX_NAME=$1
  declare -gi SANDBOX_CHECKS=0 SANDBOX_FAILURES=0
  SANDBOX_VERDICT=
  SANDBOX_FAILED_AT=
  SANDBOX_VETHS=0
  SERVE_PID=
  declare -gA NODE_CLUSTER=() NODE_REGION=() NODE_ZONE=() NODE_ADDRS=() NODE_CIDRS=() POD_NODE=()
  declare -gA AGENT_PID=() CLUSTER_REGION=() CLUSTER_CIDRS=() CLUSTER_ACCESS=()
  declare -ga SANDBOX_NODES=() SANDBOX_CLUSTERS=()

  SANDBOX_CGROUP2=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET || true)
  if [[ -z $SANDBOX_CGROUP2 ]]; then
    sandbox_skip "no cgroup v2 mount"
  fi
  sandbox_sweep
  trap 'sandbox_failed "$LINENO"' ERR
  set -E
  trap sandbox_exit EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  SANDBOX_CGROUP=$SANDBOX_CGROUP2/mrd-$name-$$
  mkdir "$SANDBOX_CGROUP"
  SANDBOX=$(mktemp -d "$SANDBOX_TMP/mrd-$name-$$.XXXXXX")
  mkdir "$SANDBOX/log" "$SANDBOX/state" "$SANDBOX/policy" "$SANDBOX/bpf"
  mkdir -p /run/netns
  mount -t tmpfs -o mode=755 mrd-netns /run/netns
  mount -t bpf bpf "$SANDBOX/bpf"
}

# Prints the verdict of a test, for its runner, and leaves.
sandbox_end() {
  if ((SANDBOX_FAILURES)); then
    SANDBOX_VERDICT="FAIL $SANDBOX_NAME: $SANDBOX_FAILURES of $SANDBOX_CHECKS checks"
    exit 1
  fi
  SANDBOX_VERDICT="PASS $SANDBOX_NAME"
  exit 0
}

# sandbox_skip REASON: what this machine lacks.
sandbox_skip() {
  SANDBOX_VERDICT="SKIP ${SANDBOX_NAME:-$0}: $1"
  [[ -n ${SANDBOX_CGROUP-} ]] || echo "$SANDBOX_VERDICT"
  exit "$SANDBOX_EXIT_SKIP"
}

# The trap of ERR: which line of the script itself, though a library's command failed.
sandbox_failed() {
  local -i frame line=$1

  for ((frame = 1; frame < ${#BASH_SOURCE[@]}; frame++)); do
    [[ ${BASH_SOURCE[frame]} != "$0" ]] || break
    line=${BASH_LINENO[frame]}
  done
  SANDBOX_FAILED_AT="${0##*/}:$line: $(sed -n "${line}s/^ *//p" "$0")"
}

# The trap of EXIT: runs once, whatever ended the script.
sandbox_exit() {
  local status=$?

  trap '' INT TERM HUP
  trap - ERR EXIT
  set +e
  if [[ -z $SANDBOX_VERDICT ]] && ((status == 0)); then
    status=1
    SANDBOX_VERDICT="FAIL $SANDBOX_NAME: ended without sandbox_end"
  elif [[ -z $SANDBOX_VERDICT ]] && ((status > 128)); then
    SANDBOX_VERDICT="FAIL $SANDBOX_NAME: interrupted"
  elif [[ -z $SANDBOX_VERDICT ]]; then
    SANDBOX_VERDICT="FAIL $SANDBOX_NAME: exit $status at ${SANDBOX_FAILED_AT:-?}"
  fi
  if ((status != 0 && status != SANDBOX_EXIT_SKIP && status <= 128)) && [[ -z ${SANDBOX_QUIET-} ]]; then
    sandbox_logs
  fi
  # bash would tell of every process that this kills.
  {
    sandbox_remove_cgroup "$SANDBOX_CGROUP"
    wait
  } 2>/dev/null
  [[ ! -d $SANDBOX_CGROUP ]] || echo "cannot remove $SANDBOX_CGROUP" >&2
  if [[ -n ${SANDBOX-} ]]; then
    ! mountpoint -q "$SANDBOX/bpf" || umount "$SANDBOX/bpf"
    ! mountpoint -q /run/netns || umount -R /run/netns
    if [[ -n ${MRD_KEEP-} ]]; then
      echo "kept: $SANDBOX" >&2
    else
      rm -rf --one-file-system "$SANDBOX"
    fi
  fi
  [[ -n ${SANDBOX_QUIET-} ]] || echo "$SANDBOX_VERDICT"
  exit "$status"
}

# After a failure: the end of what agents and servers said.
sandbox_logs() {
  local log

  for log in "$SANDBOX"/log/*; do
    [[ -s $log ]] || continue
    echo "--- ${log##*/}" >&2
    tail -n 15 "$log" >&2
  done
}

# Ends every process of a cgroup of ours, then removes it with what is below it. cgroup.kill is of
# Linux 5.14; before, its processes are killed one by one.
sandbox_remove_cgroup() {
  local cgroup=$1 dir pid
  local -i try

  [[ -d $cgroup ]] || return 0
  for ((try = 0; try < 100; try++)); do
    if [[ -e $cgroup/cgroup.kill ]]; then
      echo 1 >"$cgroup/cgroup.kill"
    else
      while read -r pid; do
        kill -KILL "$pid" 2>/dev/null
      done < <(find "$cgroup" -name cgroup.procs -exec cat {} +)
    fi
    while read -r dir; do
      rmdir "$dir" 2>/dev/null
    done < <(find "$cgroup" -depth -type d 2>/dev/null)
    [[ -d $cgroup ]] || return 0
    sleep 0.02
  done
  return 1
}

# Removes what killed sandboxes left. The owner's pid is the last number of the name; if another
# process has that pid by now, the leftovers wait for a later run.
sandbox_sweep() {
  local path pid

  for path in "$SANDBOX_CGROUP2"/mrd-*-*/; do
    path=${path%/}
    pid=${path##*-}
    if [[ $pid =~ ^[0-9]+$ && -d $path && ! -d /proc/$pid ]]; then
      sandbox_remove_cgroup "$path" || true
    fi
  done
  for path in "$SANDBOX_TMP"/mrd-*-*.??????; do
    pid=${path%.*}
    pid=${pid##*-}
    if [[ $pid =~ ^[0-9]+$ && -d $path && ! -d /proc/$pid ]]; then
      rm -rf --one-file-system "$path" || true
    fi
  done
}

# ------------------------------------------------------------------------------ clusters, nodes, pods

# cluster NAME REGION [podCIDRs=[…]] [serviceCIDRs=[…]]: a cluster whose state is the folder
# $SANDBOX/state/NAME, unless CLUSTER_ACCESS[NAME] gets another line. Every agent that is started later
# knows it.
cluster() {
  local name=$1

  CLUSTER_REGION[$name]=$2
  CLUSTER_ACCESS[$name]="directory: $SANDBOX/state/$name"
  shift 2
  CLUSTER_CIDRS[$name]=
  (($# == 0)) || CLUSTER_CIDRS[$name]=$(printf '    %s\n' "${@/=/: }")
  SANDBOX_CLUSTERS+=("$name")
  mkdir "$SANDBOX/state/$name"
}

# node NAME [cluster=C] [region=R] [zone=Z] [ADDRESS…] [POD_CIDR…]: a network namespace with its
# cgroup. Without addresses it has 192.168.0.N and fd00:192::N.
node() {
  local name=$1 arg
  local -i index=$((${#SANDBOX_NODES[@]} + 1))

  shift
  NODE_CLUSTER[$name]=${SANDBOX_CLUSTERS[0]-}
  NODE_REGION[$name]=
  NODE_ZONE[$name]=
  NODE_ADDRS[$name]=
  NODE_CIDRS[$name]=
  for arg; do
    case $arg in
    cluster=*) NODE_CLUSTER[$name]=${arg#*=} ;;
    region=*) NODE_REGION[$name]=${arg#*=} ;;
    zone=*) NODE_ZONE[$name]=${arg#*=} ;;
    */*) NODE_CIDRS[$name]+=" $arg" ;;
    *) NODE_ADDRS[$name]+=" $arg" ;;
    esac
  done
  : "${NODE_ADDRS[$name]:=192.168.0.$index fd00:192::$index}"
  SANDBOX_NODES+=("$name")
  mkdir -p "$SANDBOX_CGROUP/$name/host" "$SANDBOX_CGROUP/agents" "$SANDBOX_CGROUP/links"
  sandbox_netns "$name"
  for arg in ${NODE_ADDRS[$name]}; do
    echo "address add $arg dev lo"
  done | ip -n "$name" -batch -
}

# pod NODE NAME ADDRESS[,ADDRESS6]: a network namespace behind a node's, and a cgroup below it.
pod() {
  local node=$1 name=$2 address veth=veth$((SANDBOX_VETHS++))

  POD_NODE[$name]=$node
  mkdir "$SANDBOX_CGROUP/$node/$name"
  sandbox_netns "$name"
  ip -n "$node" link add name "$veth" type veth peer name eth0 netns "$name"
  {
    echo "address add 169.254.1.1/32 dev $veth"
    echo "address add fe80::1/64 dev $veth nodad"
    echo "link set $veth up"
    for address in ${3//,/ }; do
      echo "route add $address dev $veth"
    done
  } | ip -n "$node" -batch -
  {
    echo "link set eth0 up"
    for address in ${3//,/ }; do
      if [[ $address == *:* ]]; then
        echo "address add $address/128 dev eth0 nodad"
        echo "route add default via fe80::1 dev eth0"
      else
        echo "address add $address/32 dev eth0"
        echo "route add default via 169.254.1.1 dev eth0 onlink"
      fi
    done
  } | ip -n "$name" -batch -
}

# link NODE NODE [DELAY_MS]: the delay is one way, so a round trip takes twice as long.
link() {
  local a=$1 b=$2 delay=${3:-0} to_a=to-${1:0:12} to_b=to-${2:0:12}

  if [[ $delay == 0 ]]; then
    ip -n "$a" link add name "$to_b" type veth peer name "$to_a" netns "$b"
  else
    sandbox_spawn "$SANDBOX_CGROUP/links" "$SANDBOX/log/link-$a-$b" \
      "$DELAY_LINE" "$a" "$to_b" "$b" "$to_a" "$((delay * 1000))"
    wait_for 5 grep -q forwarding "$SANDBOX/log/link-$a-$b"
  fi
  sandbox_link_routes "$a" "$b" "$to_b"
  sandbox_link_routes "$b" "$a" "$to_a"
}

# One end of a link: NODE reaches PEER and its pods through DEVICE.
sandbox_link_routes() {
  local node=$1 peer=$2 device=$3 address gateway=() cidr family

  {
    echo "link set $device up"
    for address in ${NODE_ADDRS[$node]}; do
      [[ $address == *:* ]] && echo "address add $address dev $device nodad" ||
        echo "address add $address/32 dev $device"
    done
    for address in ${NODE_ADDRS[$peer]}; do
      family=4
      [[ $address == *:* ]] && family=6
      gateway[family]=$address
      echo "route add $address dev $device"
    done
    for cidr in ${NODE_CIDRS[$peer]}; do
      family=4
      [[ $cidr == *:* ]] && family=6
      echo "route add $cidr via ${gateway[family]} dev $device onlink"
    done
  } | ip -n "$node" -batch -
}

# A network namespace that forwards, answers at once on new IPv6 addresses, and has lo up.
sandbox_netns() {
  ip netns add "$1"
  ip -n "$1" link set lo up
  # shellcheck disable=SC2016 # $f is the inner shell's
  nsenter --net="/run/netns/$1" sh -c '
    cd /proc/sys/net
    for f in ipv4/ip_forward ipv6/conf/all/forwarding; do echo 1 >$f; done
    for f in ipv4/conf/all/rp_filter ipv4/conf/default/rp_filter \
      ipv6/conf/all/accept_dad ipv6/conf/default/accept_dad; do echo 0 >$f; done'
}

# blackhole NAME: the pod or node hears nothing any more, and so does not answer. unblackhole ends it.
blackhole() {
  nsenter --net="/run/netns/$1" nft \
    'table inet mrd_blackhole { chain in { type filter hook prerouting priority -300; iif != lo drop; }; }'
}

unblackhole() {
  nsenter --net="/run/netns/$1" nft delete table inet mrd_blackhole
}

# ------------------------------------------------------------------------------ processes

# The cgroup of a pod or node.
cgroup_of() {
  if [[ -n ${POD_NODE[$1]-} ]]; then
    echo "$SANDBOX_CGROUP/${POD_NODE[$1]}/$1"
  else
    echo "$SANDBOX_CGROUP/$1/host"
  fi
}

# Becomes a command inside a cgroup and a network namespace; for subshells.
sandbox_exec() {
  local cgroup=$1 netns=$2

  shift 2
  echo "$BASHPID" >"$cgroup/cgroup.procs"
  exec nsenter --net="/run/netns/$netns" -- "$@"
}

# run_in POD|NODE COMMAND…: in the foreground.
run_in() (
  name=$1
  shift
  sandbox_exec "$(cgroup_of "$name")" "$name" "$@"
)

# serve POD|NODE COMMAND…: in the background, its output in $SANDBOX/log/POD. Its pid: $SERVE_PID.
serve() {
  local name=$1

  shift
  sandbox_spawn "$(cgroup_of "$name")" "$SANDBOX/log/$name" nsenter --net="/run/netns/$name" -- "$@"
}

# Starts a command in a cgroup, its output appended to a log.
sandbox_spawn() {
  local cgroup=$1 log=$2

  shift 2
  (
    trap - INT TERM HUP EXIT ERR
    echo "$BASHPID" >"$cgroup/cgroup.procs"
    exec "$@" </dev/null >>"$log" 2>&1
  ) &
  SERVE_PID=$!
}

# wait_for SECONDS COMMAND…: until it succeeds. Its output is dropped.
wait_for() {
  local -i end=$(($(now_ms) + $1 * 1000))

  shift
  until "$@" >/dev/null 2>&1; do
    if (($(now_ms) > end)); then
      echo "waited in vain for: $*" >&2
      return 1
    fi
    sleep 0.02
  done
}

# wait_listen POD PORT [SECONDS]: until a TCP server listens there.
wait_listen() {
  wait_for "${3:-5}" sandbox_listens "$1" "$2"
}

sandbox_listens() {
  [[ -n $(nsenter --net="/run/netns/$1" ss -Hltn "sport = :$2") ]]
}

# wait_gone PID [SECONDS]
wait_gone() {
  wait_for "${2:-5}" sandbox_gone "$1"
}

sandbox_gone() {
  ! kill -0 "$1" || [[ $(ps -o stat= -p "$1") == Z* ]]
}

now_ms() {
  local now=${EPOCHREALTIME//[.,]/}

  echo "${now%???}"
}

# ------------------------------------------------------------------------------ the agent

# agent_config NODE [LINE…]: prints the configuration. A LINE is YAML of the top level
# ("staleAfter: 5s"), or of a section: "node.zone: b", "kernel.limits: { services: 8 }". It takes the
# place of the line of the same key below.
agent_config() {
  local node=$1 name

  shift
  echo "node:"
  sandbox_config_lines node. "$@" -- "name: $node" "region: ${NODE_REGION[$node]}" \
    "zone: ${NODE_ZONE[$node]}"
  echo "clusters:"
  for name in "${SANDBOX_CLUSTERS[@]}"; do
    echo "  - name: $name"
    [[ $name != "${NODE_CLUSTER[$node]}" ]] || echo "    home: true"
    echo "    region: ${CLUSTER_REGION[$name]}"
    echo "    ${CLUSTER_ACCESS[$name]}"
    [[ -z ${CLUSTER_CIDRS[$name]} ]] || echo "${CLUSTER_CIDRS[$name]}"
  done
  echo "kernel:"
  sandbox_config_lines kernel. "$@" -- "cgroup: $SANDBOX_CGROUP/$node" "bpffs: $(bpffs_of "$node")"
  sandbox_config_lines "" "$@" -- "policy: [$SANDBOX/policy]" "control: $(control_of "$node")"
}

# sandbox_config_lines PREFIX [LINE…] -- DEFAULT…: the lines of a section, then those defaults that
# no line replaces and that have a value.
sandbox_config_lines() {
  local prefix=$1 indent=${1:+  } line seen=' '

  shift
  while [[ $1 != -- ]]; do
    line=$1
    shift
    if [[ -z $prefix ]]; then
      [[ ${line%%:*} != *.* ]] || continue
    else
      [[ $line == "$prefix"* ]] || continue
    fi
    seen+="${line%%:*} "
    echo "$indent${line#"$prefix"}"
  done
  shift
  for line; do
    [[ $seen == *" $prefix${line%%:*} "* || -z ${line#*: } ]] || echo "$indent$line"
  done
}

# Where a node's agent pins maps and links, listens, and logs.
bpffs_of() { echo "$SANDBOX/bpf/$1"; }
control_of() { echo "$SANDBOX/$1.sock"; }
agent_log_of() { echo "$SANDBOX/log/agent-$1"; }

# agent_start NODE [LINE…]: returns once the agent says ready. The lines: see agent_config.
agent_start() {
  agent_launch "$@"
  if ! wait_for 30 sandbox_agent_ready "$1"; then
    cat "$(agent_log_of "$1")" >&2
    return 1
  fi
}

# The same without waiting. What an earlier agent said moves to the log's name and .1.
agent_launch() {
  local node=$1 log

  log=$(agent_log_of "$node")
  [[ ! -e $log ]] || mv "$log" "$log.1"
  agent_config "$@" >"$SANDBOX/$node.yaml"
  sandbox_spawn "$SANDBOX_CGROUP/agents" "$log" \
    nsenter --net="/run/netns/$node" -- "$MERIDIAND" --config "$SANDBOX/$node.yaml"
  AGENT_PID[$node]=$SERVE_PID
}

# Ready, or dead (then there is nothing to wait for, and the caller sees it by the kill).
sandbox_agent_ready() {
  kill -0 "${AGENT_PID[$1]}" || return 1
  agent_said "$1" '(^|[ ="])ready([ "]|$)'
}

# agent_said NODE REGEX: does the running agent's log have such a line?
agent_said() {
  grep -qE -- "$2" "$(agent_log_of "$1")"
}

agent_running() {
  kill -0 "${AGENT_PID[$1]}" 2>/dev/null
}

# SIGTERM; returns the agent's exit code.
agent_stop() {
  stop "${AGENT_PID[$1]}" TERM
}

agent_kill() {
  stop "${AGENT_PID[$1]}" KILL || true
}

agent_reload() {
  kill -HUP "${AGENT_PID[$1]}"
}

# stop PID [SIGNAL]: of what serve or an agent started; returns its exit code.
stop() {
  {
    kill "-${2:-TERM}" "$1"
    if ! wait_gone "$1" 5; then
      kill -KILL "$1"
    fi
    wait "$1"
  } 2>/dev/null # where bash tells of every process that was killed
}

# ctl NODE VERB…: meridianctl, asking that node's agent.
ctl() {
  local node=$1

  shift
  nsenter --net="/run/netns/$node" -- "$MERIDIANCTL" --config "$SANDBOX/$node.yaml" "$@"
}

# map_dump NODE MAP: a pinned map as bpftool prints it.
map_dump() {
  bpftool map dump pinned "$(bpffs_of "$1")/$2"
}

# ------------------------------------------------------------------------------ checks
#
# A failed check is printed and counted; the script goes on, and sandbox_end gives the verdict.

sandbox_check() {
  local ok=$1

  shift
  SANDBOX_CHECKS+=1
  if ((ok)); then
    [[ -z ${V-} || $V == 0 ]] || echo "  ok: $*"
  else
    SANDBOX_FAILURES+=1
    echo "  not ok (${BASH_SOURCE[2]##*/}:${BASH_LINENO[1]}): $*"
  fi
}

# expect_eq WHAT WANTED SEEN
expect_eq() {
  sandbox_check "$([[ $3 == "$2" ]] && echo 1 || echo 0)" "$1: expected '$2', saw '$3'"
}

# expect_between WHAT LOW HIGH SEEN, whole numbers
expect_between() {
  local -i ok=0

  if [[ $4 =~ ^-?[0-9]+$ ]] && (($2 <= $4 && $4 <= $3)); then
    ok=1
  fi
  sandbox_check "$ok" "$1: expected $2 to $3, saw '$4'"
}

# expect_match WHAT REGEX SEEN
expect_match() {
  sandbox_check "$([[ $3 =~ $2 ]] && echo 1 || echo 0)" "$1: expected /$2/, saw '$3'"
}

# expect_ok WHAT COMMAND…, expect_fail WHAT COMMAND…: by the exit code.
expect_ok() {
  local what=$1 ok=0

  shift
  ! "$@" || ok=1
  sandbox_check "$ok" "$what: $*"
}

expect_fail() {
  local what=$1 ok=1

  shift
  ! "$@" || ok=0
  sandbox_check "$ok" "$what: must fail: $*"
}
