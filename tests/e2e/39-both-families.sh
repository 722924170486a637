#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A pod with an IPv4 and an IPv6 address is one endpoint to outlier detection: its errors are one run, it is ejected with
# both addresses, and the cap counts it once.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/39-both-families
one_region
web h1 h2
svc ack-hangzhou reviews "$VIP,$VIP6" 80
PODS=1 eps ack-hangzhou reviews 10.0.0.11 10.0.0.12 fd00:a0::11 fd00:a0::12
policy reviews <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec:
  host: reviews
  trafficPolicy:
    outlierDetection: { consecutive5xxErrors: 2, interval: 1s, baseEjectionTime: 5m, maxEjectionPercent: 50 }
YAML
agent_start h

# health6 NODE LAST: the state of fd00:a0::LAST in the kernel
health6() {
  bpftool -j map dump pinned "$(bpffs_of "$1")/mrd_health" | jq -r --argjson last "$2" \
    '.[].formatted.value | select(.family == "MRD_FAMILY_IPV6" and .addr[15] == $last) | .state | ltrimstr("MRD_STATE_")'
}

# bad_answer VIP
bad_answer() { [[ $(run_in client "$PEER" get "$1" 80 1) == "status 503" ]]; }

# ::11 ends with the byte 0x11
fail h1
expect_ok "a bad answer by IPv4" wait_for 5 bad_answer "$VIP"
expect_eq "is not enough" "ACTIVE ACTIVE" "$(health h 10.0.0.11) $(health6 h 17)"
expect_ok "and one by IPv6" wait_for 5 bad_answer "$VIP6"
expect_ok "eject its IPv4 address" wait_for 2 is_health h 10.0.0.11 EJECTED
expect_eq "and its IPv6 address" EJECTED "$(health6 h 17)"
expect_eq "nothing is picked there by IPv4" "h2=20" "$(hits client $VIP 80 20)"
expect_eq "nor by IPv6" "h2=20" "$(hits client $VIP6 80 20)"
expect_eq "it was one ejection" 1 "$(grep -c '"action":"EJECT"' "$(agent_log_of h)")"

fail h2
hits client $VIP6 80 4 >/dev/null
expect_ok "the other one may not go" wait_for 5 agent_said h 'endpoint not ejected.*10.0.0.12'
expect_eq "by either address" "ACTIVE ACTIVE" "$(health h 10.0.0.12) $(health6 h 18)"

agent_kill h
agent_start h
expect_eq "another agent keeps both out" "EJECTED EJECTED" "$(health h 10.0.0.11) $(health6 h 17)"
sandbox_end
