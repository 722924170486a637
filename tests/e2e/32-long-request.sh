#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A request of 3 GiB, more than half of what TCP's numbers count: the next one's answer is read all the same.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/32-long-request
two_regions
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
failover_policy reviews "{ consecutive5xxErrors: 5, interval: 1s, baseEjectionTime: 1m }"

cat >"$SANDBOX/ends.py" <<'END'
"""ends.py serve|ask ADDRESS PORT: one connection, a request with a body of 3 GiB, and one without."""
import socket
import sys

PIECE = bytearray(1 << 20)
PIECES = 3 << 10
GET = b"GET / HTTP/1.1\r\nHost: reviews\r\n\r\n"
PUT = b"PUT / HTTP/1.1\r\nHost: reviews\r\nContent-Length: %d\r\n\r\n" % (PIECES * len(PIECE))
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


def read(peer, count):
    while count:
        count -= peer.recv_into(PIECE, min(count, len(PIECE)))


def serve(address):
    with socket.create_server(address) as listener:
        peer = listener.accept()[0]
    read(peer, len(PUT) + PIECES * len(PIECE))
    peer.sendall(GOOD)
    read(peer, len(GET))
    peer.sendall(BAD)
    peer.recv(1)


def ask(address):
    peer = socket.create_connection(address)
    peer.sendall(PUT)
    for _ in range(PIECES):
        peer.sendall(PIECE)
    read(peer, len(GOOD))
    peer.sendall(GET)
    read(peer, len(BAD))


{"serve": serve, "ask": ask}[sys.argv[1]]((sys.argv[2], int(sys.argv[3])))
END

serve h1 python3 "$SANDBOX/ends.py" serve 10.0.0.11 9080
wait_listen h1 9080
agent_start h
run_in client python3 "$SANDBOX/ends.py" ask $VIP 80
expect_eq "the answer to the long request" 1 "$(stat_of h 10.0.0.11 '.responses[1]')"
expect_eq "the one behind it" 1 "$(stat_of h 10.0.0.11 '.responses[4]')"
sandbox_end
