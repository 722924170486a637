#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What is no service of ours is left alone; unknownService: refuse changes that inside the service blocks.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/12-unknown-address
cluster ack-hangzhou cn-hangzhou "serviceCIDRs=[172.16.0.0/16]"
node h cluster=ack-hangzhou region=cn-hangzhou 10.0.0.0/16
pod h client 10.0.0.2
pod h h1 10.0.0.11
web h1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
# Somebody else's service address, as kube-proxy would serve it.
nsenter --net=/run/netns/h nft 'table ip nat { chain p { type nat hook prerouting priority -100; ip daddr 172.16.0.77 tcp dport 80 dnat to 10.0.0.11:9080; }; }'
agent_start h

expect_eq "ours" "h1=3" "$(hits client $VIP 80 3)"
expect_eq "another port of our address is not ours" 1 "$(run_in client "$PEER" connect $VIP 81 >/dev/null || echo 1)"
expect_eq "somebody else's service works" "h1=3" "$(hits client 172.16.0.77 80 3)"
expect_eq "a pod's own address works" "h1=3" "$(hits client 10.0.0.11 9080 3)"
expect_between "passes are counted" 6 100 "$(reason h PASS_NOT_SERVICE)"

agent_stop h
agent_start h "unknownService: refuse"
expect_match "refused inside the block" '^ECONNREFUSED' "$(run_in client "$PEER" connect 172.16.0.77 80 || true)"
expect_eq "counted" 1 "$(reason h REFUSE_UNKNOWN)"
expect_eq "outside the block nothing changes" "h1=3" "$(hits client 10.0.0.11 9080 3)"
expect_eq "ours still" "h1=3" "$(hits client $VIP 80 3)"
sandbox_end
