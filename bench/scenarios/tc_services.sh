#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A pick at an interface among 64,000 services beside one among a few: new connections by TC to one of them.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

services=63900
[[ -z ${QUICK-} ]] || services=6000

# many_services FOLDER: with an endpoint each, a thousand in a file.
many_services() {
  awk -v folder="$1" -v count="$services" 'BEGIN {
    for (i = 0; i < count; i++) {
      file = sprintf("%s/many-%d.yaml", folder, i / 1000)
      ip = sprintf("172.17.%d.%d", i / 250, i % 250 + 1)
      printf "---\napiVersion: v1\nkind: Service\nmetadata: {name: many-%d, namespace: default}\n" \
        "spec: {type: ClusterIP, clusterIP: %s, clusterIPs: [%s], ports: [{name: http, port: 80, protocol: TCP}]}\n" \
        "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n" \
        "metadata: {name: many-%d-a, namespace: default, labels: {kubernetes.io/service-name: many-%d}}\n" \
        "addressType: IPv4\nports: [{name: http, port: 9080, protocol: TCP}]\n" \
        "endpoints: [{addresses: [10.0.0.11], conditions: {ready: true}}]\n", i, ip, ip, i, i >file
    }
  }'
}

bench_begin
twins
about few "an agent that has three services"
about many "one that has $services"
twin few outside
twin_agent few
cp -r "$SANDBOX/state/ack-hangzhou" "$SANDBOX/state/many"
many_services "$SANDBOX/state/many"
CLUSTER_ACCESS[ack-hangzhou]="directory: $SANDBOX/state/many"
twin many outside
twin_agent many
rows=$(bpftool -j map dump pinned "$(bpffs_of many)/mrd_route" | jq length)
((rows > services)) || { echo "only $rows services are in the kernel" >&2; exit 1; }

figure tc_services.connects /s higher "New connections by TC, by the number of services" few
goal tc_services.connects many at_least 0.91 of few
rates tc_services.connects connect 16 "$(side few)" "$(side many)"
bench_end
