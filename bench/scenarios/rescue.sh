#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A region that has fallen silent, and nothing is ejected, so that each of 1,000 connections (QUICK=1: 200) has to be
# rescued: how long until it stands. At the interface alone it is the client's own kernel that sends the SYN again,
# after a second.
set -euo pipefail
# shellcheck source=bench/peers.sh
. "$(dirname "$0")/../peers.sh"

names=(socket tc)
ms=5000
[[ -z ${QUICK-} ]] || ms=1000

# rescued NAME: of 200 connections a second.
rescued() {
  load --rate=200 --go-on --timeout=10000 "--requests=$SANDBOX/all" connect 1024 "$ms" 1 "${PEER_SIDE[$1]}" \
    >"$SANDBOX/rates"
  cat "$SANDBOX/all" >>"$SANDBOX/connects"
  sample rescue.failed "$1" 0 "$(jq -c 'select(.[5] != "ok")' "$SANDBOX/all" | wc -l)"
}

peers_begin "${names[@]}"
failover_policy reviews "{ consecutive5xxErrors: 0, consecutiveGatewayErrors: 0, interval: 1h }"
for name in "${names[@]}"; do
  peer_start "$name"
done
figure rescue.connect us lower "A connection, where the region is silent" none
goal rescue.connect.p50 socket at_most 60000
goal rescue.connect.p99 socket at_most 120000
figure rescue.failed "of $((ms / 5))" lower "Requests that failed then" none
goal rescue.failed socket at_most 0
goal rescue.failed tc at_most 0
for name in "${names[@]}"; do
  # How long a handshake takes is known from connections that were answered.
  load --rate=100 connect 16 200 1 "${PEER_SIDE[$name]}" >"$SANDBOX/rates"
  blackhole "$name-server"
  rescued "$name"
done
raw rescue.connect 0 "$SANDBOX/connects" connect
bench_end
