#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Clients that no socket hook sees reach a service through TC: TCP and UDP, IPv4 and IPv6, behind a packet filter that drops what
# it does not know, in every size, both ways, with fastForward and without.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/42-tc-traffic
two_regions
web h1 h2 s1
svc ack-hangzhou reviews "$VIP,$VIP6" 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12 fd00:a0::11 fd00:a0::12
svc ack-hangzhou own 172.16.0.21,fd00:172::21 80
eps ack-hangzhou own 10.0.0.11 fd00:a0::11
svc ack-hangzhou far 172.16.0.22,fd00:172::22 80
svc ack-shanghai far 172.16.0.22,fd00:172::22 80
eps ack-shanghai far 10.1.0.11 fd00:a1::11
TARGET_PORT=9081 svc ack-hangzhou files 172.16.0.23,fd00:172::23 80
TARGET_PORT=9081 eps ack-hangzhou files 10.0.0.11 fd00:a0::11
TARGET_PORT=9081 svc ack-hangzhou far-files 172.16.0.24,fd00:172::24 80
TARGET_PORT=9081 svc ack-shanghai far-files 172.16.0.24,fd00:172::24 80
TARGET_PORT=9081 eps ack-shanghai far-files 10.1.0.11 fd00:a1::11
for name in dns:25:10.0.0.11:ack-hangzhou far-dns:26:10.1.0.11:ack-shanghai; do
  IFS=: read -r name last ip of <<<"$name"
  ip6=fd00:a${ip:3:1}::11
  PORT_NAME=dns PROTOCOL=UDP svc ack-hangzhou "$name" "172.16.0.$last,fd00:172::$last" 53
  [[ $of == ack-hangzhou ]] || PORT_NAME=dns PROTOCOL=UDP svc "$of" "$name" "172.16.0.$last,fd00:172::$last" 53
  PORT_NAME=dns PROTOCOL=UDP TARGET_PORT=5353 eps "$of" "$name" "$ip" "$ip6"
done
serve h1 "$PEER" udp-mirror :: 5353
serve s1 "$PEER" udp-mirror :: 5353

# Files: nginx gives and takes them.
mkdir -p "$SANDBOX/files"
chmod 777 "$SANDBOX/files"
head -c 50000000 /dev/urandom >"$SANDBOX/files/large"
for pod in h1 s1; do
  cat >"$SANDBOX/web/$pod-files.conf" <<CONF
daemon off;
master_process off;
pid $SANDBOX/web/$pod-files.pid;
user root;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path $SANDBOX/web/$pod-files.body;
  proxy_temp_path $SANDBOX/web/$pod-files.proxy;
  fastcgi_temp_path $SANDBOX/web/$pod-files.fastcgi;
  uwsgi_temp_path $SANDBOX/web/$pod-files.uwsgi;
  scgi_temp_path $SANDBOX/web/$pod-files.scgi;
  server {
    listen 9081;
    listen [::]:9081;
    root $SANDBOX/files;
    client_max_body_size 0;
    dav_methods PUT;
  }
}
CONF
  serve "$pod" nginx -e stderr -c "$SANDBOX/web/$pod-files.conf"
done
wait_listen h1 9081
wait_listen s1 9081

# Only what is for a pod, and what answers it: a VIP that is not translated before the filter sees it does not get through.
nsenter --net=/run/netns/h nft -f - <<'NFT'
table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state invalid drop
    ct state established,related accept
    ip daddr { 10.0.0.0/15 } accept
    ip6 daddr { fd00:a0::/31 } accept
  }
}
NFT

transfers() { # transfers WHAT VIP: 50 MB down and up, compared byte for byte
  local url=$2

  [[ $url != *:* ]] || url="[$url]"
  rm -f "$SANDBOX/files/up" "$SANDBOX/down"
  expect_ok "$1: down" outside client curl -sf --max-time 60 -o "$SANDBOX/down" "http://$url/large"
  expect_ok "$1: what came is what was sent" cmp "$SANDBOX/files/large" "$SANDBOX/down"
  expect_ok "$1: up" outside client curl -sf --max-time 60 -T "$SANDBOX/files/large" "http://$url/up"
  expect_ok "$1: what came is what was sent" cmp "$SANDBOX/files/large" "$SANDBOX/files/up"
}

