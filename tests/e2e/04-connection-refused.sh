#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A refused connection is a failure of that endpoint: the next ones go elsewhere.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/04-connection-refused
two_regions
web h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews
agent_start h

seen=$(hits client $VIP 80 20)
expect_match "one refusal, no more" "(^| )ECONNREFUSED=1( |$)" "$seen"
expect_eq "ejected" EJECTED "$(health h 10.0.0.11)"
expect_eq "counted" 1 "$(reason h HANDSHAKE_REFUSED)"
expect_eq "the counter of the endpoint" 1 "$(stat_of h 10.0.0.11 .failed)"
expect_eq "open connections are back at none" 0 "$(stat_of h 10.0.0.12 .open)"

# A route that is gone answers with ICMP.
nsenter --net=/run/netns/h nft 'table inet t { chain c { type filter hook forward priority 0; ip daddr 10.0.0.12 ip saddr 10.0.0.2 reject with icmp type host-unreachable; }; }'
run_in client "$PEER" get $VIP 80 4 >/dev/null
expect_between "unreachable is counted" 1 4 "$(reason h HANDSHAKE_UNREACHABLE)"
expect_eq "the last local pod may go, the next region takes over" EJECTED "$(health h 10.0.0.12)"
expect_eq "all to the next region" "s1=20" "$(hits client $VIP 80 20)"
sandbox_end
