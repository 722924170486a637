#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A full map: the old plan stands, the error is named, and room that comes back is used.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/15-map-full
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
agent_start h "kernel.limits: { members: 4 }"

expect_eq "before" "h1=10" "$(hits client $VIP 80 10)"
eps ack-hangzhou reviews 10.0.0.{11..30}
expect_ok "the log names the service and the map" wait_for 5 agent_said h 'default/reviews.*mrd_(health|stat|member)'
expect_eq "the old plan stands whole" "h1=10" "$(hits client $VIP 80 10)"
expect_match "status tells it" 'default/reviews' "$(ctl h status)"
expect_eq "no half-written rows are left" 1 "$(map_dump h mrd_health | grep -c '"state"')"
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
expect_ok "a plan that fits is written" wait_for 5 sees "h1=5 h2=5" client $VIP 80 10

# Room taken by another service comes back when that goes.
svc ack-hangzhou other 172.16.0.21 80
eps ack-hangzhou other 10.0.0.11 10.0.0.12
wait_for 5 sees "h1=5 h2=5" client 172.16.0.21 80 10
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12 10.1.0.11
sleep 0.3
expect_eq "no room" "h1=5 h2=5" "$(hits client $VIP 80 10)"
rm "$SANDBOX"/state/ack-hangzhou/*-default-other*.yaml
expect_ok "the plan that waited is written" wait_for 10 sees "h1=4 h2=4 s1=4" client $VIP 80 12
sandbox_end
