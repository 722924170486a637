#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Shanghai's server is 300 ms away and has much to say. It is read as a whole, and the home cluster is
# not delayed by it, neither at start nor afterwards.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/08-slow-network
DELAY_MS=150 two_clusters
reviews_applied
many ack-shanghai 1500

agent_start h
expect_ok "read as a whole" wait_for 30 planned 10.0.0.11 10.0.0.12 10.1.0.11
expect_between "every slice of it" 1501 1502 "$(told ack-shanghai .slices)"
for address in 10.0.0.11 10.0.0.12 10.0.0.11; do
  eps ack-hangzhou reviews $address
  expect_ok "the home cluster is followed" wait_for "$SOON_S" planned $address 10.1.0.11
done

# While the far one is read anew.
server_kill ack-shanghai
server_start ack-shanghai
eps ack-hangzhou reviews 10.0.0.12
expect_ok "the home cluster, while the far one is read" wait_for "$SOON_S" planned 10.0.0.12 10.1.0.11
eps ack-shanghai reviews 10.1.0.12
expect_ok "the far one is followed again" wait_for "$AGAIN_S" planned 10.0.0.12 10.1.0.12
expect_between "and nothing of it is lost" 1501 1502 "$(told ack-shanghai .slices)"
sandbox_end