datagrams() { # datagrams WHAT VIP: of sizes below, at and far above the MTU
  local size

  for size in 1 1472 1473 4000 20000 60000; do
    expect_eq "$1: a datagram of $size bytes" same "$(outside client "$PEER" datagram $size "$2" 53)"
  done
}

traffic() { # traffic WHAT
  expect_eq "$1: IPv4" "h1=5 h2=5" "$(outside_hits client $VIP 80 10)"
  expect_eq "$1: IPv6" "h1=5 h2=5" "$(outside_hits client $VIP6 80 10)"
  expect_eq "$1: another node" "s1=5" "$(outside_hits client 172.16.0.22 80 5)"
  expect_eq "$1: another node, IPv6" "s1=5" "$(outside_hits client fd00:172::22 80 5)"
  expect_eq "$1: a pod that is its own endpoint" "h1=3" "$(outside_hits h1 172.16.0.21 80 3)"
  expect_eq "$1: a pod that is its own endpoint, IPv6" "h1=3" "$(outside_hits h1 fd00:172::21 80 3)"
  datagrams "$1, UDP" 172.16.0.25
  datagrams "$1, UDP, IPv6" fd00:172::25
  datagrams "$1, UDP, another node" 172.16.0.26
  datagrams "$1, UDP, IPv6, another node" fd00:172::26
}

agent_start h "kernel.interfaces: none"
expect_eq "without TC no answer comes" "" "$(outside client timeout 2 curl -s http://$VIP/ || true)"
agent_config h "kernel.interfaces: [veth*]" >"$SANDBOX/h.yaml"
agent_reload h
expect_ok "the pods' interfaces are served" wait_for 10 serves h 3
flows_before=$(flows h)
expect_eq "what socket hooks see" "h1=5 h2=5" "$(hits client $VIP 80 10)"
expect_eq "is not translated twice" "$flows_before" "$(flows h)"
traffic "through the stack"
transfers "through the stack" 172.16.0.23
transfers "through the stack, IPv6" fd00:172::23
transfers "another node" 172.16.0.24

# In the middle of the way the MTU is smaller: the sender hears it by ICMP, of the packet as it was translated.
ip -n h link set to-s mtu 1400
ip -n s link set to-h mtu 1400
errors=$(reason h ICMP_ERROR)
transfers "a smaller MTU on the way" 172.16.0.24
transfers "a smaller MTU on the way, IPv6" fd00:172::24
for vip in 172.16.0.26 fd00:172::26; do
  outside client "$PEER" datagram 1472 $vip 53 >"$SANDBOX/first" || true # which is told that it was too large
  datagrams "a smaller MTU on the way, UDP" $vip
done
expect_between "ICMP errors were translated" $((errors + 1)) 1000 "$(reason h ICMP_ERROR)"

nsenter --net=/run/netns/h nft delete table inet filter
agent_config h "kernel.interfaces: [veth*]" "kernel.fastForward: true" >"$SANDBOX/h.yaml"
agent_reload h
is_fast() { [[ $(bpftool -j map dump pinned "$(bpffs_of h)/mrd_config" | jq '.[0].formatted.value.fast_forward') == 1 ]]; }
wait_for 5 is_fast
handshakes=$(bpffs_of h)/mrd_handshake
for ((id = 0; id < 8; id++)); do
  bpftool map update pinned "$handshakes" key $id 0 0 0 value 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
done
expect_eq "past the stack: IPv4" "h1=1 h2=1" "$(outside_hits client $VIP 80 2)"
expect_between "how long a handshake takes is learned there, too" 1 100 \
  "$(map_dump h mrd_handshake | jq '[.[].value | select(.known_us > 0)] | length')"
traffic "past the stack"

