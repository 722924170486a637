#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What bpftool prints of the maps reads as text.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/20-readable-maps
two_regions
web h1 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews
agent_start h
hits client $VIP 80 3 >/dev/null

dump=$(map_dump h mrd_service)
expect_match "VIP" '"addr": \[172,16,0,20,0' "$dump"
expect_match "port" '"port": 80' "$dump"
expect_match "protocol" 'MRD_PROTOCOL_TCP' "$dump"
expect_match "mode of the route" 'MRD_MODE_FAILOVER' "$(map_dump h mrd_route)"
dump=$(map_dump h mrd_health)
expect_match "address" '"addr": \[10,0,0,11,0' "$dump"
expect_match "port of the pod" '"port": 9080' "$dump"
expect_match "state" '"state": "MRD_STATE_ACTIVE"' "$dump"
expect_match "name" 'reviews' "$(map_dump h mrd_name)"
expect_match "region" 'cn-shanghai' "$(map_dump h mrd_locality)"
expect_match "counters" '"established": 3' "$(map_dump h mrd_stat)"
expect_eq "numbers that are drawn to choose among one" 0 \
  "$(bpftool -j map dump pinned "$(bpffs_of h)/mrd_ticket" | jq '[.[].formatted.value] | add')"

for verb in status services endpoints regions; do
  expect_ok "meridianctl -o json $verb is JSON" bash -c "'$MERIDIANCTL' --config '$SANDBOX/h.yaml' -o json $verb | jq -e . >'$SANDBOX/json'"
done
expect_match "services" 'default/reviews.*172.16.0.20:80' "$(ctl h services | tr '\n' ' ')"
expect_match "endpoints" '10.0.0.11:9080' "$(ctl h endpoints default/reviews)"
expect_match "regions" 'cn-shanghai' "$(ctl h regions)"
ctl h nonsense >/dev/null 2>&1 && status=0 || status=$?
expect_eq "an unknown verb is wrong usage" 2 "$status"
sandbox_end
