#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A connection that ends before its answer is an error of the endpoint; one that ends behind it is none.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/25-early-ends
two_regions
serve h1 "$PEER" end-server 10.0.0.11 9080
serve h2 "$PEER" end-server 10.0.0.12 9080
wait_listen h1 9080
wait_listen h2 9080
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews "{ consecutive5xxErrors: 100, interval: 1s, baseEjectionTime: 1m }"
PORT_NAME=web svc ack-hangzhou undeclared 172.16.0.31 80
PORT_NAME=web eps ack-hangzhou undeclared 10.0.0.12
agent_start h

# ask PATH: curl's exit status.
ask() {
  run_in client curl -s -o "$SANDBOX/body" --max-time 3 "http://$VIP$1" || echo $?
}

expect_eq "whole, then closed" "" "$(ask /whole-fin)"
ask /whole-rst >/dev/null # its body may or may not be read before the reset
expect_eq "no error of these" 0 "$(reason h RESET_IN_REQUEST)"
expect_eq "closed without an answer" 52 "$(ask /fin)"
expect_eq "that is one error" 1 "$(reason h RESET_IN_REQUEST)"
expect_eq "reset without an answer" 56 "$(ask /rst)"
expect_eq "two" 2 "$(reason h RESET_IN_REQUEST)"
expect_match "reset inside the status line" '^(52|56)$' "$(ask /half-rst)"
expect_eq "three" 3 "$(reason h RESET_IN_REQUEST)"
expect_eq "reset behind an interim answer" 56 "$(ask /interim-rst)"
expect_eq "four" 4 "$(reason h RESET_IN_REQUEST)"
expect_eq "they are a run of errors" 4 "$(stat_of h 10.0.0.11 .run)"
expect_eq "and a good answer ends it" "" "$(ask /whole-fin)"
expect_eq "none left" 0 "$(stat_of h 10.0.0.11 .run)"
expect_eq "behind a 101 nothing is a request" "101  end" \
  "$(run_in client python3 "$(dirname "$0")/turns.py" tcp connect,$VIP,80 get,/switch get,/fin | tr '\n' ' ' | sed 's/ $//')"
expect_eq "so no answer is missed" 4 "$(reason h RESET_IN_REQUEST)"
expect_eq "nothing is open" 0 "$(stat_of h 10.0.0.11 .open)"

# What only this connection can know: that the port, which nobody declared, speaks HTTP.
expect_eq "an answer, and then none" "200 ok end" \
  "$(run_in client python3 "$(dirname "$0")/turns.py" tcp connect,172.16.0.31,80 get,/whole get,/fin | tr '\n' ' ' | sed 's/ $//')"
expect_eq "is an error, too" 5 "$(reason h RESET_IN_REQUEST)"
expect_eq "of its endpoint" 1 "$(stat_of h 10.0.0.12 .run)"
sandbox_end
