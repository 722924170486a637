#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# meridian.dev/on-eject: what becomes of a client's open connection when its endpoint is ejected, or terminates.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/52-on-eject
one_region
web h1 h2
for name in keep close reset; do
  case $name in keep) vip=172.16.0.31 ;; close) vip=172.16.0.32 ;; reset) vip=172.16.0.33 ;; esac
  svc ack-hangzhou $name "$vip,fd00:172::${vip##*.}" 80
  eps ack-hangzhou $name 10.0.0.11 10.0.0.12 fd00:a0::11 fd00:a0::12
  policy $name <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: $name, namespace: default, annotations: { meridian.dev/on-eject: $name } }
spec: { host: $name, trafficPolicy: { outlierDetection: { consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1m, maxEjectionPercent: 50 } } }
YAML
done
serve h1 "$PEER" udp-echo 10.0.0.11 5353 h1
PROTOCOL=UDP PORT_NAME=dns svc ack-hangzhou names 172.16.0.34 53
PROTOCOL=UDP PORT_NAME=dns TARGET_PORT=5353 eps ack-hangzhou names 10.0.0.11
policy names <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: names, namespace: default, annotations: { meridian.dev/on-eject: reset } }
spec: { host: names, trafficPolicy: { loadBalancer: {} } }
YAML
agent_start h

