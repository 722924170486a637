#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Queries by datagrams, as of a resolver: sockets that stay, and a socket for each query.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

sides=(direct again socket notc tc fast)
[[ -z ${QUICK-} ]] || sides=(direct socket tc)
bench_begin
paths "${sides[@]}"
sides_of_paths 10.0.0.11:5353 "$BENCH_DNS:53"
for name in "${PATHS[@]}"; do
  serve "$name-server" "$PEER" udp-echo 10.0.0.11 5353 "answer"
done

figure udp.queries /s higher "UDP queries, sockets that stay"
rates udp.queries udp 16 "${SIDES[@]}"
figure udp.sockets /s higher "UDP queries, a socket for each"
rates udp.sockets udp-connect 16 "${SIDES[@]}"
bench_end
