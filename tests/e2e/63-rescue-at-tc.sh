#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Connections that no socket hook sees are rescued, too, when their client sends its SYN again: through the host's
# stack and past it.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/63-rescue-at-tc
two_regions
web s1
never_ejected
# Errors are answered at once, and not as few a second as a kernel sends otherwise.
nsenter --net=/run/netns/h sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0

for fast in false true; do
  agent_start h "kernel.fastForward: $fast"
  served() { [[ $(served_interfaces h) == *veth0=pod* ]]; }
  expect_ok "the client's interface is served" wait_for 10 served
  for address in $VIP $VIP6; do
    was=$(reason h RESCUE_REFUSED)
    expect_eq "refused (fastForward $fast, $address)" "s1=2" "$(outside_hits client "$address" 80 2)"
    expect_eq "moved" 2 $(($(reason h RESCUE_REFUSED) - was))
  done
  expect_eq "each a failure of the first endpoint" 2 "$(stat_of h 10.0.0.11 .failed)"

  ip -n h route replace unreachable 10.0.0.11
  ip -n h route replace unreachable fd00:a0::11
  for address in $VIP $VIP6; do
    was=$(reason h RESCUE_UNREACHABLE)
    expect_eq "unreachable (fastForward $fast, $address)" "s1=2" "$(outside_hits client "$address" 80 2)"
    expect_eq "moved" 2 $(($(reason h RESCUE_UNREACHABLE) - was))
  done
  ip -n h route replace 10.0.0.11 dev veth1
  ip -n h -6 route delete unreachable fd00:a0::11
  ip -n h route replace fd00:a0::11 dev veth1

  blackhole h1
  for address in $VIP $VIP6; do
    was=$(($(reason h RESCUE_TIMEOUT) + $(reason h RESCUE_UNREACHABLE)))
    expect_eq "silent (fastForward $fast, $address)" "s1=2" "$(outside_hits client "$address" 80 2)"
    expect_eq "moved, too" 2 $(($(reason h RESCUE_TIMEOUT) + $(reason h RESCUE_UNREACHABLE) - was))
  done
  unblackhole h1
  ctl h detach >/dev/null
  wait_for 10 sandbox_gone "${AGENT_PID[h]}"
done
sandbox_end
