#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What it costs connections by the hooks at sockets that programs stand at interfaces as well, to rescue them:
# packets of one that was not moved pass two of those each way, and go on at a glance.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

bench_begin
paths notc socket
sides_of_paths 10.0.0.11:9080 "$VIP:80"

figure rescue_price.connects /s higher "New connections, with programs at interfaces and without" notc
goal rescue_price.connects socket at_least 0.98 of notc
rates rescue_price.connects connect 16 "${SIDES[@]}"

figure rescue_price.requests /s higher "Requests on connections that stay" notc
goal rescue_price.requests socket at_least 0.99 of notc
rates rescue_price.requests keepalive 16 "${SIDES[@]}"

for name in "${PATHS[@]}"; do
  serve "$name-server" iperf3 --server
  wait_listen "$name-server" 5201
done
bytes=512M
[[ -z ${QUICK-} ]] || bytes=128M

# bulk ROUND SIDE
bulk() {
  in_twin "$2" iperf3 --client 172.16.0.52 --bytes "$bytes" --json >"$SANDBOX/bulk"
  sample rescue_price.bulk "$2" "$1" "$(jq '.end.sum_received.bits_per_second / 1e9' "$SANDBOX/bulk")"
}
figure rescue_price.bulk Gbit/s higher "Bulk data, one stream" notc
goal rescue_price.bulk socket at_least 0.99 of notc
interleave "$BENCH_ROUNDS" bulk "${PATHS[@]}"
bench_end
