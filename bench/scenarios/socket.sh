#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The path of the sockets: a VIP with the agent's defaults beside the pod's own address on a node without
# Meridian; without the probe; without programs at interfaces; and the pod's own address once more, which
# shows what is noise.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

bench_begin
twins
for name in direct again socket noprobe notc; do
  twin "$name"
done
twin_agent socket
twin_agent noprobe "kernel.probe: false"
twin_agent notc "kernel.interfaces: none"
sides=("$(side direct 10.0.0.11:9080)" "$(side again 10.0.0.11:9080)" "$(side socket)" "$(side noprobe)" "$(side notc)")

figure socket.connects /s higher "New connections, a request in each"
goal socket.connects socket at_least 0.98 of direct
rates socket.connects connect 16 "${sides[@]}"

figure socket.requests /s higher "Requests on connections that stay"
goal socket.requests socket at_least 0.98 of direct
rates socket.requests keepalive 16 "${sides[@]}"
bench_end
