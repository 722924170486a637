#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Answers of an endpoint are lost for some seconds, and then said again, to a connection that has left: what they tell
# of its distance keeps no later connection from a rescue. And options that serve a connect() end with it.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/69-lost-answers
two_regions
web h1 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews "{ consecutive5xxErrors: 100, interval: 1h, baseEjectionTime: 1h }"
policy patient <<'YAML'
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: patient, namespace: default }
spec: { host: patient, trafficPolicy: { connectionPool: { tcp: { connectTimeout: 10s } } } }
YAML
svc ack-hangzhou patient 172.16.0.33 80
eps ack-hangzhou patient 10.0.0.12
eps ack-shanghai patient 10.1.0.11
agent_start h

known_us() { map_dump h mrd_handshake | jq '[.[].value.known_us] | max'; }
late() { (($(reason h LATE_ANSWER) > 0)); }

expect_eq "known" "h1=4" "$(hits client $VIP 80 4)"
nsenter --net=/run/netns/h nft -f - <<'END'
add table inet lost
add chain inet lost forward { type filter hook forward priority 0; }
add rule inet lost forward ip saddr 10.0.0.11 tcp flags & (syn | ack) == syn | ack drop
END
serve client "$PEER" hold $VIP 80 60
sleep 2
nsenter --net=/run/netns/h nft delete table inet lost
expect_ok "an answer comes late" wait_for 10 late
expect_between "it is no measure of distance" 1 1000000 "$(known_us)"
blackhole h1
expect_eq "the endpoint falls silent: connections go elsewhere" "s1=3" "$(hits client $VIP 80 3)"

# The kernel's own total of seven seconds is shorter than connectTimeout, and a rescue sets it for the time of the
# connect() over what connectTimeout has set: what the application had is neither of them.
cat >"$SANDBOX/options.py" <<'END'
import socket, sys
sock = socket.socket()
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 2)
sock.settimeout(20)
sock.connect((sys.argv[1], 80))
print(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT))
END
blackhole h2
for _ in 1 2; do
  expect_eq "rescued, with connectTimeout: the application's own options are back" "0 2" \
    "$(run_in client python3 "$SANDBOX/options.py" 172.16.0.33)"
done
sandbox_end
