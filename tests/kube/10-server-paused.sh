#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A connection that nobody answers on any more: the server's process is paused (its kernel still
# acknowledges everything), or its packets go nowhere. Noticed within 30 s, and nobody waits for it.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/10-server-paused
audited ack-hangzhou
two_clusters
reviews_applied
agent_start h "staleAfter: 20s"
reviews_planned

# noticed WHAT ADDRESS: Shanghai's server, within 30 s, while Hangzhou's changes come at once and
# Shanghai's endpoint stays.
noticed() {
  local start_ms

  start_ms=$(now_ms)
  sleep 3
  eps ack-hangzhou reviews 10.0.0.11
  expect_ok "$1: the other cluster is not delayed" wait_for "$SOON_S" planned 10.0.0.11 "$2"
  expect_ok "$1: noticed" wait_for "$AGAIN_S" complains ack-shanghai .
  expect_between "$1: ms until then" 0 40000 $(($(now_ms) - start_ms))
  expect_match "$1: told" '[Ss]ilent|timed? ?out|answer' "$(told ack-shanghai .error)"
  eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
  expect_ok "$1: and still not" wait_for "$SOON_S" planned 10.0.0.11 10.0.0.12 "$2"
}

# silence_of CLUSTER: one look at what status says of it: "true 20123", whether it is stale, and how long it
# was not heard.
silence_of() { told "$1" '"\(.stale) \(.last_heard_ms_ago)"'; }

# agrees: a cluster is stale from the moment on in which its last byte is 20 s old. A second is left
# for a machine that is busy.
agrees() {
  local stale heard

  while read -r stale heard; do
    [[ $stale == true ]] && ((heard >= 20000)) || { [[ $stale == false ]] && ((heard < 21000)); } || return 1
  done <"$SANDBOX/looks"
}

look() {
  while sleep 0.2; do
    silence_of ack-shanghai >>"$SANDBOX/looks"
  done
}

is_stale() { [[ $(told ack-shanghai .stale) == true ]]; }

poll_start
look &
looker=$!
server_pause ack-shanghai
noticed "paused" 10.1.0.11
expect_ok "stale 20 s after its last byte" wait_for 25 is_stale
sleep 1
stop "$looker" || true
expect_ok "at no moment earlier or later" agrees
expect_match "the other one, which is idle, is asked in time" '^false 1?[0-9]{0,4}$' "$(silence_of ack-hangzhou)"
server_resume ack-shanghai
eps ack-shanghai reviews 10.1.0.12
expect_ok "it goes on" wait_for "$AGAIN_S" planned 10.0.0.11 10.0.0.12 10.1.0.12
expect_ok "and is well" wait_for "$AGAIN_S" is_well ack-shanghai

silence ack-shanghai
eps ack-shanghai reviews 10.1.0.11 # kubectl is beside the server
eps ack-shanghai reviews
eps ack-shanghai reviews 10.1.0.12
noticed "black hole" 10.1.0.12
unsilence ack-shanghai
eps ack-shanghai reviews 10.1.0.11
expect_ok "heard again" wait_for "$AGAIN_S" planned 10.0.0.11 10.0.0.12 10.1.0.11
poll_stop "while a server said nothing" 100

# decided: what the server that is idle was asked, and whether it was allowed.
decided() {
  asked ack-hangzhou '"\(.annotations["authorization.k8s.io/decision"]) \(.requestURI)"' | sort -u
}
expect_match "a sign of life is asked for" 'allow /livez' "$(decided)"
expect_eq "nothing that its role does not allow" "" "$(decided | grep -v '^allow ' || true)"
sandbox_end
