#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# On real nodes: pods that no socket hook sees are served at their interfaces; a region, the other one or one's own,
# that falls silent fails no request of either kind of pod; pods come and go; and what a component adds, on-eject: reset.
set -euo pipefail
# shellcheck source=tests/kube/nodes.sh
. "$(dirname "$0")/nodes.sh"
# shellcheck source=tests/kube/guide.sh
. "$(dirname "$0")/guide.sh"

URL=http://172.16.0.120:9080/reviews

# by POD COUNT: who answered so many requests of that pod, as "reviews-h=5 reviews-s=5".
by() {
  in_client "for i in \$(seq $2); do curl -s --max-time 5 $URL || echo failed; echo; done" "$1" |
    sed -n 's/.*"pod": *"\([^"]*\)".*/\1/p; /failed/p' | sort | uniq -c | awk '{ printf "%s%s=%d", sep, $2, $1; sep = " " }'
}
is_by() { [[ $(by "$1" "$2") == "$3" ]]; }
configured() { # configured LINE…: in the section kernel of Hangzhou's
  printf '  %s\n' "$@" >"$SANDBOX/lines"
  sed -i -e '/^  \(cgroup\|interfaces\):/d' -e "/^  bpffs:/r $SANDBOX/lines" "$SANDBOX/overlay/ack-hangzhou/meridian.yaml"
}
interfaces() {
  agent ack-hangzhou meridianctl status -o json | jq '[.agent.interfaces.list[] | select(.served and .kind == "pod")] | length'
}
# The address of a pod, as it stands in the maps' dumps.
bytes_of() { kube ack-hangzhou get pod "$1" -o 'jsonpath={.status.podIP}' | tr . ,; }
flows_of() {
  on_node ack-hangzhou bpftool -j map dump pinned /sys/fs/bpf/meridian/mrd_flow | jq -c '.[].formatted' | grep -c "\[$1,0" || true
}
opened() { (($(flows_of "$1") > 0)); }
# hold POD SECONDS: a connection of that pod that asks nothing.
hold() { in_client "(sleep $2 | busybox nc 172.16.0.120 9080) >/dev/null 2>&1 &" "$1"; }
# established POD: it has one of them.
established() { in_client 'cat /proc/net/tcp' "$1" | awk '$4 == "01" { n++ } END { exit !n }'; }

# ------------------------------------------------------------------------------ two kinds of pods

nodes_begin kube/32-tc-and-rescue
images dev
two_nodes
overlay ack-hangzhou ack-shanghai dev
overlay ack-shanghai ack-hangzhou dev
# Pods of the class BestEffort are to the hooks as virtual machines, or containers of another cgroup, would be.
configured 'cgroup: /host/cgroup/kubepods/burstable' 'interfaces: none'
app ack-hangzhou reviews-h reviews v1
app ack-shanghai reviews-s reviews v1
for name in "${CLUSTERS[@]}"; do
  app_service "$name" reviews 120
done
client ack-hangzhou seen 'cpu: 1m'
client ack-hangzhou unseen
for name in "${CLUSTERS[@]}"; do
  kube "$name" wait --for condition=Available deployment --all --timeout 90s >/dev/null
done
kube ack-hangzhou wait --for condition=Ready pod/seen pod/unseen --timeout 30s >/dev/null
meridian_apply
for name in "${CLUSTERS[@]}"; do
  expect_ok "$name: rolled out" rolled_out "$name"
done

both='{ distribute: [ { from: "cn-hangzhou/*", to: { "cn-hangzhou/*": 50, "cn-shanghai/*": 50 } } ] }'
rule reviews "$both"
expect_ok "half of it in Shanghai" wait_for 30 settled distribute 2
expect_eq "for pods that the hooks see" "reviews-h=10 reviews-s=10" "$(by seen 20)"
expect_eq "without interfaces not for others" "reviews-h=20" "$(by unseen 20)"
configured 'cgroup: /host/cgroup/kubepods/burstable' 'interfaces: auto'
kube ack-hangzhou apply -k "$SANDBOX/overlay/ack-hangzhou" >/dev/null
expect_ok "with them, for those as well" wait_for 30 is_by unseen 20 "reviews-h=10 reviews-s=10"
# Rows go with a connection's last packet: count them while one stands.
unseen=$(bytes_of unseen)
seen=$(bytes_of seen)
hold unseen 10
hold seen 10
expect_ok "by rows of flows" wait_for 8 opened "$unseen"
expect_ok "which the others do not need" established seen
expect_eq "at all" 0 "$(flows_of "$seen")"

# ------------------------------------------------------------------------------ the other region falls silent

