#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# An endpoint that does not answer, refuses, or cannot be reached costs no connection: the SYN goes to the next region.
# Nothing is ejected here, so that every connection has to be rescued.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/60-rescue
two_regions
web h1
h1=$SERVE_PID
web s1
s1=$SERVE_PID
never_ejected
agent_start h

# How long a handshake takes is known from connections that were answered.
for address in $VIP $VIP6; do
  expect_eq "before, to $address" "h1=20" "$(hits client "$address" 80 20)"
done
moved() { echo $(($(reason h RESCUE_TIMEOUT) + $(reason h RESCUE_REFUSED) + $(reason h RESCUE_UNREACHABLE))); }
expect_eq "nothing was moved" 0 "$(moved)"

blackhole h1
for address in $VIP $VIP6; do
  expect_eq "silent: all are answered, to $address" "s1=20" "$(hits client "$address" 80 20)"
done
expect_between "by SYNs sent again" 30 40 "$(reason h RESCUE_TIMEOUT)" # the others: no neighbour, says the host
expect_eq "all of them" 40 "$(moved)"
expect_eq "each is a failure of the first endpoint" 20 "$(stat_of h 10.0.0.11 .failed)"
expect_eq "the second one counts the handshakes" 20 "$(stat_of h 10.1.0.11 .established)"
closed() { [[ $(stat_of h 10.1.0.11 .open) == 0 && $(stat_of h 10.0.0.11 .open) == 0 ]]; }
expect_ok "no connection is left over" wait_for 5 closed
expect_match "the application sees the VIP" "^connected $VIP 80 " "$(run_in client "$PEER" connect $VIP 80)"
expect_match "not blocking, too" "^connected $VIP 80 " "$(run_in client "$PEER" connect $VIP 80 nonblock)"
unblackhole h1
expect_ok "answered again: not moved" wait_for 10 sees "h1=10" client $VIP 80 10

was=$(moved)
stop "$h1"
for address in $VIP $VIP6; do
  expect_eq "refused: all are answered, to $address" "s1=20" "$(hits client "$address" 80 20)"
done
expect_eq "each was moved" 40 $(($(moved) - was))
expect_between "by the refusal" 40 40 "$(reason h RESCUE_REFUSED)"

was=$(moved)
nsenter --net=/run/netns/h nft 'table inet rejecting { chain c { type filter hook forward priority 0
  ip daddr 10.0.0.11 reject with icmp type host-unreachable
  ip6 daddr fd00:a0::11 reject with icmpv6 type addr-unreachable; }; }'
for address in $VIP $VIP6; do
  expect_eq "unreachable: all are answered, to $address" "s1=10" "$(hits client "$address" 80 10)"
done
expect_eq "each was moved" 20 $(($(moved) - was))
expect_between "by the error, of which kernels send not too many" 1 20 "$(reason h RESCUE_UNREACHABLE)"
nsenter --net=/run/netns/h nft delete table inet rejecting

# Nowhere to go: the kernel's ordinary error, and as soon as it always comes.
stop "$s1"
expect_eq "both refuse" "ECONNREFUSED=5" "$(hits client $VIP 80 5)"
expect_eq "no rows are left of what failed" 0 \
  "$(map_dump h mrd_flow | jq '[.[] | select(.formatted.value.state == "MRD_FLOW_ESTABLISHED")] | length')"
sandbox_end
