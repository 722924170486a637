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
agent_start h "kernel.interfaces: none" # nothing is rescued

refusal() { [[ $(run_in client "$PEER" get "$VIP" 80 1) == ECONNREFUSED ]]; }
expect_ok "a refusal" wait_for 5 refusal
expect_ok "ejected" wait_for 2 is_health h 10.0.0.11 EJECTED
expect_eq "nobody else meets it" "" "$(hits client $VIP 80 20 | grep -o ECONN || true)"
expect_eq "counted" 1 "$(reason h HANDSHAKE_REFUSED)"
expect_eq "the counter of the endpoint" 1 "$(stat_of h 10.0.0.11 .failed)"
expect_eq "open connections are back at none" 0 "$(stat_of h 10.0.0.12 .open)"

# A route that is gone answers with ICMP.
nsenter --net=/run/netns/h nft 'table inet t { chain c { type filter hook forward priority 0; ip daddr 10.0.0.12 ip saddr 10.0.0.2 reject with icmp type host-unreachable; }; }'
run_in client "$PEER" get "$VIP" 80 4 50 >/dev/null
expect_between "unreachable is counted" 1 4 "$(reason h HANDSHAKE_UNREACHABLE)"
expect_ok "the last local pod may go, the next region takes over" wait_for 2 is_health h 10.0.0.12 EJECTED
expect_eq "all to the next region" "s1=20" "$(hits client $VIP 80 20)"

# A failover list alone, without outlierDetection: five refusals in a row.
svc ack-hangzhou plain 172.16.0.30 80
eps ack-hangzhou plain 10.0.0.11
eps ack-shanghai plain 10.1.0.11
policy plain <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: plain, namespace: default }
spec:
  host: plain
  trafficPolicy:
    loadBalancer: { localityLbSetting: { failover: [{ from: cn-hangzhou, to: cn-shanghai }] } }
YAML
plain_is_home() { ctl h -o json services | jq -e '.services[] | select(.service == "default/plain" and .mode == "failover")' >/dev/null; }
expect_ok "it fails over" wait_for 5 plain_is_home
expect_eq "the first four are refused" "ECONNREFUSED=4" "$(hits client 172.16.0.30 80 4)"
expect_eq "and the fifth" "ECONNREFUSED=1" "$(hits client 172.16.0.30 80 1)"
plain_moved() { [[ $(hits client 172.16.0.30 80 5) == "s1=5" ]]; }
expect_ok "then the next region serves" wait_for 2 plain_moved
sandbox_end
