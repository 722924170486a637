#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The agent at a real API server that holds 10,000 services of ten endpoints (QUICK=1: 1,000): how long
# until the first plan is in the kernel, beside curl at the same lists; memory; from a watch's line to the
# row; 1,000 changes a second; and nothing at all.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/../../tests/kube/lib.sh"
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=bench/kube_objects.sh
. "$(dirname "$0")/../kube_objects.sh"

count=10000 rounds=5 seconds=15 changes=1000 edited=100
[[ -z ${QUICK-} ]] || count=1000 rounds=1 seconds=2 changes=100 edited=20

figures() {
  figure kube.bookinfo_rss_mib MiB lower "The agent's memory, Bookinfo from two API servers"
  goal kube.bookinfo_rss_mib value at_most 12
  figure kube.watch_to_row.p50_us us lower "A changed slice's bytes arrive to in the kernel, p50"
  figure kube.watch_to_row.p99_us us lower "A changed slice's bytes arrive to in the kernel, p99"
  goal kube.watch_to_row.p99_us value at_most 5000
  figure kube.lists_by_curl_ms ms lower "curl at the lists of $count services"
  figure kube.first_sync_ms ms lower "Start to all of $count services in the kernel"
  figure kube.first_sync_beyond_ms ms lower "The same beyond curl's time"
  goal kube.first_sync_beyond_ms value at_most 5000
  figure kube.first_sync_cpu_ms ms lower "Processor that this takes"
  figure kube.rss_mib MiB lower "Memory with $count services"
  goal kube.rss_mib value at_most 150
  figure kube.rss_peak_mib MiB lower "Memory with $count services, at most"
  figure kube.changes_per_s /s higher "Changed slices that the server told"
  figure kube.changes_core "% of a core" lower "1,000 changed slices a second"
  figure kube.changes_behind_ms ms lower "The last of them taken, after it was made"
  figure kube.idle_core "% of a core" lower "Nothing changes"
  # A tenth of the changes have the same timers and turns of the loop beside them, and two seconds are a tick or two.
  [[ -n ${QUICK-} ]] || {
    goal kube.changes_core value at_most 30
    goal kube.idle_core value at_most 0.1
  }
}

