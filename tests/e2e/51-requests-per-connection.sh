#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# http.maxRequestsPerConnection: the server sees so many requests on a connection, and every byte of the application.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/51-requests-per-connection
one_region
log=$SANDBOX/requests store=$SANDBOX/store conf=$SANDBOX/nginx.conf
mkdir -p "$store" "$SANDBOX/temp"
cat >"$conf" <<CONF
daemon off;
master_process off;
user root;
pid $SANDBOX/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  log_format seen '\$connection \$connection_requests \$request_method \$uri \$status';
  access_log $log seen;
  client_body_temp_path $SANDBOX/temp/body;
  proxy_temp_path $SANDBOX/temp/proxy;
  fastcgi_temp_path $SANDBOX/temp/fastcgi;
  uwsgi_temp_path $SANDBOX/temp/uwsgi;
  scgi_temp_path $SANDBOX/temp/scgi;
  client_max_body_size 8m;
  server {
    listen 9080;
    listen [::]:9080;
    root $store;
    location / { dav_methods PUT; create_full_put_path on; }
    location = /hello { return 200 "hello\n"; }
  }
}
CONF
serve h1 nginx -e stderr -c "$conf"
wait_listen h1 9080
svc ack-hangzhou reviews $VIP,$VIP6 80
eps ack-hangzhou reviews 10.0.0.11 fd00:a0::11
svc ack-hangzhou plain 172.16.0.21 80
eps ack-hangzhou plain 10.0.0.11

# most N: the rule of reviews.
most() {
  policy reviews <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec: { host: reviews, trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: $1 } } } }
YAML
}
is_most() { [[ $(map_dump h mrd_setting | grep -c "\"max_requests\": $1,") == 2 ]]; }

# carried: how many requests each connection of the log carried, in order; the log begins anew.
carried() {
  awk '{ n[$1]++; if (!($1 in at)) at[$1] = NR } END { for (c in n) print at[c], n[c] }' "$log" | sort -n |
    awk '{ printf "%s%s", sep, $2; sep = " " } END { print "" }'
  : >"$log"
}
# gets COUNT ADDRESS: so many requests by one curl.
gets() {
  local urls=() i

  for ((i = 0; i < $1; i++)); do urls+=("http://$2/hello"); done
  run_in client curl -s "${urls[@]}" | sort | uniq -c | sed 's/^ *//'
}

most 1
agent_start h

expect_eq "all are answered" "6 hello" "$(gets 6 $VIP)"
expect_eq "on a connection each" "1 1 1 1 1 1" "$(carried)"
expect_eq "IPv6" "3 hello" "$(gets 3 "[$VIP6]")"
expect_eq "as well" "1 1 1" "$(carried)"
expect_eq "each is counted" 9 "$(reason h REQUEST_LAST)"
expect_eq "a service that does not ask" "6 hello" "$(gets 6 172.16.0.21)"
expect_eq "keeps its connection" 6 "$(carried)"

most 3
wait_for 5 is_most 3
expect_eq "all are answered" "8 hello" "$(gets 8 $VIP)"
expect_eq "three on a connection" "3 3 2" "$(carried)"
expect_eq "keep-alive that the client asks for" "4 hello" \
  "$(run_in client curl -s -H 'Connection: keep-alive' http://$VIP/hello http://$VIP/hello http://$VIP/hello http://$VIP/hello |
    sort | uniq -c | sed 's/^ *//')"
expect_eq "is overruled in time" "3 1" "$(carried)"
expect_eq "HTTP/1.0" "4 hello" \
  "$(run_in client curl -s -0 -H 'Connection: keep-alive' http://$VIP/hello http://$VIP/hello http://$VIP/hello http://$VIP/hello |
    sort | uniq -c | sed 's/^ *//')"
expect_eq "as well" "3 1" "$(carried)"

# ------------------------------------------------------------------------------ bodies
decoy=$SANDBOX/decoy large=$SANDBOX/large
for ((i = 0; i < 40; i++)); do printf 'GET /hello HTTP/1.1\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n'; done >"$decoy"
{ head -c 500000 /dev/urandom && cat "$decoy" && head -c 560000 /dev/urandom; } >"$large"

# puts NAME FILE CURL-OPTION…: four uploads by one curl; each must arrive as it is.
puts() {
  local name=$1 file=$2 i args=() differ=0

  shift 2
  for ((i = 0; i < 4; i++)); do args+=(--next -s -o "$SANDBOX/body" "$@" -T "$file" "http://$VIP/$name-$i"); done
  run_in client curl "${args[@]:1}" || differ=$?
  for ((i = 0; i < 4; i++)); do cmp "$file" "$store/$name-$i" || differ=1; done
  echo "$differ: $(carried)"
}
expect_eq "decoys in bodies" "0: 3 1" "$(puts decoy "$decoy" -H Expect:)"
expect_eq "decoys in chunks" "0: 3 1" "$(puts chunks "$decoy" -H Expect: -H 'Transfer-Encoding: chunked')"
expect_eq "1 MB" "0: 3 1" "$(puts large "$large" -H Expect:)"
expect_eq "1 MB in chunks" "0: 3 1" "$(puts largechunks "$large" -H Expect: -H 'Transfer-Encoding: chunked')"
expect_eq "1 MB once it is welcome" "0: 3 1" "$(puts expect "$large" -H 'Expect: 100-continue')"

