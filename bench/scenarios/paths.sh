#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Short requests on every way to a service beside the pod's own address on a node without Meridian: new
# connections, and connections that stay.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

bench_begin
paths
sides_of_paths 10.0.0.11:9080 "$VIP:80"

figure paths.connects /s higher "New connections, a request in each"
goal paths.connects socket at_least 0.98 of direct
goal paths.connects tc at_least 0.90 of direct
goal paths.connects fast at_least 0.95 of direct
rates paths.connects connect 16 "${SIDES[@]}"

figure paths.requests /s higher "Requests on connections that stay"
goal paths.requests socket at_least 0.98 of direct
goal paths.requests tc at_least 0.90 of direct
goal paths.requests fast at_least 0.95 of direct
rates paths.requests keepalive 16 "${SIDES[@]}"
bench_end