# Resident memory in MiB, at most.
peak() { awk '/VmHWM/ { printf "%.2f", $2 / 1024 }' "/proc/${AGENT_PID[h]}/status"; }
# Nanoseconds that the agent has had of any core.
cpu_ns() { cat /proc/"${AGENT_PID[h]}"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'; }

# has_heard VERSION: is that of the last slice that the agent has taken so new?
has_heard() {
  [[ $(told ack-hangzhou '.resources[] | select(.resource == "endpointslices").version') -ge $1 ]]
}

# The guide's two clusters. One of them is all that is measured after it.
bookinfo() {
  local name

  crd_install ack-hangzhou
  for name in hangzhou shanghai; do
    kube "ack-$name" create namespace istio-system >/dev/null
    grep -vE '^    (resourceVersion|uid):' "$SANDBOX_ROOT/demo/state/$name/all.yaml" |
      kube "ack-$name" apply --server-side --force-conflicts -f - >/dev/null
  done
  cp "$SANDBOX_ROOT/demo/policy/failover.yaml" "$SANDBOX/policy"
  agent_start h
  sleep 2
  sample kube.bookinfo_rss_mib value 0 "$(rss_mib "${AGENT_PID[h]}")"
  agent_anew
  rm "$SANDBOX/policy/failover.yaml"
  server_kill ack-shanghai
  SANDBOX_CLUSTERS=(ack-hangzhou)
}

# All kinds at once, as the agent asks for them, until the last has come to its end: milliseconds.
curl_lists() {
  local path start pids=() pid

  start=$(now_ms)
  for path in /api/v1/services "$OBJECTS_SLICES" /api/v1/nodes; do
    curl_list "$path" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do
    wait "$pid"
  done
  echo $(($(now_ms) - start))
}

# A watch goes on behind its list: grep, which has seen the mark, is waited for, curl is not.
curl_list() {
  local query="watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"

  coproc CURL { as_agent ack-hangzhou "$1?$query&timeoutSeconds=60" -A bench --http2 --compressed \
    --no-buffer --max-time 60 2>/dev/null; }
  grep --quiet --max-count 1 '"k8s.io/initial-events-end":"true"' <&"${CURL[0]}"
  kill "$CURL_PID"
  wait "$CURL_PID" 2>/dev/null || true
}

# Milliseconds from the agent's start to "ready": the first plan is in the kernel.
first_sync() {
  local start

  start=$(now_ms)
  agent_launch h
  wait_for 60 sandbox_agent_ready h
  echo $(($(date -d "$(grep -oP 'msg="?ready"? .*ts=\K\S+' "$(agent_log_of h)")" +%s%3N) - start))
}

# Ends the agent; the next one finds nothing in the kernel.
agent_anew() {
  agent_stop h
  rm -rf "$(bpffs_of h)"
}

# Starts the agent with nothing in the kernel, again and again, in turn with curl.
first_syncs() {
  local round curl agent

  for ((round = 0; round < rounds; round++)); do
    curl=$(curl_lists)
    first_sync >"$SANDBOX/took"
    agent=$(<"$SANDBOX/took")
    sample kube.lists_by_curl_ms value "$round" "$curl"
    sample kube.first_sync_ms value "$round" "$agent"
    sample kube.first_sync_cpu_ms value "$round" "$(($(cpu_ns) / 1000000))"
    sample kube.first_sync_beyond_ms value "$round" $((agent - curl))
    sleep 2
    sample kube.rss_mib value "$round" "$(rss_mib "${AGENT_PID[h]}")"
    sample kube.rss_peak_mib value "$round" "$(peak)"
    ((round + 1 == rounds)) || agent_anew
  done
}

# share FIGURE COMMAND…: per cent of one core that the agent takes meanwhile.
share() {
  local figure=$1 cpu start

  shift
  cpu=$(cpu_ns) start=$(now_ms)
  "$@"
  sample "kube.$figure" value 0 "$(awk "BEGIN { print ($(cpu_ns) - $cpu) / 1e4 / ($(now_ms) - $start) }")"
}

# Slices one after the other, each twice, behind a relay that notes when the server's bytes come.
watch_latency() {
  local dir=$SANDBOX/kube/ack-hangzhou port=7443 relay name us

  mkfifo "$SANDBOX/go"
  sed "s|server: .*|server: https://127.0.0.1:$port|; s|^    certificate-authority|    tls-server-name: kubernetes.default.svc\n&|" \
    "$dir/agent.conf" >"$dir/relay.conf"
  chrt --rr 2 nsenter --net=/run/netns/h -- "$SANDBOX_OUT/bench/watch_latency" $port "${KUBE_ADDRESS[ack-hangzhou]}" \
    $KUBE_PORT "$(bpffs_of h)/mrd_health" "$edited" $((edited * 2)) <"$SANDBOX/go" 2>"$SANDBOX/log/relay" |
    objects step "$edited" &
  relay=$!
  exec {go}>"$SANDBOX/go"
  wait_for 5 grep -q relaying "$SANDBOX/log/relay"
  CLUSTER_ACCESS[ack-hangzhou]="kubeconfig: $dir/relay.conf"
  agent_launch h
  wait_for 60 sandbox_agent_ready h
  sleep 2
  echo >&"$go"
  wait "$relay"
  exec {go}>&-
  CLUSTER_ACCESS[ack-hangzhou]="kubeconfig: $dir/agent.conf"
  agent_anew
  sort -n "$SANDBOX/log/relay" | awk -v half=$edited -v most=$((edited * 2 - edited / 50)) \
    '/^[0-9]+$/ { n++ } n == half { print } n == most { print; exit }' |
    for name in p50 p99; do
      read -r us
      sample "kube.watch_to_row.${name}_us" value 0 "$us"
    done
}

# What 1,000 changes a second take: where the machine does not make so many, by what each took.
many_changes() {
  local cpu rate version start

  cpu=$(cpu_ns)
  objects change "$count" "$changes" "$seconds" >"$SANDBOX/rate"
  cpu=$(($(cpu_ns) - cpu)) # what is asked below is work of its own
  start=$(now_ms)
  read -r rate version <"$SANDBOX/rate"
  wait_for 30 has_heard "$version"
  sample kube.changes_behind_ms value 0 $(($(now_ms) - start))
  sample kube.changes_per_s value 0 "$rate"
  sample kube.changes_core value 0 "$(awk "BEGIN { print $cpu / 1e7 * 1000 / ($changes * $seconds) }")"
}

bench_begin
figures
cluster ack-hangzhou cn-hangzhou
cluster ack-shanghai cn-shanghai
node h cluster=ack-hangzhou region=cn-hangzhou 10.0.0.0/8
api_server ack-hangzhou home 172.16.0.0/15 h
api_server ack-shanghai remote 172.17.0.0/16 h
servers_up
bookinfo
templates
objects fill "$count"
wait_for 60 is_filled "$count"
watch_latency
first_syncs
many_changes
sleep 5
share idle_core sleep "$seconds"
bench_end