# ------------------------------------------------------------------------------ pieces
# talk PRINTF-ARGUMENT…: sends each as a message of its own, and prints the status lines and Connection headers.
cat >"$SANDBOX/talk.sh" <<'END'
exec {fd}<>"/dev/tcp/$1/80"
shift
for piece; do
  /usr/bin/printf "$piece" >&"$fd"
  sleep 0.02
done
timeout 5 tr -d '\r' <&"$fd" | grep -aoE '^HTTP/1.1 [0-9]+|^Connection: .*|hello$' | paste -sd, || true
END
talk() { run_in client bash "$SANDBOX/talk.sh" $VIP "$@"; }
get='GET /hello HTTP/1.1\r\nHost: a\r\n\r\n'
one='HTTP/1.1 200,Connection: keep-alive,hello' last='HTTP/1.1 200,Connection: close,hello'
expect_eq "three in one go" "$one,$one,$last" "$(talk "$get$get$get")"
carried >/dev/null
expect_eq "and one too many, which the client repeats elsewhere" "$one,$one,$last" "$(talk "$get$get$get$get")"
carried >/dev/null
expect_eq "cut in the empty line" "$one,$one,$last" \
  "$(talk "$get" "$get" 'GET /hello HTTP/1.1\r\nHost: a\r\n' '\r' '\n')"
carried >/dev/null
expect_eq "cut everywhere" "$one,$one,$last" \
  "$(talk "$get" "$get" GE T ' ' '/hello HT' 'TP/1.1\r' '\nHo' 'st: a\r\nConnection: keep-' 'alive\r\n\r' '\n')"
carried >/dev/null
expect_eq "one piece each" "$one,$one,$last" "$(talk "$get" "$get" "$get")"
carried >/dev/null

# ------------------------------------------------------------------------------ many chunks in one write
# chunks COUNT SIZE: three uploads, each one write of so many chunks; how each is answered.
cat >"$SANDBOX/chunks.py" <<'END'
import http.client, socket, sys
address, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
body = b"%x\r\n%s\r\n" % (size, b"x" * size) * count + b"0\r\n\r\n"
peer = socket.create_connection((address, 80))
for i in range(3):
    peer.sendall(b"PUT /many-%d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" % i + body)
    answer = http.client.HTTPResponse(peer, method="PUT")
    answer.begin()
    answer.read()
    print(answer.getheader("Connection"), end=" ", flush=True)
END
chunks() { run_in client python3 "$SANDBOX/chunks.py" $VIP "$@"; }
expect_eq "1 MB in chunks of 1 KB" "keep-alive keep-alive close " "$(chunks 1024 1024)"
expect_eq "1000 chunks of 16 bytes" "keep-alive keep-alive close " "$(chunks 1000 16)"
before=$(reason h REQUEST_UNSURE)
expect_eq "1100 are too many" "keep-alive keep-alive keep-alive " "$(chunks 1100 16)"
expect_eq "and counted" $((before + 1)) "$(reason h REQUEST_UNSURE)"
carried >/dev/null

# ------------------------------------------------------------------------------ ways to receive
cat >"$SANDBOX/ways.py" <<'END'
import select, socket, struct, sys
GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
def client():
    return socket.create_connection((sys.argv[1], 80))
def blocking():
    peer, ends = client(), 0
    for _ in range(3):
        peer.sendall(GET)
        ends += peer.recv(4096).endswith(b"hello\n")
    return ends, peer.recv(4096)
def timed():
    peer = client()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 100000))
    try:
        return peer.recv(4096)
    except BlockingIOError:
        pass
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 5, 0))
    peer.sendall(GET)
    return "EAGAIN", peer.recv(4096).endswith(b"hello\n")
def polled():
    peer, seen = client(), b""
    peer.setblocking(False)
    peer.sendall(GET * 3)
    while True:
        select.select([peer], [], [])
        try:
            piece = peer.recv(4096)
        except BlockingIOError:
            continue
        if not piece:
            return seen.count(b"hello\n")
        seen += piece
def halved():
    peer = client()
    peer.sendall(GET)
    peer.shutdown(socket.SHUT_WR)
    while True:
        try:
            return peer.recv(4096).endswith(b"hello\n")
        except BlockingIOError:
            select.select([peer], [], [])
print(globals()[sys.argv[2]]())
END
ways() { run_in client python3 "$SANDBOX/ways.py" $VIP "$1"; }
expect_eq "a blocking client has its answers, and the end" "(3, b'')" "$(ways blocking)"
expect_eq "one with a time to wait has both" "('EAGAIN', True)" "$(ways timed)"
expect_eq "one that has said its last has its answer, at once or after EAGAIN" True "$(ways halved)"
expect_eq "one that polls has all, and the end" 3 "$(ways polled)"
carried >/dev/null

# ------------------------------------------------------------------------------ what is no HTTP
before=$(reason h REQUEST_UNSURE)
run_in client bash "$SANDBOX/talk.sh" $VIP '\x16\x03\x01 GET / HTTP/1.1\r\n\r\n' >"$SANDBOX/out"
expect_eq "is counted, and left alone" $((before + 1)) "$(reason h REQUEST_UNSURE)"

agent_kill h
expect_eq "without an agent" "6 hello" "$(gets 6 $VIP)"
carried >"$SANDBOX/carried"
expect_match "the limit holds" '(^| )3 3$' "$(cat "$SANDBOX/carried")"
sandbox_end
