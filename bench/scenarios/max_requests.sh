#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What maxRequestsPerConnection costs short requests: a program follows all that such a connection sends. The
# limit is one that is never reached, so that what is seen is the following alone, not new connections.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

bench_begin
twins
svc ack-hangzhou limited 172.16.0.21 80
eps ack-hangzhou limited 10.0.0.11
policy limited <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: limited, namespace: default }
spec: { host: limited, trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1000000000 } } } }
YAML
about unlimited "a service without a limit"
about limited "one with a limit of requests for a connection, which is not reached"
for name in unlimited limited; do
  twin "$name"
  twin_agent "$name"
done

figure limit.requests /s higher "Requests on connections that stay, without a limit and with one" unlimited
goal limit.requests limited at_least 0.90 of unlimited
rates limit.requests keepalive 16 "$(side unlimited)" "$(side limited 172.16.0.21:80)"
bench_end
