#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A policy file is broken: under a running agent, under one that starts with a plan in the kernel, and
# under one that starts without. Status tells it; a mended file is taken at once. One that cannot start changes nothing.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/26-broken-policy
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11 10.0.0.12
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews "{ consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 4s }"
agent_start h
file=$SANDBOX/policy/reviews.yaml
good=$(cat "$file")
# A rejected policy is bad news, so the status of ctl does not count here.
rejected() { { ctl h -o json status || true; } | jq -e '.agent.policy_rejected != null' >/dev/null; }
taken() { ctl h -o json status | jq -e '.agent.policy_rejected == null' >/dev/null; }
break_it() { policy reviews < <(printf '%s\n' "$good" | sed 's/host:/hots:/'); }
mend_it() { policy reviews < <(printf '%s\n' "$good"); }

expect_ok "status is good news" ctl h status >/dev/null
break_it
expect_ok "broken later: status has it" wait_for 5 rejected
expect_match "with the place" 'POLICY REJECTED.*the policy before holds' "$(ctl h status)"
expect_match "and the reason" 'reviews.yaml:[0-9]+:[0-9]+: error: ' "$(ctl h status)"
expect_fail "as bad news" ctl h status >/dev/null
expect_match "the log says what holds" 'policy not taken: the one before holds" errors=' "$(cat "$(agent_log_of h)")"
expect_eq "no errno in it" 0 "$(grep -c 'Bad message' "$(agent_log_of h)")"

fail h1
run_in client "$PEER" get $VIP 80 4 >/dev/null
expect_ok "h1 is ejected" wait_for 5 is_health h 10.0.0.11 EJECTED
unfail h1
agent_kill h
agent_start h
expect_ok "broken at a start: the agent runs, status has it" rejected
expect_match "and what holds" 'POLICY REJECTED.*the kernel keeps the plan' "$(ctl h status)"
expect_match "traffic goes on" '^h2=' "$(hits client $VIP 80 10)"
svc ack-hangzhou details 172.16.0.21 80
eps ack-hangzhou details 10.0.0.11
expect_ok "an ejection ends in time" wait_for 8 is_health h 10.0.0.11 ACTIVE
expect_eq "nothing new is planned" 1 "$(ctl h -o json services | jq '.services | length')"
mend_it
expect_ok "mended: taken" wait_for 5 taken
two_services() { [[ $(ctl h -o json services | jq '.services | length') == 2 ]]; }
expect_ok "and all is planned" wait_for 5 two_services
expect_eq "traffic by the policy" "h1=5 h2=5" "$(hits client $VIP 80 10)"

agent_kill h
break_it
agent_start h
expect_ok "broken again at a start" rejected
mend_it_quietly() { printf '%s\n' "$good" | sed 's/4s/5s/' >"$file"; }
mend_it_quietly
agent_reload h
expect_ok "SIGHUP takes it too" wait_for 5 taken

ctl h detach >/dev/null
wait_for 5 bash -c "! kill -0 ${AGENT_PID[h]} 2>/dev/null"
break_it
agent_launch h
expect_ok "with nothing in the kernel it does not start" \
  wait_for 30 agent_said h 'reviews.yaml:[0-9]+:.*the agent does not start'
expect_ok "and ends" wait_for 30 bash -c "! kill -0 ${AGENT_PID[h]} 2>/dev/null"

# Nor does it start if its maps are to have another size: what runs goes on as it is, with its limit of requests.
policy reviews <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec: { host: reviews, trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } } }
YAML
answered() { # of two requests on one connection
  : >"$SANDBOX/log/client"
  serve client python3 "$(dirname "$0")/turns.py" tcp connect,$VIP,80 get,/ get,/
  wait "$SERVE_PID" || true
  grep -c '^200 ' "$SANDBOX/log/client"
}
agent_start h
expect_eq "one request a connection" 1 "$(answered)"
agent_kill h
good=$(cat "$file")
break_it
agent_launch h "kernel.limits: { affinity: 1000 }"
expect_ok "broken, and other sizes: it does not start" wait_for 30 agent_said h 'of another version or size'
expect_ok "and ends" wait_for 30 bash -c "! kill -0 ${AGENT_PID[h]} 2>/dev/null"
expect_eq "still one request a connection" 1 "$(answered)"
mend_it
agent_start h "kernel.limits: { affinity: 1000 }"
expect_eq "and in the new maps" 1 "$(answered)"

# Nor if a hook has no place: the program goes again that came before the hooks.
limits() { # programs of request limits whose maps are those that stand pinned
  bpftool -j prog show | jq --argjson id "$(bpftool -j map show pinned "$(bpffs_of h)/mrd_setting" | jq .id)" \
    '[.[] | select(.name == "mrd_request_limit" and (.map_ids | index($id)))] | length'
}
agent_kill h
expect_eq "the program is there" 1 "$(limits)"
rm "$(bpffs_of h)/link_mrd_connect6"
mkdir "$(bpffs_of h)/link_mrd_connect6"
agent_launch h "kernel.limits: { affinity: 2000 }"
expect_ok "a hook without a place: it does not start" wait_for 30 bash -c "! kill -0 ${AGENT_PID[h]} 2>/dev/null"
expect_eq "the program is still there" 1 "$(limits)"
expect_eq "and limits" 1 "$(answered)"
rmdir "$(bpffs_of h)/link_mrd_connect6"
agent_start h "kernel.limits: { affinity: 2000 }"
expect_eq "until the next one" 1 "$(answered)"
sandbox_end
