#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A connection of TC outlives the agent and a change of plan, as those of socket hooks do; its rows go when it is over, and when its
# pod is deleted; a full map refuses new ones and leaves the others alone; clients of the host's own are served at an uplink.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/43-tc-flows
cluster ack-hangzhou cn-hangzhou
cluster ack-shanghai cn-shanghai
node h cluster=ack-hangzhou region=cn-hangzhou 10.0.0.0/16 fd00:a0::/32
node s cluster=ack-shanghai region=cn-shanghai 10.1.0.0/16 fd00:a1::/32
link h s 1 # by a TAP device, which is no veth
pod h client 10.0.0.2,fd00:a0::2
pod h h1 10.0.0.11,fd00:a0::11
pod h h2 10.0.0.12,fd00:a0::12
pod s s1 10.1.0.11,fd00:a1::11
web h1 h2 s1
svc ack-hangzhou reviews "$VIP,$VIP6" 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12 fd00:a0::11 fd00:a0::12
PORT_NAME=dns PROTOCOL=UDP svc ack-hangzhou dns 172.16.0.25,fd00:172::25 53
PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353 eps ack-hangzhou dns 10.0.0.11 fd00:a0::11
serve h1 "$PEER" udp-mirror :: 5353
svc ack-hangzhou far 172.16.0.22 80
svc ack-shanghai far 172.16.0.22 80
eps ack-shanghai far 10.1.0.11
head -c 8000000 /dev/urandom >"$SANDBOX/large"
chmod 755 "$SANDBOX"
cat >"$SANDBOX/web/files.conf" <<CONF
daemon off;
master_process off;
pid $SANDBOX/web/files.pid;
user root;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  server { listen 9081; listen [::]:9081; root $SANDBOX; limit_rate \$arg_rate; }
}
CONF
serve h1 nginx -e stderr -c "$SANDBOX/web/files.conf"
wait_listen h1 9081
TARGET_PORT=9081 svc ack-hangzhou files 172.16.0.23,fd00:172::23 80
TARGET_PORT=9081 eps ack-hangzhou files 10.0.0.11 fd00:a0::11

# background NAME POD COMMAND…: outside, in the background; its pid: $SERVE_PID, what it says: $SANDBOX/log/NAME
background() {
  local name=$1 pod=$2

  shift 2
  mkdir -p "$SANDBOX_CGROUP/outside"
  sandbox_spawn "$SANDBOX_CGROUP/outside" "$SANDBOX/log/$name" nsenter --net="/run/netns/$pod" -- "$@"
}
# download NAME ADDRESS: what slow downloads run. The server holds the rate: curl's own limit may end in a fraction of the time.
download() { echo curl -sSf --max-time 60 -o "$SANDBOX/$1" "http://$2/large?rate=${RATE:-2m}"; }
slow_download() { # slow_download NAME [ADDRESS]: about four seconds
  # shellcheck disable=SC2046 # words
  background "$1" client $(download "$1" "${2:-172.16.0.23}")
  wait_for 5 test -s "$SANDBOX/$1"
}
hooked_download() { # hooked_download NAME ADDRESS: the same, seen by socket hooks
  # shellcheck disable=SC2046 # words
  serve client $(download "$1" "$2")
  wait_for 5 test -s "$SANDBOX/$1"
}
# unsettled NODE: places of which the kernel believes that there are flows.
unsettled() {
  diff <(map_dump "$1" mrd_opened | jq -c '.[].formatted // .[]') <(map_dump "$1" mrd_settled | jq -c '.[].formatted // .[]') | grep -c '^<' || true
}
is_settled() { [[ $(unsettled h) == 0 ]]; }
is_flows() { (($(flows h) == $1)); }
held() { grep -q held "$SANDBOX/log/$1"; }

agent_start h "kernel.interfaces: ['veth*', to-s]"
expect_ok "the pods' interfaces and the uplink are served" wait_for 10 serves h 4
expect_match "the uplink as one" 'to-s=uplink' "$(served_interfaces h)"

# The node's own processes, at the uplink.
ip -n h route add 172.16.0.22 via 192.168.0.2 dev to-s onlink
expect_eq "a client of the host" "s1=3" "$(outside_hits h 172.16.0.22 80 3)"

