#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Five hundred pods' interfaces are there when the agent starts: all are served by one list, while it goes on answering, and serves
# first who comes meanwhile. News that the kernel could not hold for it are asked for again.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/41-500-interfaces
one_region
web h1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
MOST_S=240 # each takes the kernel some 30 ms; a busy machine has longer

# veths ACTION FIRST LAST: add or delete the host's ends many<N>, whose other ends are in a namespace of their own.
ip netns add many
veths() {
  local -i i

  for ((i = $2; i <= $3; i++)); do
    if [[ $1 == add ]]; then
      echo "link add name many$i type veth peer name p$i netns many"
    else
      echo "link delete many$i"
    fi
  done | ip -n h -batch -
}
counts() { ctl h -o json status | jq -c '[.agent.interfaces.list[] | select(.served)] | length'; }
is_count() { [[ $(counts) == "$1" ]]; }
# shellcheck disable=SC2016 # awk's
drops() { nsenter --net=/run/netns/h awk '$9 > 0 { n += $9 } END { print n + 0 }' /proc/net/netlink; }

veths add 1 500
agent_start h
expect_eq "services work meanwhile" "h1=3" "$(hits client $VIP 80 3)"

# Who comes now waits for what the agent is at, not for the list. A link's pin tells when it was made.
pins() { find "$(bpffs_of h)" -name 'tcx_*' -printf '%T@ %f\n' | sort -n; }
for i in 1 2 3; do
  ip -n h link add name "fresh$i" type veth peer name "f$i" netns many
  came=$(date +%s.%N)
  index=$(nsenter --net=/run/netns/h ip -j link show "fresh$i" | jq '.[0].ifindex')
  has_pins() { (($(pins | grep -c "_$index\$") == 2)); }
  expect_ok "one that comes meanwhile" wait_for 10 has_pins
  before=$(pins | awk -v came="$came" -v pin="_$index\$" '$2 ~ pin { exit } $1 > came { n++ } END { print n + 0 }')
  expect_between "waits for one interface at most" 0 2 "$before"
done
expect_between "all this before the list is through" 1 505 "$(counts)"
expect_ok "all are served" wait_for $MOST_S is_count 506
for i in 1 2 3; do ip -n h link delete "fresh$i"; done
expect_ok "but those that went" wait_for 10 is_count 503
expect_eq "each by two links" 1006 "$(find "$(bpffs_of h)" -name 'tcx_*' | wc -l)"
expect_eq "and a row" 503 "$(bpftool -j map dump pinned "$(bpffs_of h)/mrd_interface" | jq length)"

# Another agent finds them all, and has nothing to wait for.
agent_kill h
agent_start h
expect_ok "adopted" wait_for $MOST_S is_count 503

# It sleeps while the kernel has more to tell than fits.
before=$(drops)
kill -STOP "${AGENT_PID[h]}"
veths delete 1 450
veths add 501 520
kill -CONT "${AGENT_PID[h]}"
expect_ok "what was lost is made up for" wait_for $MOST_S is_count 73
expect_between "something was lost" $((before + 1)) 1000000 "$(drops)"
expect_eq "nothing is left of what went" 146 "$(find "$(bpffs_of h)" -name 'tcx_*' | wc -l)"
sandbox_end
