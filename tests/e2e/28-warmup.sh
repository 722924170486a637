#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A region that returns, and an endpoint that is new, get their connections little by little.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/28-warmup
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
eps ack-shanghai reviews 10.1.0.11
policy reviews <<'YAML'
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default, annotations: { meridian.dev/warmup: 20s } }
spec:
  host: reviews
  trafficPolicy:
    loadBalancer: { localityLbSetting: { failover: [ { from: cn-hangzhou, to: cn-shanghai } ] } }
YAML
agent_start h

# home COUNT: how many of COUNT connections stay in Hangzhou.
home() {
  run_in client "$PEER" get $VIP 80 "$1" | grep -c h1 || true
}

expect_eq "at the start nothing warms up" 50 "$(home 50)"
eps ack-hangzhou reviews
wait_for 5 sees "s1=10" client $VIP 80 10
expect_eq "scaled to 0: all in Shanghai" 0 "$(home 50)"
eps ack-hangzhou reviews 10.0.0.11
some_home() { (($(home 100) > 0)); }
expect_ok "back, with something" wait_for 5 some_home
expect_between "but not with much" 5 50 "$(home 100)"
expect_match "which explain says" "cn-hangzhou is back and warms up .* of its 20s are over" \
  "$(ctl h explain default/reviews)"
warm() { [[ $(home 200) == 200 ]]; }
expect_ok "with everything in the end" wait_for 30 warm
expect_eq "and it stays so" 50 "$(home 50)"

# Envoy's slow start: a tenth of an endpoint at first.
policy reviews <<'YAML'
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec:
  host: reviews
  trafficPolicy:
    loadBalancer:
      simple: ROUND_ROBIN
      warmup: { duration: 12s }
      localityLbSetting: { failover: [ { from: cn-hangzhou, to: cn-shanghai } ] }
YAML
wait_for 5 agent_said h "policy read"
expect_eq "who was there is warm" 50 "$(home 50)"
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
# new COUNT: how many of COUNT connections the new one gets.
new() {
  run_in client "$PEER" get $VIP 80 "$1" | grep -c h2 || true
}
some_new() { (($(new 50) > 0)); }
expect_ok "the new one has something" wait_for 5 some_new
expect_between "but not its whole part" 1 35 "$(new 100)"
even() { [[ $(new 200) == 100 ]]; }
expect_ok "its whole part in the end" wait_for 30 even
sandbox_end
