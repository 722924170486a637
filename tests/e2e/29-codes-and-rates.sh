#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Codes that a rule calls errors, and rates of failures, for which the agent must hear every response.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/29-codes-and-rates
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews "{ consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 1m, outlierDetectionHttpErrorCodes: [404] }"
agent_start h

# ask PATH COUNT
ask() {
  local i

  for ((i = 0; i < $2; i++)); do
    run_in client curl -s -o "$SANDBOX/body" -w '%{http_code}\n' "http://$VIP$1"
  done | sort | uniq -c | awk '{ printf "%s%s=%d", sep, $2, $1; sep = " " }'
}

# 503 is not listed, so it is a success.
fail h1
fail h2
expect_eq "503 is no error here" "503=12" "$(ask / 12)"
unfail h1
unfail h2
expect_eq "two listed codes each" "404=4" "$(ask /missing 4)"
expect_eq "and a good answer between" "200=2" "$(ask / 2)"
expect_eq "two more each" "404=4" "$(ask /missing 4)"
sleep 0.3
expect_eq "no three in a row" ACTIVE "$(health h 10.0.0.11)"
expect_eq "the third of each" "404=2" "$(ask /missing 2)"
expect_ok "the first is out" wait_for 3 is_health h 10.0.0.11 EJECTED
expect_ok "the second is out" wait_for 3 is_health h 10.0.0.12 EJECTED
agent_stop h

# Every other answer of one endpoint fails, never two in a row; the other endpoint is well. A new agent, with
# nobody ejected.
ctl h detach >/dev/null || true
cat >"$SANDBOX/policy/reviews.yaml" <<'YAML'
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
  namespace: default
  annotations:
    meridian.dev/failure-percentage-enforcing: "100"
    meridian.dev/failure-percentage-threshold: "40"
    meridian.dev/failure-percentage-minimum-hosts: "2"
    meridian.dev/failure-percentage-request-volume: "5"
spec:
  host: reviews
  trafficPolicy:
    outlierDetection: { consecutive5xxErrors: 1000, interval: 1s, baseEjectionTime: 1m }
YAML
agent_start h
for i in {1..60}; do
  if ((i % 2)); then fail h1; else unfail h1; fi
  ask / 2 >/dev/null
done
expect_ok "half of its answers failed: out" wait_for 5 is_health h 10.0.0.11 EJECTED
expect_eq "the other is well" ACTIVE "$(health h 10.0.0.12)"
sandbox_end
