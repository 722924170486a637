#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# An endpoint that was given up answers after all: the connection goes on with the other one as if nothing had come.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/66-late-answers
# A round trip is longer than the second for which a client waits before it sends its SYN again.
REGION_DELAY=650 two_regions
web h1 s1
svc ack-hangzhou reviews "$VIP,$VIP6" 80
eps ack-hangzhou reviews 10.0.0.11 fd00:a0::11
eps ack-shanghai reviews 10.1.0.11 fd00:a1::11
policy reviews <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
  namespace: default
  annotations: { meridian.dev/fallback: next-region, meridian.dev/syn-timeout: 200ms }
spec:
  host: reviews
  trafficPolicy:
    loadBalancer:
      localityLbSetting: { distribute: [{ from: cn-hangzhou, to: { cn-shanghai: 100 } }] }
YAML
agent_start h
wait_for 5 serves h 3

# Two requests on one connection, the second when the late answer has been here; who answered, and the peer's address.
cat >"$SANDBOX/twice.py" <<'END'
import http.client, sys, time
c = http.client.HTTPConnection(sys.argv[1], 80, timeout=10)
begin = time.monotonic()
c.connect()
sock = c.sock
words = []
for pause in (0, 1.8):
    time.sleep(max(0, begin + pause - time.monotonic()))
    c.request("GET", "/")
    words.append(c.getresponse().read().decode().strip())
print(*words, c.sock is sock, sock.getpeername()[0])
END

# Nodes know each other's links by then, which takes a round trip.
for pod in 10.1.0.11 fd00:a1::11; do
  expect_ok "the way to $pod" run_in client ping -q -c 1 -W 5 $pod
done
twice() { "$1" client python3 "$SANDBOX/twice.py" "$2"; }
late=0
for address in $VIP $VIP6; do
  expect_eq "$address: the other endpoint stays, and the connection, and whom it is with" "h1 h1 True $address" "$(twice run_in "$address")"
  expect_between "$address: the first one's answer came late, once or again" $((late + 1)) $((late + 4)) "$(reason h LATE_ANSWER)"
  late=$(reason h LATE_ANSWER)
done
# To a client that no hook sees the late answer is one of nobody's: it says so, which ends what the first one had begun.
ended() { run_in s1 nstat -asz TcpAttemptFails | awk '/Attempt/ { print $2 }'; }
for address in $VIP $VIP6; do
  was=$(ended)
  expect_eq "$address, by TC alone: the same" "h1 h1 True $address" "$(twice outside "$address")"
  one_ended() { (($(ended) > was)); }
  expect_ok "$address, by TC alone: the first one has given up" wait_for 5 one_ended
done
expect_eq "each was moved" 4 "$(reason h RESCUE_TIMEOUT)"
expect_eq "the first endpoint has no connection" "0 0" "$(stat_of h 10.1.0.11 .open) $(stat_of h 10.1.0.11 .established)"

# Where the other endpoint does not answer either, late is better than never.
blackhole h1
for address in $VIP6 $VIP; do
  expect_eq "$address: the first endpoint has answered, and has the connection" "s1 s1 True $address" "$(twice run_in "$address")"
done
expect_eq "they were moved, too" 6 "$(reason h RESCUE_TIMEOUT)"
own() { [[ $(stat_of h 10.1.0.11 ' | "\(.established) \(.responses[1]) \(.open)"') == "1 2 0" ]]; }
expect_ok "the connection and its responses are counted as its own" wait_for 5 own
sandbox_end
