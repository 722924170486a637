#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The interfaces of pods are served as they come and go; other programs there go on; another configuration, another agent and another
# set of maps take effect in place; detach leaves nothing.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/40-interfaces
one_region
web h1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
# is_served WANTED: for wait_for.
is_served() { [[ $(served_interfaces h) == "$1" ]]; }
pins() { find "$(bpffs_of h)" -name 'tcx_*' -printf '%f\n' 2>/dev/null | sort | paste -sd' '; }
index_of() { nsenter --net=/run/netns/h cat "/sys/class/net/$1/ifindex" 2>/dev/null || ip -n h -j link show "$1" | jq '.[0].ifindex'; }
rows() { bpftool -j map dump pinned "$(bpffs_of h)/mrd_interface" | jq -r '[.[].formatted | "\(.key):\(.value.is_uplink)"] | sort | join(" ")'; }
programs() { for pin in $(pins); do bpftool -j link show pinned "$(bpffs_of h)/$pin"; done | jq -s 'map(.prog_id)' -c; }
links() { for pin in $(pins); do bpftool -j link show pinned "$(bpffs_of h)/$pin"; done | jq -s 'map(.id)' -c; }

agent_start h "kernel.interfaces: none"
if ! ctl h -o json status | jq -e '.agent.features[] | select(.name == "tcx") | .used' >/dev/null; then
  sandbox_skip "the kernel has no tcx links (Linux 6.6)"
fi
expect_eq "none is none" "none" "$(ctl h -o json status | jq -r .agent.interfaces.mode)"
expect_match "said in the text, too" $'\ninterfaces: none\n' "$(ctl h status)"
expect_eq "and nothing is attached" "" "$(pins)"

agent_config h >"$SANDBOX/h.yaml"
agent_reload h
expect_ok "another configuration takes effect" wait_for 10 is_served "veth0=pod veth1=pod veth2=pod"
expect_eq "by links" "tcx" "$(ctl h -o json status | jq -r .agent.interfaces.mode)"
expect_match "which the text lists" 'INTERFACE +INDEX +KIND +TC.*veth0 +[0-9]+ +pod +tcx' "$(ctl h status | tr '\n' ' ')"
expect_eq "two an interface" 6 "$(pins | wc -w)"
expect_match "the gauge follows" 'meridian_interfaces_served\{kind="pod"\} 3' "$(run_in h curl -s http://127.0.0.1:9464/metrics)"

declare -a asks=()

# Somebody else's programs, before and after ours and as a filter.
other() { # other before|after|filter: tells how many packets it saw, at each line that it is sent
  mkfifo "$SANDBOX/ask.$1"
  # shellcheck disable=SC2016 # the inner shell expands it
  sandbox_spawn "$SANDBOX_CGROUP/h/host" "$SANDBOX/log/other-$1" "$BASH" -c 'ask=$1; shift; exec "$@" <"$ask"' other \
    "$SANDBOX/ask.$1" nsenter --net=/run/netns/h -- "$SANDBOX_OUT/tests/e2e/hook" veth0 ingress "$1"
}
for word in before after filter; do
  other $word
  exec {ask}>"$SANDBOX/ask.$word"
  wait_for 5 grep -q attached "$SANDBOX/log/other-$word"
  asks[ask]=$word
done
expect_eq "traffic" "h1=5" "$(hits client $VIP 80 5)"
for ask in "${!asks[@]}"; do
  echo >&"$ask"
  exec {ask}>&-
  expect_ok "the program ${asks[ask]} ours has seen packets" \
    wait_for 5 grep -qE '^[1-9][0-9]*$' "$SANDBOX/log/other-${asks[ask]}"
done

# Pods come and go.
pod h h3 10.0.0.13
expect_ok "a new pod's interface" wait_for 5 is_served "veth0=pod veth1=pod veth2=pod veth3=pod"
index=$(index_of veth3)
ip -n h link set veth3 down
ip -n h link set veth3 name cali3
expect_ok "under another name" wait_for 5 is_served "cali3=pod veth0=pod veth1=pod veth2=pod"
ip -n h link delete cali3
expect_ok "it goes" wait_for 5 is_served "veth0=pod veth1=pod veth2=pod"
gone() { [[ " $(pins) " != *"_$1 "* && " $(rows) " != *" $1:"* ]]; }
expect_ok "with all that was there of it" wait_for 5 gone "$index"

