#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The path of the sockets: through a VIP beside the same traffic to the pod's own address.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

bench_begin
bench_world
sides=(direct=10.0.0.11:9080 "vip=$VIP:80")

figure socket.connects /s higher "New connections, a request in each"
goal socket.connects vip at_least 0.98 of direct
rates socket.connects connect 16 "${sides[@]}"

figure socket.requests /s higher "Requests on connections that stay"
goal socket.requests vip at_least 0.98 of direct
rates socket.requests keepalive 16 "${sides[@]}"
bench_end
