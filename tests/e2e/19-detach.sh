#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# detach leaves nothing in the kernel, with an agent and without; other traffic goes on.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/19-detach
one_region
web h1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
attached() { bpftool -j cgroup show "$SANDBOX_CGROUP/h" 2>/dev/null | jq -s 'map(length) | add // 0'; }
left() { find "$(bpffs_of h)" -type f 2>/dev/null | wc -l; }

agent_start h
expect_eq "at work" "h1=3" "$(hits client $VIP 80 3)"
expect_between "programs are attached" 10 20 "$(attached)"
ctl h detach >/dev/null
expect_ok "the agent ends" wait_for 5 sandbox_gone "${AGENT_PID[h]}"
expect_eq "no pin is left" 0 "$(left)"
expect_eq "no program is left" 0 "$(attached)"

agent_start h
agent_kill h
expect_eq "works without an agent" "h1=3" "$(hits client $VIP 80 3)"
ctl h status >/dev/null 2>&1 && status=0 || status=$?
expect_eq "status without an agent is bad news" 1 "$status"
expect_match "and says so" 'not running' "$(ctl h status 2>&1 || true)"
expect_match "but shows what the kernel holds" 'default/reviews' "$(ctl h services 2>/dev/null || true)"
expect_match "detach without an agent" "removed [0-9]+ links" "$(ctl h detach 2>"$SANDBOX/detach.err")"
expect_eq "with a line on why it does so itself" 1 "$(wc -l <"$SANDBOX/detach.err")"
expect_eq "no pin is left" 0 "$(left)"
expect_eq "no program is left" 0 "$(attached)"
expect_eq "direct traffic" "h1=3" "$(hits client 10.0.0.11 9080 3)"
"$MERIDIANCTL" --control "$(control_of h)" --bpffs "$(bpffs_of h)" detach --stay >"$SANDBOX/stays" 2>/dev/null &
stays=$!
expect_ok "with --stay it says that it is done" wait_for 5 grep -q 'removed 0 links' "$SANDBOX/stays"
sleep 0.2
expect_ok "and stays" kill -0 "$stays"
kill "$stays"
wait "$stays" && status=0 || status=$?
expect_eq "until SIGTERM" 0 "$status"
expect_match "twice is no harm, and says so" 'removed 0 links and 0 maps' "$(ctl h detach 2>&1 || true)"

agent_start h
kill -STOP "${AGENT_PID[h]}"
start=$(now_ms)
expect_match "an agent that hears nothing: what the kernel holds" 'default/reviews' "$(ctl h services 2>"$SANDBOX/stopped" || true)"
expect_between "soon" 3000 9000 $(($(now_ms) - start))
kill -CONT "${AGENT_PID[h]}"
expect_match "and why" 'the agent does not answer' "$(cat "$SANDBOX/stopped")"
expect_match "an agent that listens elsewhere is left alone" 'an agent holds' \
  "$("$MERIDIANCTL" --control /nonexistent --bpffs "$(bpffs_of h)" detach --stay 2>&1 || true)"
agent_stop h
expect_eq "SIGTERM leaves the data plane in place" "h1=3" "$(hits client $VIP 80 3)"
sandbox_end
