#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# As a pod's container runs: a cgroup namespace of its own, three capabilities, little locked memory.
# The agent finds the node's cgroup, says so if only its own is there, and says which right is missing.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/35-in-a-container
one_region
web h1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11

CONTAINER=$SANDBOX_CGROUP/h/kubepods/agent
HOST_CGROUP=$SANDBOX/host-cgroup # where the container sees the node's
CAPS=bpf,net_admin,perfmon
HIDDEN='' # a folder that the container does not see
mkdir -p "$CONTAINER" "$HOST_CGROUP"
agent_config h "kernel.cgroup: auto" >"$SANDBOX/h.yaml"

# contained VIEW CAPS COMMAND…: becomes a command in a container. VIEW is own (nothing but the container's cgroup) or node (that, and
# the node's). The kernel is told by mountinfo: the machine's own mount must not be in sight.
contained() {
  local view=$1 caps=$2

  shift 2
  # shellcheck disable=SC2016 # the inner shell expands it
  exec nsenter --net=/run/netns/h -- unshare --cgroup --mount --propagation private "$BASH" -euc '
    view=$1 node=$2 host=$3 caps=$4
    shift 4
    [[ $view == own ]] || mount --bind "$node" "$host"
    umount --recursive --lazy /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    [[ -z ${HIDDEN-} ]] || mount -t tmpfs tmpfs "$HIDDEN"
    exec prlimit --memlock=65536:65536 setpriv --no-new-privs --inh-caps -all \
      --bounding-set "-all,+${caps//,/,+}" "$@"' contained \
    "$view" "$SANDBOX_CGROUP/h" "$HOST_CGROUP" "$caps" "$@"
}

# The same in the container's cgroup, in the foreground, for what is to end by itself.
in_container() (
  trap - EXIT ERR
  echo "$BASHPID" >"$CONTAINER/cgroup.procs"
  contained "${@:1:2}" timeout 10 "${@:3}"
)

start_contained() {
  local log

  log=$(agent_log_of h)
  [[ ! -e $log ]] || mv "$log" "$log.1"
  # The script's functions go with it: what is spawned is another bash.
  export -f contained
  export CONTAINER HOST_CGROUP SANDBOX_CGROUP HIDDEN
  sandbox_spawn "$CONTAINER" "$log" "$BASH" -euc 'contained "$@"' contained node "$CAPS" \
    "$MERIDIAND" --config "$SANDBOX/h.yaml"
  AGENT_PID[h]=$SERVE_PID
  wait_for 10 sandbox_agent_ready h || { cat "$log" >&2 && return 1; }
}

said=$(in_container own "$CAPS" "$MERIDIAND" --config "$SANDBOX/h.yaml" 2>&1) && status=0 || status=$?
expect_eq "with nothing but its own cgroup it ends" 1 "$status"
expect_match "and says so, with the remedy" "only this container.s own .*/sys/fs/cgroup.*hostPath" "$said"
expect_eq "and attaches nothing" 0 "$(bpftool -j cgroup show "$CONTAINER" 2>/dev/null | jq -s 'map(length) | add // 0')"

for capability in ${CAPS//,/ }; do
  rest=$(tr ',' '\n' <<<"$CAPS" | grep -vx "$capability" | paste -sd,)
  said=$(in_container node "$rest" "$MERIDIAND" --config "$SANDBOX/h.yaml" 2>&1) && status=0 || status=$?
  expect_eq "without $capability it ends" 1 "$status"
  expect_match "and names it" "CAP_${capability^^} is missing" "$said"
done

start_contained
expect_match "with them it starts, on the node's cgroup" "ready.* cgroup=\"?$HOST_CGROUP\"?( |\$)" "$(grep -E '[ "=]ready' "$(agent_log_of h)")"
expect_eq "with no other right" $(((1 << 12) | (1 << 38) | (1 << 39))) $((16#$(sed -n 's/^CapEff:\t//p' "/proc/${AGENT_PID[h]}/status")))
expect_match "and locked memory that it could not raise" ' 65536 +65536 ' "$(grep '^Max locked memory' "/proc/${AGENT_PID[h]}/limits")"
expect_eq "another pod's connections are seen" "h1=5" "$(hits client $VIP 80 5)"

agent_stop h
expect_eq "they are without the agent" "h1=5" "$(hits client $VIP 80 5)"
start_contained
expect_ok "the next one adopts" agent_said h 'maps="?adopted'
expect_eq "and goes on" "h1=5" "$(hits client $VIP 80 5)"

# on-eject: reset takes one right more, and the pods' network namespaces in sight.
refused() { agent_said h 'msg="connections will not be reset" reason=".*CAP_SYS_ADMIN'; }
expect_fail "nobody asks for resets, and nothing is said" refused
policy reviews <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default, annotations: { meridian.dev/on-eject: reset } }
spec: { host: reviews }
YAML
expect_ok "a rule asks, and is told that it cannot be" wait_for 5 refused
expect_match "by status, too" 'CONNECTIONS NOT RESET.* 1 ports: .*CAP_SYS_ADMIN' "$(ctl h status)"
agent_stop h
start_contained
expect_ok "so is the next agent, which finds it in the kernel" refused

# resets WORDS: an endpoint goes while it has a connection; what the log says of it.
resets() {
  eps ack-hangzhou reviews 10.0.0.11
  expect_ok "it is served" wait_for 5 sees "h1=1" client $VIP 80 1
  serve client "$PEER" hold $VIP 80 60
  held() { [[ $(run_in client ss -tnH state established | grep -c '10.0.0.11:9080') == 1 ]]; }
  wait_for 5 held
  eps ack-hangzhou reviews
  expect_ok "$1" wait_for 5 agent_said h "$1"
  stop "$SERVE_PID" || true
}
resets 'connections not reset.*CAP_SYS_ADMIN'
agent_stop h
CAPS+=,sys_admin
start_contained
expect_fail "with the right nothing is in the way" refused
expect_fail "says status, too" grep -q 'NOT RESET' <(ctl h status)
resets 'connections reset.* connections=1'
agent_stop h
HIDDEN=/run/netns
start_contained
resets 'connections not reset.*not in sight'
agent_stop h
expect_match "the same rights take everything out" 'removed [1-9][0-9]* links' \
  "$(in_container node "$CAPS" "$MERIDIANCTL" --control "$(control_of h)" --bpffs "$(bpffs_of h)" detach 2>/dev/null)"
expect_eq "no program is left" 0 "$(bpftool -j cgroup show "$SANDBOX_CGROUP/h" 2>/dev/null | jq -s 'map(length) | add // 0')"
sandbox_end