# A client that keeps its connection: a request for each line that it is told, and a line for each answer, or end.
cat >"$SANDBOX/client.sh" <<'END'
exec {fd}<>"/dev/tcp/$1/80"
while read -r path; do
  /usr/bin/printf 'GET %s HTTP/1.1\r\nHost: a\r\n\r\n' "$path" >&"$fd" || break
  size=0 close=kept
  read -r _ status _ <&"$fd" || break
  while read -r line <&"$fd" && [[ $line != $'\r' ]]; do
    [[ ${line,,} == content-length:* ]] && size=${line//[!0-9]/}
    [[ ${line,,} == connection:*close* ]] && close=closing
  done
  read -r -N "$size" body <&"$fd"
  echo "$status ${body%$'\n'} $close"
done 2>/dev/null
echo end
END
# talk_to VIP: starts one, on the pod that is then in $pod.
talk_to() {
  rm -f "$SANDBOX/in" "$SANDBOX/answers"
  mkfifo "$SANDBOX/in"
  exec 7<>"$SANDBOX/in"
  serve client bash -c "exec bash '$SANDBOX/client.sh' $1 <'$SANDBOX/in' >'$SANDBOX/answers' 7>&-"
  ask /
  wait_for 5 answered 1
  pod=$(awk 'NR == 1 { print $2 }' "$SANDBOX/answers")
}
ask() { echo "$1" >&7; }
answered() { (($(wc -l <"$SANDBOX/answers") >= $1)); }
answer() { sed -n "$1p" "$SANDBOX/answers"; }
ip_of() { echo "10.0.0.1${1#h}"; }
is_out() { [[ $(health h "$(ip_of "$pod")") == *EJECTED* ]]; }
reset_rows() { map_dump h mrd_connection | grep -c '"key"' || true; }

# ------------------------------------------------------------------------------ keep
talk_to 172.16.0.31
ask /broken
wait_for 5 answered 2
wait_for 5 is_out
for _ in 1 2 3; do ask /; done
expect_ok "keep: it is answered" wait_for 5 answered 5
expect_eq "by the same, on the same connection" "200 $pod kept" "$(answer 5)"
expect_eq "services that keep have no rows" 0 "$(reset_rows)"

# ------------------------------------------------------------------------------ close
counted=0
for vip in 172.16.0.32 fd00:172::32; do
  ejections=$(grep -c 'endpoint ejected' "$(agent_log_of h)" || true)
  talk_to $vip
  ask /
  wait_for 5 answered 2
  expect_eq "close, $vip: nothing is closed before" "200 $pod kept" "$(answer 2)"
  ask /broken
  wait_for 5 answered 3
  one_more() { (($(grep -c 'endpoint ejected' "$(agent_log_of h)") > ejections)); }
  wait_for 5 one_more
  ask /
  expect_ok "the next request" wait_for 5 answered 4
  expect_eq "is answered, and the last one" "200 $pod closing" "$(answer 4)"
  ask /
  expect_ok "then the connection ends" wait_for 5 answered 5
  expect_eq "properly" end "$(answer 5)"
  expect_eq "which is counted" $((++counted)) "$(reason h REQUEST_EJECTED)"
  closed() { [[ $(grep -c 'connections closed.*connections=1 ' "$(agent_log_of h)") == "$counted" ]]; }
  expect_ok "and logged" wait_for 5 closed
done

# ------------------------------------------------------------------------------ reset
for vip in 172.16.0.33 fd00:172::33; do
  ended=$(grep -c 'connections reset' "$(agent_log_of h)" || true)
  talk_to $vip
  expect_eq "reset: one row" 1 "$(reset_rows)"
  ask /broken
  wait_for 5 answered 2
  told() { (($(grep -c 'connections reset' "$(agent_log_of h)") > ended)); }
  expect_ok "the agent ends the connection" wait_for 5 told
  ask /
  expect_ok "the client sees it" wait_for 5 answered 3
  expect_eq "without an answer" end "$(answer 3)"
  expect_eq "no row is left" 0 "$(reset_rows)"
done
expect_match "and says how many" 'endpoints=1 connections=1 ' "$(grep 'connections reset' "$(agent_log_of h)" | head -n 1)"

# A connection to the pod itself is none of a service's.
serve client "$PEER" hold 10.0.0.11 9080 60
direct=$SERVE_PID
serve client "$PEER" hold 172.16.0.33 80 60
mine=$SERVE_PID
serve client "$PEER" udp-hold 172.16.0.34 53
datagrams=$SERVE_PID
two() { (($(reset_rows) == 2)); }
expect_ok "a connection and a connected UDP socket" wait_for 5 two
eps ack-hangzhou reset 10.0.0.11=draining 10.0.0.12=draining
PROTOCOL=UDP PORT_NAME=dns TARGET_PORT=5353 eps ack-hangzhou names
none() { (($(reset_rows) == 0)); }
expect_ok "endpoints that terminate, or go" wait_for 5 none
expect_ok "end the datagrams' socket" wait_gone "$datagrams" 5
expect_ok "leave a direct connection alone" kill -0 "$direct"
established() { run_in client ss -tnH state established | grep -c "10.0.0.1[12]:9080" || true; }
expect_eq "which is the one that is left" 1 "$(established)"
kill "$direct" "$mine"

# Those that no hook sees have rows of mrd_flow, which go; the forward one once its client has heard of it.
eps ack-hangzhou reset 10.0.0.11 10.0.0.12 fd00:a0::11 fd00:a0::12
back() { [[ $(hits client 172.16.0.33 80 2) == h*=* ]]; }
wait_for 10 back
wait_for 10 serves h 3
before=$(flows h)
flows_told() { grep 'connections reset' "$(agent_log_of h)" | grep -o 'flows=[0-9]*' | awk -F= '{ sum += $2 } END { print sum }'; }
told_before=$(flows_told)
for family in 4 6; do
  case $family in 4) vip=172.16.0.33 ;; 6) vip=fd00:172::33 ;; esac
  mkfifo "$SANDBOX/in$family"
  # shellcheck disable=SC2034 # it is open until the end
  exec {held}<>"$SANDBOX/in$family"
  outside client bash "$SANDBOX/client.sh" "$vip" <"$SANDBOX/in$family" >"$SANDBOX/answers$family" 2>>"$SANDBOX/log/outside" &
done
more() { (($(flows h) == before + 4)); }
expect_ok "two connections that no hook sees" wait_for 5 more
eps ack-hangzhou reset 10.0.0.11=draining 10.0.0.12=draining fd00:a0::11=draining fd00:a0::12=draining
fewer() { (($(flows h) == before + 2)); }
expect_ok "their answers' rows go" wait_for 5 fewer
both_told() { [[ $(flows_told) == $((told_before + 2)) ]]; }
expect_ok "which is said: two" wait_for 5 both_told
for family in 4 6; do
  echo / >"$SANDBOX/in$family"
  ended() { [[ $(cat "$SANDBOX/answers$family") == end ]]; }
  expect_ok "the client that sends something is told (IPv$family)" wait_for 5 ended
