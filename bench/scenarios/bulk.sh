#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Bulk data by iperf3: one stream, and 64 at once; nearly a second each time. In less than that a run in which client and
# server happen to meet on one processor has half the rate, and the median is that of their luck.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

declare -A bytes=([1]=2G [64]=4G)
sides=(direct socket tc fast) rounds=8
[[ -z ${QUICK-} ]] || bytes=([1]=64M [64]=64M) sides=(direct socket tc fast) rounds=$BENCH_ROUNDS
bench_begin
paths "${sides[@]}"
for name in "${PATHS[@]}"; do
  serve "$name-server" iperf3 --server
  wait_listen "$name-server" 5201
done

# bulk ROUND SIDE: by as many streams as $streams says.
bulk() {
  local address

  address=$(address_of "$2" 10.0.0.11 172.16.0.52)
  in_twin "$2" iperf3 --client "$address" --parallel "$streams" --bytes "${bytes[$streams]}" --json >"$SANDBOX/bulk"
  sample "bulk.streams_$streams" "$2" "$1" "$(jq '.end.sum_received.bits_per_second / 1e9' "$SANDBOX/bulk")"
}

for streams in 1 64; do
  figure "bulk.streams_$streams" Gbit/s higher "Bulk data, streams at once: $streams"
  goal "bulk.streams_$streams" socket at_least 0.98 of direct
  goal "bulk.streams_$streams" tc at_least 0.98 of direct
  goal "bulk.streams_$streams" fast at_least 0.98 of direct
  interleave "$rounds" bulk "${PATHS[@]}"
done
bench_end
