#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Rows of mrd_socket go back when their sockets close, however these ended; and where its row is another socket's a
# connection has a storage, and lacks nothing.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/33-sockets-without-a-row
two_regions
web h1 s1
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