done
expect_between "by a reset" 2 4 "$(reason h FLOW_CUT)"

# ------------------------------------------------------------------------------ what was rescued
# Its first endpoint's failure ejects that one: the connection is another one's by then.
svc ack-hangzhou moved 172.16.0.35 80
eps ack-hangzhou moved 10.0.0.11 10.0.0.12
sed 's/reset, namespace/moved, namespace/; s/host: reset/host: moved/' "$SANDBOX/policy/reset.yaml" | policy moved
states() { ctl h -o json endpoints default/moved | jq -r '[.endpoints | sort_by(.address)[].state] | join(" ")'; }
are() { [[ $(states) == "$1" ]]; }
wait_for 10 are "ACTIVE ACTIVE"
blackhole h1
for _ in 1 2; do
  serve client "$PEER" hold 172.16.0.35 80 60
done
is_rescued() { (($(established) == 2)); }
expect_ok "one of two connections is rescued" wait_for 10 is_rescued
expect_ok "its first endpoint is ejected" wait_for 5 are "EJECTED ACTIVE"
unblackhole h1
rows_at() { # rows_at ENDPOINT-ADDRESS
  local ids

  ids=$(bpftool -j map dump pinned "$(bpffs_of h)/mrd_health" | jq -c --arg ip "$1" \
    '[.[].formatted | select((.value.addr[0:4] | map(tostring) | join(".")) == $ip) | .key]')
  bpftool -j map dump pinned "$(bpffs_of h)/mrd_connection" |
    jq --argjson ids "$ids" '[.[].formatted.key.endpoint_id | select(IN($ids[]))] | length'
}
expect_eq "the rows of both name the other one" "0 2" "$(rows_at 10.0.0.11) $(rows_at 10.0.0.12)"
expect_eq "both are there still" 2 "$(established)"
eps ack-hangzhou moved 10.0.0.11 10.0.0.12=draining
over() { (($(established) == 0)); }
expect_ok "and end with that" wait_for 10 over

# Many at once ask for a service of which one endpoint is silent. The first of them ejects it; those that are still
# connecting are rescued, not reset.
svc ack-hangzhou racing 172.16.0.37 80
eps ack-hangzhou racing 10.0.0.11 10.0.0.12
sed 's/reset, namespace/racing, namespace/; s/host: reset/host: racing/; s/: 1m/: 2s/' "$SANDBOX/policy/reset.yaml" | policy racing
both_serve() { [[ $(hits client 172.16.0.37 80 8) == "h1=4 h2=4" ]]; }
wait_for 10 both_serve
for how in run_in outside; do
  was=$(reason h RESCUE_TIMEOUT)
  blackhole h1
  "$how" client "$SANDBOX_OUT/bench/load" --go-on --rate=1000 "--requests=$SANDBOX/requests" --timeout=10000 \
    connect 1024 400 1 "vip=172.16.0.37:80" >/dev/null
  expect_eq "$how: all of them are answered" "ok=400" "$(jq -r '.[5]' "$SANDBOX/requests" | tally)"
  expect_between "$how: some had to be rescued" 5 200 $(($(reason h RESCUE_TIMEOUT) - was))
  unblackhole h1
  wait_for 15 both_serve
done

# ------------------------------------------------------------------------------ just before the agent ends
svc ack-hangzhou late 172.16.0.36 80
eps ack-hangzhou late 10.0.0.11
sed 's/close, namespace/late, namespace/; s/host: close/host: late/' "$SANDBOX/policy/close.yaml" | policy late
asks_for_it() { ctl h services default/late -o yaml | grep -q 'on-eject: close'; }
wait_for 5 asks_for_it
talk_to 172.16.0.36
eps ack-hangzhou late 10.0.0.11=draining
draining() { [[ $(ctl h endpoints default/late) == *DRAINING* ]]; }
wait_for 5 draining
ask /
expect_ok "one more is closed" wait_for 5 answered 2
agent_stop h
expect_eq "and logged" $((counted + 1)) "$(sed -n 's/.*connections closed.* connections=\([0-9]*\) .*/\1/p' "$(agent_log_of h)" |
  awk '{ sum += $1 } END { print sum }')"
sandbox_end
