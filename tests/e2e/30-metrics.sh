#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# /metrics counts what happens and never falls, /healthz and /readyz answer, and no client holds the agent.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# page PATH [CURL-OPTION…]: of node h, on its own loopback.
page() {
  local path=$1

  shift
  run_in h curl -sS --max-time 5 "$@" "http://${AT:-127.0.0.1:9464}$path"
}

# code PATH [CURL-OPTION…]: the status alone.
code() { page "$@" -o /dev/null -w '%{http_code}'; }

# metric NAME [LABEL=VALUE…]: the sum of all series of that name that have these labels; "" = there is none.
metric() {
  page /metrics | awk -v name="$1" -v labels="${*:2}" '
    { metric = $1; sub(/\{.*/, "", metric) }
    metric == name {
      for (i = split(labels, want, " "); i > 0; i--) {
        split(want[i], pair, "=")
        if (!index($0, "{" pair[1] "=\"" pair[2] "\"") && !index($0, "," pair[1] "=\"" pair[2] "\"")) next
      }
      sum += $NF; seen = 1
    }
    END { if (seen) print sum }'
}

# misfits: the histograms of response times whose sum cannot be that of times within their buckets.
misfits() {
  page /metrics | awk '
    !/^meridian_response_duration_seconds_/ { next }
    /_bucket{/ {
      match($0, /le="[^"]*"/); bound = substr($0, RSTART + 4, RLENGTH - 5)
      count = $NF - below; below = $NF
      least += count * last; most += count * bound; last = bound
      if (bound == "+Inf") beyond = count
    }
    /_sum{/ { sum = $NF }
    /_count{/ {
      if ($NF != below || sum < least - 1e-6 || (!beyond && sum > most + 1e-6)) print $0, least, sum, most
      least = most = last = below = 0
    }'
}

is_metric() { [[ $(metric "${@:2}") == "$1" ]]; }

sandbox_begin e2e/30-metrics
REGION_DELAY=20 two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
svc ack-hangzhou idle 172.16.0.21 80
svc ack-hangzhou empty 172.16.0.22 80
svc ack-hangzhou far 172.16.0.23 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
eps ack-shanghai reviews 10.1.0.11
eps ack-hangzhou idle 10.0.0.11
eps ack-shanghai far 10.1.0.11
failover_policy reviews "{ consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1m, maxEjectionPercent: 100 }"
agent_start h

expect_eq "ready" "200 ready" "$(code /readyz) $(page /readyz)"
expect_eq "healthy" "200 ok" "$(code /healthz) $(page /healthz)"
expect_eq "unknown paths" "404 404" "$(code /) $(code /metrics/)"
expect_eq "other methods" "405 405 200" "$(code /metrics -X POST) $(code /healthz -X DELETE) $(code /metrics -I)"
expect_match "the type that scrapers look for" 'text/plain; version=0.0.4' \
  "$(page /metrics -o /dev/null -w '%{content_type}')"
expect_eq "status tells where" 127.0.0.1:9464 "$(ctl h status -o json | jq -r .agent.metrics.address)"

hits client $VIP 80 20 >/dev/null
run_in client "$PEER" connect 172.16.0.22 80 >/dev/null || true
expect_eq "connections, by service and region" "20 20" "$(metric meridian_connections_total service=reviews) \
$(metric meridian_connections_total namespace=default service=reviews port=http region=cn-hangzhou)"
expect_eq "responses by class" 20 "$(metric meridian_responses_total service=reviews class=2xx)"
expect_eq "all closed" 0 "$(metric meridian_connections_open service=reviews)"
expect_eq "picks by reason" 20 "$(metric meridian_picks_total reason=failover)"
expect_eq "refusals by reason" 1 "$(($(metric meridian_refusals_total reason=no_route) + $(metric meridian_refusals_total reason=no_endpoint)))"
expect_eq "times" "20 20" "$(metric meridian_handshake_duration_seconds_count service=reviews) \
$(metric meridian_response_duration_seconds_count service=reviews)"
expect_eq "who is 40 ms away" "s1=10" "$(hits client 172.16.0.23 80 10)"
far=(meridian_response_duration_seconds_bucket namespace=default service=far port=http region=cn-shanghai)
expect_eq "answers in no less, by bucket" "0 10 10" "$(metric "${far[@]}" le=0.03) $(metric "${far[@]}" le=10) $(metric "${far[@]}" le=+Inf)"
expect_eq "buckets and sums fit" "" "$(misfits)"
expect_eq "who was never called has no series" "" "$(metric meridian_connections_total service=idle)"
expect_eq "endpoints by region" 3 "$(metric meridian_endpoints region=cn-hangzhou state=ACTIVE)"
expect_eq "clusters" 2 "$(metric meridian_cluster_synced)"
expect_eq "as status says" "$(ctl h status -o json | jq '.kernel.maps[] | select(.map == "mrd_member") | .rows')" \
  "$(metric meridian_map_rows map=mrd_member)"
expect_eq "nothing is lost" "0 0 0" "$(metric meridian_events_lost_total) $(metric meridian_plan_failures_total) \
$(metric meridian_map_write_failures_total)"

fail h1
hits client $VIP 80 10 >/dev/null
expect_ok "an ejection" wait_for 2 is_metric 1 meridian_ejections_enforced_total type=CONSECUTIVE_5XX
expect_eq "and where" "1 1" "$(metric meridian_ejections_active) \
$(metric meridian_endpoints_ejected service=reviews region=cn-hangzhou)"
expect_eq "its delay" "1 1" "$(metric meridian_ejection_delay_seconds_count) \
$(metric meridian_ejection_delay_seconds_bucket le=+Inf)"
unfail h1

# Endpoints go; what they had counted stays.
before=$(metric meridian_connections_total service=reviews region=cn-hangzhou)
timed=$(metric meridian_response_duration_seconds_bucket service=reviews region=cn-hangzhou)
eps ack-hangzhou reviews 10.0.0.12
gone() { [[ $(health h 10.0.0.11) != *EJECTED* && $(metric meridian_endpoints region=cn-hangzhou state=ACTIVE) == 2 ]]; }
expect_ok "an endpoint goes" wait_for 5 gone
expect_eq "and takes no count along" "$before $timed" "$(metric meridian_connections_total service=reviews region=cn-hangzhou) \
$(metric meridian_response_duration_seconds_bucket service=reviews region=cn-hangzhou)"
expect_eq "nor a time" "" "$(misfits)"

# A change is timed from what was read of it to the kernel, by cluster; then there is no lag.
settled() { [[ $(metric meridian_watch_lag_seconds cluster=ack-hangzhou) == 0 ]]; }
expect_ok "what was read is in the kernel" wait_for 5 settled
before=$(metric meridian_watch_delay_seconds_count cluster=ack-hangzhou)
expect_between "changes since it was ready" 1 100 "$before"
expect_eq "none of the other cluster" 0 "$(metric meridian_watch_delay_seconds_count cluster=ack-shanghai)"
plans=$(metric meridian_plan_duration_seconds_count step=write)
eps ack-shanghai reviews 10.1.0.11 10.1.0.12
counted() { [[ $(metric meridian_watch_delay_seconds_count cluster=ack-shanghai) != 0 ]]; }
expect_ok "one of the other cluster" wait_for 5 counted
expect_eq "is its own" "$before" "$(metric meridian_watch_delay_seconds_count cluster=ack-hangzhou)"
expect_between "and a plan" "$((plans + 1))" "$((plans + 100))" "$(metric meridian_plan_duration_seconds_count step=write)"
mv "$SANDBOX/state/ack-shanghai" "$SANDBOX/lost"
behind() { [[ $(metric meridian_watch_lag_seconds cluster=ack-shanghai) != 0 ]]; }
expect_ok "a lost cluster lags" wait_for 5 behind
expect_eq "alone" 0 "$(metric meridian_watch_lag_seconds cluster=ack-hangzhou)"
mv "$SANDBOX/lost" "$SANDBOX/state/ack-shanghai"
unbehind() { ! behind; }
expect_ok "until it is back" wait_for 5 unbehind

page /metrics >"$SANDBOX/metrics.txt"
promtool=$("$SANDBOX_ROOT/scripts/deb_assets.sh" prometheus promtool) || true
expect_ok "promtool is there (Debian's prometheus)" test -x "$promtool"
expect_eq "and has nothing to say" "" "$("$promtool" check metrics <"$SANDBOX/metrics.txt" 2>&1 || true)"
expect_match "as it has of wrong names" 'no "_total"|_total' \
  "$(printf '# TYPE a counter\na 1\n' | "$promtool" check metrics 2>&1 || true)"
expect_eq "each series once" "" "$(grep -v '^#' "$SANDBOX/metrics.txt" | sed 's/ [^ ]*$//' | sort | uniq -d)"

# More connections than there are places, of clients that say nothing: they are dropped after a second.
for ((i = 0; i < 80; i++)); do
  serve h bash -c 'exec 3<>/dev/tcp/127.0.0.1/9464; sleep 60'
done
sleep 0.3
expect_eq "services go on" "h2=4" "$(hits client $VIP 80 4 | grep -o 'h2=4')"
expect_ok "and so does the control socket" ctl h status
expect_ok "metrics are back in time" wait_for 12 page /healthz

# A restart: counters begin at zero, and do not count again what is in the maps.
agent_kill h
agent_start h
expect_between "no count of before" 0 0 "$(($(metric meridian_connections_total service=reviews) + 0))"
hits client $VIP 80 3 >/dev/null
expect_eq "only new ones" 3 "$(metric meridian_connections_total service=reviews)"

# The port is somebody else's: said, in log and status, and tried again. Services are served.
agent_stop h
serve h bash -c 'exec python3 -m http.server --bind 127.0.0.1 9464'
taken=$SERVE_PID
wait_listen h 9464
agent_start h
expect_ok "a port that is taken is named" agent_said h 'error msg="metrics not served" address=127.0.0.1:9464 reason="Address already in use"'
expect_match "in status, too" 'METRICS NOT SERVED on 127.0.0.1:9464: Address already in use' "$(ctl h status)"
expect_eq "services are served" "h2=3" "$(hits client $VIP 80 3)"
stop "$taken" KILL || true
expect_ok "served once it is free" wait_for 5 is_metric 1 meridian_ready

# Elsewhere, and nowhere, by a reload.
echo "metrics: '[::1]:9465'" >>"$SANDBOX/h.yaml"
agent_reload h
AT='[::1]:9465' expect_ok "another address" wait_for 5 page /healthz
expect_fail "not the old one" page /healthz
sed -i 's/^metrics: .*/metrics: none/' "$SANDBOX/h.yaml"
agent_reload h
nowhere() { ! sandbox_listens h 9465 && ! sandbox_listens h 9464; }
expect_ok "none" wait_for 5 nowhere
sandbox_end
