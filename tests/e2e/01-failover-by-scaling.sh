#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Scaling a region to zero moves its traffic to the next region; scaling up brings it back.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/01-failover-by-scaling
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
svc ack-shanghai reviews 172.17.0.20 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews
agent_start h

expect_eq "both local pods take all of it" "h1=50 h2=50" "$(hits client $VIP 80 100)"

eps ack-hangzhou reviews 10.0.0.11=draining 10.0.0.12=draining
wait_for 5 sees "s1=10" client $VIP 80 10
expect_eq "terminating pods get nothing new" "s1=100" "$(hits client $VIP 80 100)"

eps ack-hangzhou reviews
sleep 0.1
expect_eq "scaled to zero" "s1=100" "$(hits client $VIP 80 100)"

# One of two local pods unready: 1.4 × 50 % = 70 % stays (Envoy's spill-over).
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12=unready
wait_for 5 sees "h1=7 s1=3" client $VIP 80 10
expect_eq "half the region is unready" "h1=700 s1=300" "$(hits client $VIP 80 1000)"

eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
wait_for 5 sees "h1=5 h2=5" client $VIP 80 10
expect_eq "back home" "h1=50 h2=50" "$(hits client $VIP 80 100)"
sandbox_end
