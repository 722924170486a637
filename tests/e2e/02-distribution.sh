#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# No rule: one even pool. Distribution 90/10: exactly one connection in ten leaves the region (Z3).
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/02-distribution
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
eps ack-shanghai reviews 10.1.0.11
agent_start h

# Thirds are no multiple of a tenth: the split strays by four of any window at most.
seen=$(hits client $VIP 80 300)
for pod in h1 h2 s1; do
  expect_between "no rule, 1:1:1: $pod" 96 104 "$(grep -o "$pod=[0-9]*" <<<"$seen" | cut -d= -f2)"
done

policy distribution <<'YAML'
localityLbSetting:
  distribute:
  - from: cn-hangzhou/*
    to: { "cn-hangzhou/*": 90, "cn-shanghai/*": 10 }
YAML
wait_for 5 agent_said h "mode=distribute"
for round in 1 2 3; do
  expect_eq "ten connections, round $round" 1 "$(hits client $VIP 80 10 | sed 's/.*s1=//')"
done
expect_eq "a thousand connections" "h1=450 h2=450 s1=100" "$(hits client $VIP 80 1000)"

# Both modes in one setting are refused, and what holds goes on to hold.
policy distribution <<'YAML'
localityLbSetting:
  distribute:
  - from: cn-hangzhou/*
    to: { "cn-hangzhou/*": 50, "cn-shanghai/*": 50 }
  failover:
  - { from: cn-hangzhou, to: cn-shanghai }
YAML
wait_for 5 agent_said h "distribution.yaml:2:.*distribution.yaml:5:|distribution.yaml:5:.*distribution.yaml:2:"
expect_eq "the old policy holds" 10 "$(hits client $VIP 80 100 | sed 's/.*s1=//')"
sandbox_end