asked() { poll_start "$1-$2" "$2" $URL '*?pod?:*'; }
# silent WHAT SINCE: of both loops, no request failed that began in the silence.
silent() {
  local pod

  for pod in seen unseen; do
    poll_end "$1-$pod" "$pod" >/dev/null
    expect_match "$1: requests of the pod $pod before" '^[1-9][0-9]* [01]$' "$(polled "$1-$pod" 0 "$2")" # one was under way
    expect_match "$1: and in the silence" '^[1-9][0-9]+ 0$' "$(polled "$1-$pod" "$2")"
  done
}
asked other seen
asked other unseen
sleep 2
region_freeze ack-shanghai
frozen_s=$(up_s)
expect_ok "other: its endpoint is ejected" wait_for 20 settled distribute 1
sleep 6 # what was under way has been given up
silent other "$frozen_s"
region_thaw ack-shanghai
kube ack-hangzhou delete destinationrule reviews >/dev/null
expect_ok "it is back" wait_for 60 settled pool 2

# ------------------------------------------------------------------------------ one's own does

rule reviews '{ failover: [ { from: cn-hangzhou, to: cn-shanghai } ] }'
expect_ok "at home" wait_for 30 settled failover 2
home=$(kube ack-hangzhou get pod --selector pod=reviews-h -o 'jsonpath={.items[0].metadata.uid}')
home=$SANDBOX_CGROUP/hangzhou-1/kubepods/besteffort/pod$home
ln -s "/proc/$(find "$home" -name cgroup.procs -exec cat {} + | head -n 1)/ns/net" /run/netns/reviews-h
expect_eq "of both pods" "reviews-h=5 reviews-h=5" "$(by seen 5) $(by unseen 5)"
asked home seen
asked home unseen
sleep 2
echo 1 >"$home/cgroup.freeze"
blackhole reviews-h
frozen_s=$(up_s)
expect_ok "home: both pods go elsewhere" wait_for 20 is_by seen 5 "reviews-s=5"
expect_ok "home: at their interfaces, too" wait_for 20 is_by unseen 5 "reviews-s=5"
sleep 6 # what was under way has been given up
silent home "$frozen_s"
unblackhole reviews-h
echo 0 >"$home/cgroup.freeze"
kube ack-hangzhou delete destinationrule reviews >/dev/null
expect_ok "it is back" wait_for 60 settled pool 2

# ------------------------------------------------------------------------------ pods come and go

before=$(interfaces)
rule reviews "$both"
expect_ok "half of it in Shanghai again" wait_for 30 settled distribute 2
client ack-hangzhou late
kube ack-hangzhou wait --for condition=Ready pod/late --timeout 30s >/dev/null
expect_eq "a pod that came just now is served" "reviews-h=5 reviews-s=5" "$(by late 10)"
expect_eq "at one interface more" $((before + 1)) "$(interfaces)"
hold late 1000
late=$(bytes_of late)
expect_ok "it has a connection" wait_for 10 opened "$late"
kube ack-hangzhou delete pod late --wait >/dev/null
is_left() { [[ $(interfaces) == "$before" && $(flows_of "$late") == 0 ]]; }
expect_ok "it goes, and its interface and rows with it" wait_for 15 is_left
expect_eq "without a complaint" "" "$(kube ack-hangzhou -n meridian-system logs daemonset/meridian | grep -E '^(warn|error).*interface' || true)"

# ------------------------------------------------------------------------------ on-eject: reset

kube ack-hangzhou delete destinationrule reviews >/dev/null
expect_ok "a pool" wait_for 30 settled pool 2
rule reviews '{ failover: [ { from: cn-hangzhou, to: cn-shanghai } ] }' 'meridian.dev/on-eject: reset'
expect_ok "at home" wait_for 30 settled failover 2
status() { agent ack-hangzhou meridianctl status; }
expect_match "the agents have no right to reset, and say so" 'CONNECTIONS NOT RESET.*component deploy/daemonset/reset' "$(status)"
echo "components: [$(realpath --relative-to "$SANDBOX/overlay/ack-hangzhou" "$DEPLOY/reset")]" \
  >>"$SANDBOX/overlay/ack-hangzhou/kustomization.yaml"
kube ack-hangzhou apply -k "$SANDBOX/overlay/ack-hangzhou" >/dev/null
expect_ok "with the component" rolled_out ack-hangzhou
expect_fail "nothing is in the way" grep -q 'NOT RESET' <(status)
in_client "mkfifo /tmp/in; (sleep 1000 >/tmp/in & busybox nc 172.16.0.120 9080 </tmp/in; touch /tmp/ended) >/dev/null 2>&1 &" seen
rows() { on_node ack-hangzhou bpftool -j map dump pinned /sys/fs/bpf/meridian/mrd_connection | jq length; }
held() { [[ $(rows) == 1 ]]; }
expect_ok "a pod holds a connection" wait_for 10 held
kube ack-hangzhou exec deployment/reviews-h -- curl -s -X POST 'http://127.0.0.1:9080/fail?code=503' >/dev/null
in_client "curl -s -o /dev/null $URL" seen
expect_ok "its endpoint is ejected" wait_for 15 is_by seen 5 "reviews-s=5"
expect_ok "the connection has ended" wait_for 10 in_client '[ -e /tmp/ended ]' seen
expect_match "by the agent" 'connections=[1-9]' "$(kube ack-hangzhou -n meridian-system logs daemonset/meridian | grep 'msg="connections reset"' || true)"
expect_eq "no row is left" 0 "$(rows)"
sandbox_end
