#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Others manage the host's packet filter: iptables with connection tracking drops, rejects, redirects and masquerades, and
# sources are checked strictly. What TC translates goes through as traffic between pods does, with checksums that
# devices complete, and with those of the stack, over a wire whose ends verify them.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/44-packet-filters
[[ $(command -v iptables ip6tables | wc -l) == 2 ]] || sandbox_skip "no iptables: make deps"
REGION_DELAY=1 two_regions # by TAP devices, which offload nothing
web h1 h2 s1
svc ack-hangzhou reviews "$VIP,$VIP6" 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12 fd00:a0::11 fd00:a0::12
svc ack-hangzhou own 172.16.0.21,fd00:172::21 80
eps ack-hangzhou own 10.0.0.11 fd00:a0::11
for cluster in ack-hangzhou ack-shanghai; do
  svc $cluster far 172.16.0.22,fd00:172::22 80
  PORT_NAME=dns PROTOCOL=UDP svc $cluster far-dns 172.16.0.26,fd00:172::26 53
done
eps ack-shanghai far 10.1.0.11 fd00:a1::11
PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353 eps ack-shanghai far-dns 10.1.0.11 fd00:a1::11
serve s1 "$PEER" udp-mirror :: 5353

filter() { # filter 4|6 ARGUMENT…
  local tool=iptables

  [[ $1 == 4 ]] || tool=ip6tables
  run_in h "$tool" -w "${@:2}"
}
# hit FAMILY TABLE CHAIN WORD: packets that the chain's rule with that word has seen.
hit() { filter "$1" -t "$2" -nvxL "$3" | awk -v word="$4" '$0 ~ word { n += $1 } END { print n + 0 }'; }
# checksums POD on|off: whether its device completes them.
checksums() {
  nsenter --net="/run/netns/$1" python3 -c '
import array, fcntl, socket, struct, sys
words = array.array("I", [0x17, sys.argv[1] == "on"])  # ETHTOOL_STXCSUM
fcntl.ioctl(socket.socket(), 0x8946, struct.pack("16sP16x", b"eth0", words.buffer_info()[0]))  # SIOCETHTOOL' "$2"
}

# ------------------------------------------------------------------------------ what others have put there

# FAMILY SERVICES PODS OF_HERE CLIENT H1 H2 S1
while read -r family services pods here client h1 h2 s1; do
  filter "$family" -P FORWARD DROP
  filter "$family" -A FORWARD -m conntrack --ctstate INVALID -j DROP
  # Services without endpoints, as somebody else sees it, and services that go somewhere else.
  filter "$family" -A FORWARD -d "$services" -j REJECT
  filter "$family" -t nat -A PREROUTING -p tcp -d "$services" -j REDIRECT --to-ports 1
  filter "$family" -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
  # Whom the client may reach, and nobody may reach it.
  for pod in "$h1" "$h2" "$s1"; do
    filter "$family" -A FORWARD -s "$client" -d "$pod" -p tcp --dport 9080 -m conntrack --ctstate NEW -j ACCEPT
    filter "$family" -A FORWARD -s "$client" -d "$pod" -p udp --dport 5353 -m conntrack --ctstate NEW -j ACCEPT
  done
  # Who goes to another region is the node.
  filter "$family" -t nat -A POSTROUTING -s "$here" ! -d "$here" -j MASQUERADE
done <<'END'
4 172.16.0.0/16 10.0.0.0/15 10.0.0.0/16 10.0.0.2 10.0.0.11 10.0.0.12 10.1.0.11
6 fd00:172::/32 fd00:a0::/31 fd00:a0::/32 fd00:a0::2 fd00:a0::11 fd00:a0::12 fd00:a1::11
END
nsenter --net=/run/netns/h sysctl -qw net.ipv4.conf.all.rp_filter=1
agent_start h
expect_ok "the pods' interfaces are served" wait_for 10 serves h 3

for offload in on off; do
  for pod in client h1 h2; do
    checksums $pod $offload
  done
  for family in 4 6; do
    vip=172.16.0. && [[ $family == 4 ]] || vip=fd00:172::
    what="IPv$family, offload $offload"
    expect_eq "$what" "h1=5 h2=5" "$(outside_hits client ${vip}20 80 10)"
    expect_eq "$what: another region" "s1=5" "$(outside_hits client ${vip}22 80 5)"
    expect_eq "$what: a pod that is its own endpoint" "h1=3" "$(outside_hits h1 ${vip}21 80 3)"
    for size in 1 1473 8000; do
      expect_eq "$what: a datagram of $size bytes" same "$(outside client "$PEER" datagram $size ${vip}26 53)"
    done
  done
done
for family in 4 6; do
  expect_eq "IPv$family: nothing looks invalid" 0 "$(hit $family filter FORWARD INVALID)"
  expect_eq "IPv$family: nobody sees a service's address" 0 "$(hit $family filter FORWARD REJECT)"
  expect_eq "IPv$family: nor takes it away" 0 "$(hit $family nat PREROUTING REDIRECT)"
  expect_between "IPv$family: what goes far is masqueraded" 1 1000 "$(hit $family nat POSTROUTING MASQUERADE)"
done

# ------------------------------------------------------------------------------ a pod is closed to the client

for family in 4 6; do
  vip=$VIP pods=(10.0.0.2 10.0.0.11) && [[ $family == 4 ]] || vip=$VIP6 pods=(fd00:a0::2 fd00:a0::11)
  for verdict in DROP "REJECT" "REJECT --reject-with tcp-reset"; do
    read -ra words <<<"$verdict"
    filter $family -I FORWARD 1 -p tcp -s "${pods[0]}" -d "${pods[1]}" -j "${words[@]}"
    expect_eq "IPv$family, $verdict for a pod: the others answer" "h2=4" "$(outside_hits client "$vip" 80 4)"
    filter $family -D FORWARD 1
  done
  filter $family -I FORWARD 1 -p tcp -s "${pods[0]}" -j REJECT
  expect_eq "IPv$family, all are closed: what the filter says" "ECONNREFUSED=1" "$(outside_hits client "$vip" 80 1)"
  filter $family -D FORWARD 1
  expect_eq "IPv$family, open again" "h1=2 h2=2" "$(outside_hits client "$vip" 80 4)"
done
sandbox_end
