#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A server without streamed lists is read page by page, packed by gzip. Between two pages of a list the
# server forgets what it listed: the rest is read as it is by then, and what happened meanwhile is not
# missed. Shanghai's only endpoint of the service stands on the last page, and carries all the traffic.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/13-pages
audited ack-shanghai
KUBE_FLAGS[ack-shanghai]+=" --feature-gates=WatchList=false"
DELAY_MS=150 two_clusters
pod s s2 10.1.0.12
reviews_applied
web s2
eps ack-hangzhou reviews
many ack-shanghai 1100
slices=/apis/discovery.k8s.io/v1/endpointslices
all_slices() { [[ $(told ack-shanghai .slices) == "$1" ]]; }

# pages: the answers to requests for pages of slices, as "200-first 200-more"; FROM: without the audit's
# first lines.
FROM=0
pages() {
  tail -n "+$((FROM + 1))" "$SANDBOX/kube/ack-shanghai.audit" | jq -r 'select(.userAgent | startswith("meridiand"))
    | select(.requestURI | test("endpointslices[?]limit=500"))
    | "\(.responseStatus.code)-\(if .requestURI | test("&continue=") then "more" else "first" end)"' | paste -sd' '
}

agent_start h
expect_ok "read as a whole" wait_for 15 planned 10.1.0.11
expect_ok "every slice of it" wait_for "$SOON_S" all_slices 1101
expect_eq "in pages of 500" "200-first 200-more 200-more" "$(pages)"
expect_eq "streamed lists were asked for first" 422 "$(asked ack-shanghai \
  'select(.requestURI | test("endpointslices.*sendInitialEvents")) | .responseStatus.code' | sort -u)"
plain=$(for path in /api/v1/services $slices; do
  as_agent ack-shanghai "$path" --user-agent plain
done | wc -c)
expect_between "bytes, of $plain without gzip" 1000 $((plain / 4)) "$(received ack-shanghai)"
eps ack-shanghai reviews 10.1.0.12
expect_ok "and followed" wait_for "$SOON_S" planned 10.1.0.12
eps ack-shanghai reviews 10.1.0.11
wait_for "$SOON_S" sees "s1=10" client $VIP 80 10

# All versions but etcd's are gone: the list comes anew.
poll_start
FROM=$(wc -l <"$SANDBOX/kube/ack-shanghai.audit")
forgets ack-shanghai --watch-cache=false
page_is_read() { tail -n "+$((FROM + 1))" "$SANDBOX/kube/ack-shanghai.audit" | grep -q 'slices?limit=500'; }
expect_ok "the first page of the next list" wait_for "$AGAIN_S" page_is_read
kill -STOP "${AGENT_PID[h]}"
kube ack-shanghai delete endpointslice/many-1 service/many-1 >/dev/null
eps ack-shanghai reviews 10.1.0.12 10.1.0.11
etcd_compact ack-shanghai
expect_match "it is stopped between two pages" '^200-first( 200-more)?$' "$(pages)"
expect_eq "and the plan stands" ACTIVE "$(health h 10.1.0.11)"
kill -CONT "${AGENT_PID[h]}"
# Until the last page is there, which has both of them.
seen=
for ((samples = 0; samples < 500; samples++)); do
  [[ $(told ack-shanghai .slices) == 110[01] ]] || break
  seen=$(ctl h endpoints default/reviews -o json | jq -r '.endpoints[].address' | sort | paste -sd' ')
  [[ $seen == 10.1.0.11:9080 ]] || break
done
expect_eq "until the last page nothing is missing" "10.1.0.11:9080 10.1.0.12:9080" "$seen"
expect_between "samples until then" 0 499 $samples
expect_ok "what came meanwhile is there" wait_for "$AGAIN_S" planned 10.1.0.11 10.1.0.12
expect_ok "and what went is not" wait_for "$AGAIN_S" all_slices 1100
expect_match "the rest as it is by then, then a new list" \
  '^200-first( 200-more)? 410-more 200-more( 200-more)? 200-first 200-more 200-more$' "$(pages)"
expect_ok "all is well" wait_for "$AGAIN_S" is_well ack-shanghai
eps ack-shanghai reviews 10.1.0.11
expect_ok "and followed" wait_for "$AGAIN_S" planned 10.1.0.11
poll_stop "while the server forgot its list" 100
sandbox_end