# Both ends made here, one of them moved into the pod later; then the host's end moves away, with its links.
ip netns add far
ip -n h link add name late type veth peer name late1
ip -n h link set late up
expect_ok "a veth within the host is none" is_served "veth0=pod veth1=pod veth2=pod"
ip -n h link set late1 netns far
ip -n far link set late1 up
expect_ok "until its other end has moved" wait_for 5 is_served "late=pod veth0=pod veth1=pod veth2=pod"
index=$(index_of late)
ip -n h link set late netns far
expect_ok "one that moves away is left" wait_for 5 gone "$index"

# Another configuration: patterns; an uplink has its directions the other way round.
ip -n h link add name wan0 type bridge
agent_config h "kernel.interfaces: [veth1, 'wan*']" "kernel.fastForward: true" >"$SANDBOX/h.yaml"
agent_reload h
expect_ok "patterns" wait_for 10 is_served "veth1=pod wan0=uplink"
expect_eq "rows say which is which" "$(printf '%s\n' "$(index_of veth1):0" "$(index_of wan0):1" | sort | paste -sd' ')" "$(rows)"
named() { bpftool -j prog show id "$(bpftool -j link show pinned "$(bpffs_of h)/$1" | jq .prog_id)" | jq -r .name; }
expect_eq "a pod's packets come in" "mrd_tc_forward" "$(named "tcx_ingress_$(index_of veth1)")"
expect_eq "and leave at an uplink" "mrd_tc_forward" "$(named "tcx_egress_$(index_of wan0)")"
expect_eq "answers the other way" "mrd_tc_reverse" "$(named "tcx_ingress_$(index_of wan0)")"
expect_eq "fastForward is in the kernel" 1 "$(bpftool -j map dump pinned "$(bpffs_of h)/mrd_config" | jq '.[0].formatted.value.fast_forward')"
agent_config h >"$SANDBOX/h.yaml"
agent_reload h
expect_ok "and back" wait_for 10 is_served "veth0=pod veth1=pod veth2=pod"

# Another agent: the links stay and run its programs; what went meanwhile is cleared up.
before=$(links)
programs_before=$(programs)
agent_kill h
expect_eq "without an agent the links stay" "$before" "$(links)"
ip -n h link add name brief type veth peer name brief1 netns far
agent_start h
expect_ok "a new agent serves what came meanwhile" wait_for 10 is_served "brief=pod veth0=pod veth1=pod veth2=pod"
index=$(index_of brief)
agent_kill h
ip -n h link delete brief
agent_start h
expect_ok "and is served again" wait_for 10 is_served "veth0=pod veth1=pod veth2=pod"
expect_ok "what went while there was none is cleared up" wait_for 5 gone "$index"
expect_eq "the same links" "$before" "$(links)"
expect_fail "run the new programs" [ "$programs_before" = "$(programs)" ]
agent_kill h
agent_start h "kernel.limits: { flows: 1000 }"
expect_ok "another set of maps" wait_for 10 is_served "veth0=pod veth1=pod veth2=pod"
expect_eq "has the same links" "$before" "$(links)"
expect_eq "and its own rows" 3 "$(rows | wc -w)"
map=$(bpftool -j map show pinned "$(bpffs_of h)/mrd_flow" | jq .id)
expect_eq "the programs use its maps" true "$(bpftool -j prog show id "$(programs | jq '.[0]')" | jq "any(.map_ids[]; . == $map)")"

agent_stop h
expect_eq "SIGTERM leaves them in place" "$before" "$(links)"
ctl h detach >/dev/null 2>&1
expect_eq "detach, without an agent, does not" "" "$(pins)"
agent_start h "kernel.interfaces: [veth0]"
wait_for 5 is_served "veth0=pod"
expect_match "nor with one" 'removed 14 links' "$(ctl h detach)"
expect_eq "nothing is left" "" "$(find "$(bpffs_of h)" -type f 2>/dev/null)"
sandbox_end
