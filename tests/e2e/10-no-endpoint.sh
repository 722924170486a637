#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# No endpoint anywhere: ECONNREFUSED at once, blocking or not, and a name for it.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/10-no-endpoint
two_regions
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews
eps ack-shanghai reviews 10.1.0.11=unready
svc ack-hangzhou bare 172.16.0.21 80
agent_start h

for how in plain nonblock; do
  seen=$(run_in client "$PEER" connect $VIP 80 $how || true)
  expect_match "$how" '^ECONNREFUSED after' "$seen"
  expect_between "$how: at once" 0 900 "$(grep -o '[0-9]* ms' <<<"$seen" | cut -d' ' -f1)"
done
expect_match "a service without any slice" '^ECONNREFUSED' "$(run_in client "$PEER" connect 172.16.0.21 80 || true)"
expect_eq "each refusal is counted by its reason" 3 \
  "$(($(reason h REFUSE_NO_ENDPOINT) + $(reason h REFUSE_NO_ROUTE)))"
expect_eq "nothing left the node" 0 "$(reason h PICK_POOL)"

# Nothing is ready, but something that terminates still serves: better than nothing (KEP-1669).
web s1
eps ack-shanghai reviews 10.1.0.11=draining
expect_ok "serving while it terminates" wait_for 5 sees "s1=5" client $VIP 80 5
sandbox_end
