#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Names, by the C library's resolver: its questions for both families go out of one port at once, and what is too long for
# a datagram is asked again by TCP. IPv4 and IPv6, through the socket hooks and through TC.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/46-dns
two_regions
cat >"$SANDBOX/server.py" <<'PY'
import ipaddress, socket, struct, sys, threading
ADDRESSES = {1: ["203.0.113.%d"], 28: ["2001:db8::%x"]}
def answer(query, is_datagram):
    end = query.index(b"\0", 12) + 5
    kind = struct.unpack("!H", query[end - 4:end - 2])[0]
    count = 100 if query[12:].startswith(b"\5large") else 1
    if is_datagram and count > 1:
        return query[:2] + b"\x87\x80\0\1\0\0\0\0\0\0" + query[12:end]  # truncated
    head = query[:2] + b"\x85\x80\0\1" + struct.pack("!H", count) + b"\0\0\0\0"
    records = b""
    for number in range(1, count + 1):
        data = ipaddress.ip_address(ADDRESSES[kind][0] % number).packed
        records += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data
    return head + query[12:end] + records
def datagrams():
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.bind(("::", 5353))
    while True:
        query, client = server.recvmsg(2048, 256)[0::3]
        server.sendto(answer(query, True), client)
def streams():
    server = socket.create_server(("::", 5353), family=socket.AF_INET6, dualstack_ipv6=True)
    print("ready", flush=True)
    while True:
        client = server.accept()[0]
        with client, client.makefile("rwb") as stream:
            while size := stream.read(2):
                reply = answer(stream.read(struct.unpack("!H", size)[0]), False)
                stream.write(struct.pack("!H", len(reply)) + reply)
                stream.flush()
threading.Thread(target=datagrams, daemon=True).start()
streams()
PY
serve h1 python3 "$SANDBOX/server.py"
wait_for 5 grep -q ready "$SANDBOX/log/h1"

manifest ack-hangzhou dns <<YAML
apiVersion: v1
kind: Service
metadata: { name: dns, namespace: default, creationTimestamp: "2026-01-01T00:00:00Z" }
spec:
  type: ClusterIP
  clusterIP: $VIP
  clusterIPs: [$VIP, "$VIP6"]
  ports: [{ name: dns, port: 53, protocol: UDP }, { name: dns-tcp, port: 53, protocol: TCP }]
YAML
for address in 10.0.0.11 fd00:a0::11; do
  family=IPv4
  [[ $address != *:* ]] || family=IPv6
  manifest ack-hangzhou dns-$family <<YAML
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: dns-${family,,}, namespace: default, labels: { kubernetes.io/service-name: dns } }
addressType: $family
ports: [{ name: dns, port: 5353, protocol: UDP }, { name: dns-tcp, port: 5353, protocol: TCP }]
endpoints: [{ addresses: ["$address"] }]
YAML
done
agent_start h
wait_for 10 serves h 3

# addresses RUN NAME: of how many kinds, and how many.
addresses() {
  "$1" client getent ahosts "$2" | awk '{ print $1 }' | sort -u |
    awk '/:/ { six++ } /\./ { four++ } END { print four + 0, six + 0 }'
}
touch "$SANDBOX/resolv.conf"
mount --bind "$SANDBOX/resolv.conf" /etc/resolv.conf # of this test alone
for address in $VIP $VIP6; do
  printf '%s\n' "nameserver $address" "options timeout:2 attempts:1" >"$SANDBOX/resolv.conf"
  for run in run_in outside; do
    before=$(flows h)
    expect_eq "$run, $address: both families" "1 1" "$(addresses $run short.test)"
    expect_eq "$run, $address: a hundred each, by TCP" "100 100" "$(addresses $run large.test)"
    if [[ $run == outside ]]; then
      expect_between "$address: by rows of TC" 4 20 $(($(flows h) - before))
    else
      expect_eq "$address: without rows of TC" "$before" "$(flows h)"
    fi
  done
done
sandbox_end