# One port, first through TC and then straight to the endpoint that it was given.
cat >"$SANDBOX/from_port.py" <<'PY'
import socket, sys
client = socket.socket()
client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
client.settimeout(10)
client.bind(("", 41000))
client.connect((sys.argv[1], int(sys.argv[2])))
client.sendall(b"GET / HTTP/1.1\r\nHost: reviews\r\n\r\n")
print(client.recv(4096).decode().split()[-1])
PY
from_port() { outside client python3 "$SANDBOX/from_port.py" "$@" 2>&1; }
given=$(from_port $VIP 80)
expect_match "a port by TC" '^h[12]$' "$given"
expect_eq "the same port to that endpoint" "$given" "$(from_port "10.0.0.1${given#h}" 9080)"
expect_eq "and nobody is blamed" "0 0" "$(stat_of h 10.0.0.11 .failed) $(stat_of h 10.0.0.12 .failed)"

declare -A downloads
downloads_begin() { # downloads_begin NAME: by TC and seen by hooks, of both families
  local address

  downloads=()
  for address in 172.16.0.23 '[fd00:172::23]'; do
    slow_download "$1-$address" "$address"
    downloads["$1-$address"]=$SERVE_PID
    hooked_download "$1-hooks-$address" "$address"
    downloads["$1-hooks-$address"]=$SERVE_PID
  done
}
downloads_end() { # downloads_end WHAT
  local name

  for name in "${!downloads[@]}"; do
    expect_ok "$1: $name" wait "${downloads[$name]}"
    expect_ok "byte for byte" cmp "$SANDBOX/large" "$SANDBOX/$name"
  done
}
downloads_begin killed
agent_kill h
expect_eq "new connections without an agent" "h1=2 h2=2" "$(outside_hits client $VIP 80 4)"
expect_eq "IPv6, too" "h1=2 h2=2" "$(outside_hits client $VIP6 80 4)"
agent_start h "kernel.interfaces: ['veth*', to-s]"
wait_for 10 serves h 4
downloads_end "a connection outlives the agent"

RATE=700k downloads_begin resized
agent_kill h
agent_start h "kernel.interfaces: ['veth*', to-s]" "kernel.limits: { members: 1000 }"
wait_for 10 serves h 4
expect_eq "maps of another size" replaced "$(ctl h -o json status | jq -r .agent.adoption)"
downloads_end "a connection outlives the maps of the plan"

downloads_begin replanned
TARGET_PORT=9081 eps ack-hangzhou files 10.0.0.12 fd00:a0::12
replanned() { [[ $(ctl h -o json endpoints default/files | jq -c '[.endpoints[].address | contains("12:9081") or contains("::12]")]') == "[true,true]" ]]; }
expect_ok "the plan changes" wait_for 10 replanned
downloads_end "a connection keeps its endpoint"
TARGET_PORT=9081 eps ack-hangzhou files 10.0.0.11 fd00:a0::11
background open client "$PEER" hold $VIP 80 60
wait_for 5 held open
expect_between "where flows began they are looked for" 1 9 "$(unsettled h)"
kill "$SERVE_PID"
expect_ok "what is over leaves no rows" wait_for 60 is_flows 0
expect_ok "and none is looked for any more" wait_for 20 is_settled

# Pods that are deleted in the middle: the client, then an endpoint.
pod h brief 10.0.0.3,fd00:a0::3
wait_for 10 serves h 5
for name in brief:$VIP brief6:$VIP6; do
  background "${name%%:*}" brief "$PEER" hold "${name#*:}" 80 60
  wait_for 5 held "${name%%:*}"
done
expect_eq "a connection has two rows" 4 "$(flows h)"
ip -n h link delete "veth$((SANDBOX_VETHS - 1))"
expect_ok "which go with its pod" wait_for 10 is_flows 0
slow_download other
download=$SERVE_PID
eps ack-hangzhou reviews 10.0.0.11 fd00:a0::11
ip -n h link delete veth2
expect_ok "without the other endpoint" wait_for 10 outside_sees "h1=4" client $VIP 80 4
expect_ok "IPv6, too" wait_for 10 outside_sees "h1=4" client $VIP6 80 4
expect_ok "connections to others go on" wait "$download"
agent_stop h

# Room for four connections.
ctl h detach >/dev/null 2>&1
agent_start h "kernel.interfaces: ['veth*', to-s]" "kernel.limits: { flows: 8 }"
wait_for 10 serves h 3
RATE=700k slow_download full # a busy machine takes its time before the next line
download=$SERVE_PID
kill -STOP "$download" # whatever is done meanwhile, it stays
for hold in 1:$VIP 2:$VIP 3:$VIP6; do
  background "hold${hold%%:*}" client "$PEER" hold "${hold#*:}" 80 60
  wait_for 5 held "hold${hold%%:*}"
done
expect_eq "the map is full" 8 "$(flows h)"
for address in $VIP $VIP6; do
  expect_match "one more is refused at once, to $address" '^ECONNREFUSED' "$(outside client "$PEER" connect "$address" 80 || true)"
  expect_eq "socket hooks need no row, to $address" "h1=3" "$(hits client "$address" 80 3)"
done
for address in 172.16.0.25 fd00:172::25; do
  expect_eq "so is a datagram, to $address" ECONNREFUSED "$(outside client "$PEER" datagram 10 "$address" 53 || true)"
done
expect_between "by a counter of that name" 4 20 "$(reason h REFUSE_FLOWS)"
kill -CONT "$download"
expect_ok "who is there goes on" wait "$download"
expect_ok "byte for byte" cmp "$SANDBOX/large" "$SANDBOX/full"
expect_ok "room comes back" wait_for 60 outside_sees "h1=1" client $VIP 80 1
sandbox_end
