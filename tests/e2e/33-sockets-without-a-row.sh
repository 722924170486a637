#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Rows of mrd_socket go back when their sockets close, however these ended; and where its row is another socket's a
# connection has a storage, and lacks nothing.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/33-sockets-without-a-row
REGION_DELAY=5 two_regions
pod s s2 10.1.0.12
web h1 s1 s2
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews "{ consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1m }"
svc ack-hangzhou closed 172.16.0.31 80
TARGET_PORT=9999 eps ack-hangzhou closed 10.0.0.12
svc ack-hangzhou silent 172.16.0.32 80
eps ack-hangzhou silent 10.0.0.13
pod h quiet 10.0.0.13
blackhole quiet
svc ack-hangzhou apart 172.16.0.33 80
eps ack-hangzhou apart 10.99.0.11
svc ack-hangzhou far 172.16.0.34 80
eps ack-shanghai far 10.1.0.12
ip -n client route add unreachable 10.99.0.11
agent_start h
rows=$(bpffs_of h)/mrd_socket

# taken: rows that are somebody's. stored: sockets that have a storage, for their row is.
taken() { bpftool -j map dump pinned "$rows" | jq '[.[].formatted.value | .socket | select(.cookie != 0)] | length'; }
stored() { bpftool -j map dump pinned "$rows" | jq '[.[].formatted.value.stored] | add'; }
open_is() { [[ $(stat_of h 10.0.0.11 .open) == "$1" ]]; }
bad_answer() { [[ $(run_in client "$PEER" get "$VIP" 80 1) == "status 503" ]]; }

# connections WORDS COUNTER: what can become of one. COUNTER: who counts where it has its place.
connections() {
  local gave_up

  expect_eq "$1: twenty requests" "h1=20" "$(hits client $VIP 80 20)"
  expect_match "$1: the application sees the VIP" "^connected $VIP 80 " "$(run_in client "$PEER" connect $VIP 80)"
  expect_eq "$1: refused" 7 "$(run_in client curl -s -o "$SANDBOX/body" --max-time 5 http://172.16.0.31/ || echo $?)"
  gave_up=$(($(reason h HANDSHAKE_ABANDONED) + $(reason h HANDSHAKE_TIMEOUT)))
  expect_eq "$1: given up while it connects" 28 \
    "$(run_in client curl -s -o "$SANDBOX/body" --max-time 0.3 http://172.16.0.32/ || echo $?)"
  expect_eq "$1: and that was seen" $((gave_up + 1)) $(($(reason h HANDSHAKE_ABANDONED) + $(reason h HANDSHAKE_TIMEOUT)))
  serve client "$PEER" hold $VIP 80 30
  expect_ok "$1: one is open" wait_for 5 open_is 1
  expect_eq "$1: it has its place" 1 "$("$2")"
  stop "$SERVE_PID" KILL || true
  expect_ok "$1: and closed" wait_for 5 open_is 0
}

connections "with rows" taken
expect_eq "all rows are back" 0 "$(taken)"
expect_eq "nobody lacked one" 0 "$(stored)"

# mptcp WORD…: the socket beneath is the kernel's own, which nobody closes as an application does.
mptcp() { run_in client python3 "$(dirname "$0")/turns.py" mptcp "$@"; }
expect_eq "MPTCP: a request" "200 h1" "$(mptcp connect,$VIP,80 get,/)"
expect_ok "MPTCP: closed" wait_for 5 open_is 0
expect_eq "MPTCP: no row, and no storage" "0 0" "$(taken) $(stored)"
for _ in 1 2 3; do
  expect_eq "MPTCP: there is no way" EHOSTUNREACH "$(mptcp connect,172.16.0.33,80)"
done
expect_eq "MPTCP: still no row" 0 "$(taken)"

# Closed when the SYN is answered: which of the two is first on which processor, nobody knows.
cat >"$SANDBOX/leave.py" <<'END'
import socket, sys, time
for turn in range(120):
    sockets = [socket.socket() for _ in range(25)]
    for sock in sockets:
        sock.setblocking(False)
        sock.connect_ex((sys.argv[1], 80))
    time.sleep(turn % 30 / 2500)
    for sock in sockets:
        sock.close()
END
run_in client python3 "$SANDBOX/leave.py" 172.16.0.34
none_open() { [[ $(stat_of h 10.1.0.12 .open) == 0 ]]; }
expect_ok "closed meanwhile: nothing stays open" wait_for 5 none_open
expect_eq "closed meanwhile: each was a pick" 3000 "$(stat_of h 10.1.0.12 .connects)"
expect_eq "closed meanwhile: no row is left" 0 "$(taken)"

# No cookie is that large.
awk -v rows="$rows" -v count=16384 'BEGIN {
  for (i = 0; i < count; i++) {
    printf "map update pinned %s key %d %d 0 0 value 255 255 255 255 255 255 255 127", rows, i % 256, i / 256
    for (k = 8; k < 128; k++)
      printf " 0"
    print ""
  }
}' >"$SANDBOX/batch"
bpftool batch file "$SANDBOX/batch" >"$SANDBOX/batch.out"
expect_eq "every row is somebody's" 16384 "$(taken)"
connections "without" stored
expect_eq "all storages are gone" 0 "$(stored)"
fail h1
expect_ok "a bad answer" wait_for 5 bad_answer
expect_ok "is seen, and its endpoint ejected" wait_for 2 is_health h 10.0.0.11 EJECTED
expect_eq "traffic goes to the other region" "s1=20" "$(hits client $VIP 80 20)"
expect_eq "the rows are still whose they were" 16384 "$(taken)"
sandbox_end
