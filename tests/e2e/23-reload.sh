#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The configuration is read again, on SIGHUP or when it is saved: a cluster comes and goes, nothing is
# dropped in between.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/23-reload
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
eps ack-shanghai reviews 10.1.0.11
agent_start h
expect_match "two clusters" 's1=' "$(hits client $VIP 80 12)"
(run_in client "$PEER" get $VIP 80 60 30 >"$SANDBOX/polled") &
poll=$!
cp "$SANDBOX/h.yaml" "$SANDBOX/whole.yaml"
sed -i '/- name: ack-shanghai/,/directory:.*shanghai/d' "$SANDBOX/h.yaml"
agent_reload h
expect_ok "one cluster" wait_for 5 sees "h1=5 h2=5" client $VIP 80 10
echo "typo: true" >>"$SANDBOX/h.yaml"
agent_reload h
expect_ok "a broken configuration is named" wait_for 5 agent_said h 'h.yaml:[0-9]+:[0-9]+: .*typo'
expect_ok "and is why" agent_said h 'not reloaded.*reason="it has errors"'
expect_match "and changes nothing" '^h1=[0-9]+ h2=[0-9]+$' "$(hits client $VIP 80 10)" # the poll takes its part
cp "$SANDBOX/whole.yaml" "$SANDBOX/h.yaml"
agent_reload h
two_again() { [[ $(hits client "$VIP" 80 12) == *s1=* ]]; }
expect_ok "two again" wait_for 5 two_again
wait "$poll"
expect_eq "no request failed meanwhile" 60 "$(grep -c '^[hs][12]$' "$SANDBOX/polled")"

# A file that is broken when the agent reads it for the first time: the kernel has its last good state.
sed -i 's/10.0.0.11/10.0.0.400/' "$SANDBOX/state/ack-hangzhou/slice-default-reviews-ipv4.yaml"
wait_for 5 agent_said h 'slice-default-reviews-ipv4.yaml:[0-9]+:'
agent_reload h
wait_for 5 bash -c "[[ \$(grep -c 'msg=.reloaded' '$(agent_log_of h)') == 3 ]]"
sleep 0.5
expect_match "a reload keeps what a broken file said" 'h1=.* h2=' "$(hits client $VIP 80 12)"
agent_kill h
agent_start h
sleep 0.5
expect_match "and so does a restart" 'h1=.* h2=' "$(hits client $VIP 80 12)"
sed -i 's/10.0.0.400/10.0.0.11/; s/"10.0.0.12"/"10.0.0.11"/' "$SANDBOX/state/ack-hangzhou/slice-default-reviews-ipv4.yaml"
one_left() { [[ $(hits client "$VIP" 80 12) != *h2=* ]]; }
expect_ok "once it is whole, it holds" wait_for 5 one_left

# Nobody sends a signal into a pod.
sed '/- name: ack-shanghai/,/directory:.*shanghai/d' "$SANDBOX/whole.yaml" >"$SANDBOX/h.new"
mv "$SANDBOX/h.new" "$SANDBOX/h.yaml"
expect_ok "what is saved takes effect by itself" wait_for 5 sees "h1=10" client $VIP 80 10
echo "typo: true" >>"$SANDBOX/h.yaml"
expect_ok "what is broken is named" wait_for 5 agent_said h 'h.yaml:[0-9]+:[0-9]+: .*typo'
expect_eq "once, and changes nothing" "1 h1=10" "$(sleep 0.5 && grep -c 'msg="not reloaded"' "$(agent_log_of h)") $(hits client $VIP 80 10)"
cp "$SANDBOX/whole.yaml" "$SANDBOX/h.yaml"
expect_ok "and when it is whole, it holds" wait_for 5 two_again
sandbox_end
