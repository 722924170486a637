#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# getpeername, TCP Fast Open, MPTCP, non-blocking connect: the application sees the VIP.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/09-what-the-application-sees
one_region
web h1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
agent_start h
nsenter --net=/run/netns/client sh -c 'echo 3 >/proc/sys/net/ipv4/tcp_fastopen'

for how in plain nonblock tfo; do
  expect_match "$how" "^connected $VIP 80 " "$(run_in client "$PEER" connect $VIP 80 $how)"
done
# The kernel keeps no storage on the socket that MPTCP shows; the connection itself is rewritten.
expect_match "mptcp is rewritten" "^connected " "$(run_in client "$PEER" connect $VIP 80 mptcp)"
expect_match "a direct connection keeps its name" "^connected 10.0.0.11 9080 " \
  "$(run_in client "$PEER" connect 10.0.0.11 9080)"
expect_eq "curl sees the VIP" $VIP "$(run_in client curl -s -o "$SANDBOX/body" -w '%{remote_ip}' http://$VIP/)"
serve client "$PEER" hold $VIP 80 30
held=$SERVE_PID
wait_for 5 grep -q held "$SANDBOX/log/client"
opened() { [[ $(stat_of h 10.0.0.11 .open) == 1 ]]; }
expect_ok "one connection is open" wait_for 5 opened
stop "$held" KILL || true
closed() { [[ $(stat_of h 10.0.0.11 .open) == 0 ]]; }
expect_ok "and closed again" wait_for 5 closed
sandbox_end
