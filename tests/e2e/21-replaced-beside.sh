#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Other map sizes or another ABI version: the new set is built beside the old, no request is lost. With other sizes conversations
# keep their endpoints.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/21-replaced-beside
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
svc ack-hangzhou counted 172.16.0.23 80 # nobody else asks for it
eps ack-hangzhou counted 10.0.0.11 10.0.0.12
for pod in h1:10.0.0.11 h2:10.0.0.12; do
  serve "${pod%:*}" "$PEER" udp-echo "${pod#*:}" 5353 "${pod%:*}"
done
PORT_NAME=dns PROTOCOL=UDP svc ack-hangzhou dns 172.16.0.21 53
PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353 eps ack-hangzhou dns 10.0.0.11 10.0.0.12
agent_start h
# Two conversations, which go on in the other order.
for i in 1 2; do
  run_in client "$PEER" udp-ask unconnected 2 172.16.0.21 53 0 "$SANDBOX/go-on-$i" >"$SANDBOX/asked-$i" &
  asks[i]=$!
  wait_for 5 test -s "$SANDBOX/asked-$i"
done
(run_in client "$PEER" get $VIP 80 100 50 >"$SANDBOX/polled") &
poll=$!
agent_kill h
agent_start h "kernel.limits: { members: 1000 }"
expect_match "said" 'replac' "$(cat "$(agent_log_of h)")"
expect_match "the new size" 'max_entries 1000' "$(bpftool map show pinned "$(bpffs_of h)/mrd_member")"
for i in 2 1; do
  touch "$SANDBOX/go-on-$i"
  wait "${asks[i]}"
  expect_eq "conversation $i keeps its endpoint" 1 "$(sort -u "$SANDBOX/asked-$i" | wc -l)"
  expect_eq "and is answered by the service" 2 "$(grep -c "from 172.16.0.21 53\$" "$SANDBOX/asked-$i")"
done
expect_eq "each has one of its own" 2 "$(cat "$SANDBOX"/asked-? | sort -u | wc -l)"

# Too small for what is served: the agent says so and ends, and the maps and hooks go on that are there.
svc ack-hangzhou second 172.16.0.22 80
eps ack-hangzhou second 10.0.0.11
expect_ok "a second service" wait_for 5 sees "h1=2" client 172.16.0.22 80 2
agent_kill h
agent_launch h "kernel.limits: { services: 2 }"
expect_ok "maps that are too small take nobody's place" \
  wait_for 30 agent_said h 'maps not replaced.*is full .kernel.limits.services.*the agent does not start'