# sent POD: packets that the host's end of its veth was given to send.
veth_of() { ip -n h -o route get "$1" | sed 's/.* dev \([^ ]*\) .*/\1/'; }
sent() { ip -n h -s -j link show "$(veth_of "$1")" | jq '.[0].stats64.tx.packets'; }
sent_before="$(sent 10.0.0.2) $(sent 10.0.0.11)"
transfers "past the stack" 172.16.0.23
read -r to_client to_server <<<"$sent_before"
expect_between "what goes straight into the client does not go by its interface" 0 50 $(($(sent 10.0.0.2) - to_client))
expect_between "nor what goes into the server" 0 50 $(($(sent 10.0.0.11) - to_server))
transfers "past the stack, IPv6" fd00:172::24

# A VLAN's tag leads to an interface of its own, which only the stack knows: such packets do not pass by it.
# raw_syn FAMILY PORT HOPS [TAG]: a SYN to the service as bytes on the client's wire.
raw_syn() {
  outside client python3 - "$(ip -n h -j link show "$veth" | jq -r '.[0].address')" "$@" <<'PY'
import socket, struct, sys
def total(data):
    words = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    words = (words & 0xFFFF) + (words >> 16)
    return ~(words + (words >> 16)) & 0xFFFF
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("eth0", 0))
is_ipv6, port, hops = sys.argv[2] == "6", int(sys.argv[3]), int(sys.argv[4])
kind, *addresses = (socket.AF_INET6, "fd00:a0::2", "fd00:172::21") if is_ipv6 else (socket.AF_INET, "10.0.0.2", "172.16.0.21")
ends = b"".join(socket.inet_pton(kind, address) for address in addresses)
def tcp(check):
    return struct.pack("!HHIIBBHHH", port, 80, 1, 0, 5 << 4, 2, 64240, check, 0)
def ipv4(check):
    return struct.pack("!HBBHHHBBH", 0x0800, 0x45, 0, 40, 1, 0x4000, hops, 6, check) + ends
ipv6 = struct.pack("!HIHBB", 0x86DD, 6 << 28, 20, 6, hops) + ends
tcp = tcp(total(ends + struct.pack("!HH", 6, 20) + tcp(0)))
tag = struct.pack("!HH", 0x8100, int(sys.argv[5])) if len(sys.argv) > 5 else b""
to = bytes.fromhex(sys.argv[1].replace(":", ""))
wire.send(to + wire.getsockname()[4] + tag + (ipv6 if is_ipv6 else ipv4(total(ipv4(0)[2:]))) + tcp)
PY
}
veth=$(veth_of 10.0.0.2)
cat >"$SANDBOX/listen.py" <<'PY'
import socket
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind(("eth0", 3))
print("listening", flush=True)
while True:
    frame = wire.recv(2048)
    hops, tcp = {b"\x08\x00": (22, 34), b"\x86\xdd": (21, 54)}.get(frame[12:14], (0, 0))
    if tcp and frame[tcp + 2 : tcp + 4] == b"\x23\x78":
        port = int.from_bytes(frame[tcp : tcp + 2], "big")
        print(port, flush=True)
        if frame[:6] == wire.getsockname()[4]:
            print("mine:", port, "hops left:", frame[hops], flush=True)
PY
serve h1 python3 "$SANDBOX/listen.py"
wait_for 5 grep -q listening "$SANDBOX/log/h1"
raw_syn 4 45001 64
raw_syn 4 45002 64 5
raw_syn 4 45003 1
raw_syn 6 45004 64
raw_syn 6 45005 1
raw_syn 4 45006 64
wait_for 5 grep -q 45006 "$SANDBOX/log/h1"
expect_eq "what arrived, of those with a tag, with hops to go and without" "45001 45004 45006" \
  "$(grep -E '^4500[1-6]$' "$SANDBOX/log/h1" | sort -u | paste -sd' ')"
expect_eq "as from a router" "mine: 45001 hops left: 63" "$(grep -m 1 '^mine: 45001' "$SANDBOX/log/h1")"
expect_eq "as from a router, IPv6" "mine: 45004 hops left: 63" "$(grep -m 1 '^mine: 45004' "$SANDBOX/log/h1")"
sandbox_end
