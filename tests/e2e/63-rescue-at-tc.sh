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
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews "{ consecutive5xxErrors: 0, consecutiveGatewayErrors: 0, interval: 1h }"

for fast in false true; do
  agent_start h "kernel.fastForward: $fast"
  served() { [[ $(served_interfaces h) == *veth0=pod* ]]; }
  expect_ok "the client's interface is served" wait_for 10 served
  expect_eq "refused (fastForward $fast)" "s1 s1" "$(outside client "$PEER" get $VIP 80 2 | paste -sd' ')"
  expect_eq "moved" 2 "$(reason h RESCUE_REFUSED)"
  expect_eq "each a failure of the first endpoint" 2 "$(stat_of h 10.0.0.11 .failed)"
  blackhole h1
  expect_eq "silent" "s1 s1" "$(outside client "$PEER" get $VIP 80 2 | paste -sd' ')"
  expect_between "moved, too" 3 4 "$(($(reason h RESCUE_TIMEOUT) + $(reason h RESCUE_UNREACHABLE) + 2))"
  unblackhole h1
  ctl h detach >/dev/null
  wait_for 10 sandbox_gone "${AGENT_PID[h]}"
done
sandbox_end