expect_ok "the agent ends" wait_for 30 bash -c "! kill -0 ${AGENT_PID[h]} 2>/dev/null"
expect_eq "what was served still is" "h1=2" "$(hits client 172.16.0.22 80 2)"
expect_eq "by the maps that were there" "h1=2 h2=2" "$(hits client 172.16.0.23 80 4)"
expect_eq "nothing is left of the new set" "" "$(find "$(bpffs_of h)" -mindepth 1 -type d)"
agent_start h "kernel.limits: { members: 1000 }"
rm "$SANDBOX"/state/ack-hangzhou/*-default-second*

# The version of another build: what is pinned is not understood, so it is replaced too.
agent_kill h
bpftool map update pinned "$(bpffs_of h)/mrd_config" key 0 0 0 0 value 99 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
expect_match "meridianctl does not misread it" 'version|ABI' "$(ctl h services 2>&1 || true)"
expect_match "and says so in a document" 'ABI version' \
  "$({ ctl h -o json status 2>/dev/null || true; } | jq -r .error)"
agent_start h "kernel.limits: { members: 1000 }"
expect_match "said" 'replac' "$(cat "$(agent_log_of h)")"
wait "$poll"
expect_eq "every request was answered" 100 "$(grep -c '^h[12]$' "$SANDBOX/polled")"
expect_eq "one set of links" 1 "$(bpftool -j cgroup show "$SANDBOX_CGROUP/h" | jq '[.[] | select(.attach_type == "cgroup_inet4_connect" or .attach_type == "connect4")] | length')"
expect_eq "nothing of the old set is left" "" "$(find "$(bpffs_of h)" -mindepth 1 -type d)"

# Another size of a map that has no part in them: open connections stay known.
agent_stop h
ctl h detach >"$SANDBOX/detached"
rm "$SANDBOX"/state/ack-hangzhou/*-default-{dns,counted}* # the same addresses
failover_policy reviews "{ consecutive5xxErrors: 1, interval: 200ms, baseEjectionTime: 1m }"
agent_start h
serve client python3 "$(dirname "$0")/turns.py" tcp connect,$VIP,80 get,/ wait,"$SANDBOX/swapped" peer get,/broken wait,"$SANDBOX/seen"
holder=$SERVE_PID
wait_for 5 grep -q "200 h" "$SANDBOX/log/client"
first=$(sed -n 's/^200 //p' "$SANDBOX/log/client")
address=10.0.0.1${first#h}
before=$(stat_of h "$address" .connects)
agent_stop h
agent_start h "kernel.limits: { affinity: 1000 }"
expect_ok "said, and that they stay known" agent_said h 'maps replaced.*of sockets.*stay known'
expect_eq "still open" 1 "$(stat_of h "$address" .open)"
expect_eq "and counted" "$before" "$(stat_of h "$address" .connects)"
touch "$SANDBOX/swapped"
wait_for 5 grep -q "503 $first" "$SANDBOX/log/client"
expect_match "its peer is still the VIP" "$VIP 80" "$(cat "$SANDBOX/log/client")"
expect_ok "an error on it ejects" wait_for 2 is_health h "$address" EJECTED
touch "$SANDBOX/seen"
wait "$holder" || true
expect_eq "closed: not open any more" 0 "$(stat_of h "$address" .open)"
rm "$SANDBOX/swapped" "$SANDBOX/seen"

# Another size of those in which they are counted: they go on, unknown, and leave no counter that they are not in.
: >"$SANDBOX/log/client"
serve client python3 "$(dirname "$0")/turns.py" tcp connect,$VIP,80 get,/ wait,"$SANDBOX/swapped" get,/
holder=$SERVE_PID
wait_for 5 grep -q "200 h" "$SANDBOX/log/client"
agent_stop h
agent_start h "kernel.limits: { affinity: 1000, members: 1000 }"
expect_ok "said, and that they are forgotten" agent_said h 'maps replaced.*forgotten'
touch "$SANDBOX/swapped"
wait "$holder" || true
expect_eq "the connection went on" 2 "$(grep -c "^200 h" "$SANDBOX/log/client")"
expect_eq "no counter below nothing" 0 "$(($(stat_of h 10.0.0.11 .open) + $(stat_of h 10.0.0.12 .open)))"
rm "$SANDBOX/swapped"

# A set that is not whole does not say whose its numbers are: nothing of it is taken for another's.
agent_stop h
ctl h detach >"$SANDBOX/detached"
eps ack-hangzhou reviews 10.0.0.12
agent_start h
: >"$SANDBOX/log/client"
serve client python3 "$(dirname "$0")/turns.py" tcp connect,$VIP,80 get,/ wait,"$SANDBOX/swapped" get,/broken
holder=$SERVE_PID
wait_for 5 grep -q "200 h2" "$SANDBOX/log/client"
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
wait_for 5 is_health h 10.0.0.11 ACTIVE
agent_stop h
rm "$(bpffs_of h)/mrd_cidr"
agent_start h
expect_ok "said, and that they are forgotten" agent_said h 'maps replaced.*forgotten'
touch "$SANDBOX/swapped"
wait "$holder" || true
expect_match "an error of one that is forgotten" "503 h2" "$(cat "$SANDBOX/log/client")"
sleep 1 # five sweeps
expect_eq "ejects nobody" "ACTIVE ACTIVE" "$(health h 10.0.0.11) $(health h 10.0.0.12)"
expect_eq "and no counter is below nothing" 0 "$(($(stat_of h 10.0.0.11 .open) + $(stat_of h 10.0.0.12 .open)))"
sandbox_end
