#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Without the rights or the mounts it needs, the agent says which, and what to do.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/22-what-is-missing
one_region
svc ack-hangzhou reviews $VIP 80
agent_config h >"$SANDBOX/h.yaml"

said=$(setpriv --bounding-set -bpf,-sys_admin,-net_admin --inh-caps -all "$MERIDIAND" --config "$SANDBOX/h.yaml" 2>&1) && status=0 || status=$?
expect_eq "without capabilities it ends with 1" 1 "$status"
expect_match "and names one" 'CAP_[A-Z_]+' "$said"

agent_config h "kernel.cgroup: /proc" >"$SANDBOX/h.yaml"
said=$("$MERIDIAND" --config "$SANDBOX/h.yaml" 2>&1) && status=0 || status=$?
expect_eq "no cgroup v2 there" 1 "$status"
expect_match "named" '/proc.*cgroup' "$said"

agent_config h "kernel.bpffs: /proc/meridian" >"$SANDBOX/h.yaml"
said=$("$MERIDIAND" --config "$SANDBOX/h.yaml" 2>&1) && status=0 || status=$?
expect_eq "no bpffs can be there" 1 "$status"
expect_match "named" '/proc/meridian' "$said"

agent_config h "kernel.cgruop: x" "colour: red" >"$SANDBOX/h.yaml"
said=$("$MERIDIAND" --config "$SANDBOX/h.yaml" --check 2>&1) && status=0 || status=$?
expect_eq "--check ends with 1" 1 "$status"
expect_match "every unknown key is named with its place" 'h.yaml:[0-9]+:[0-9]+: error: kernel.cgruop.*h.yaml:[0-9]+:[0-9]+: error: colour|h.yaml:[0-9]+:[0-9]+: error: colour.*h.yaml:[0-9]+:[0-9]+: error: kernel.cgruop' "$(tr '\n' ' ' <<<"$said")"

agent_start h
said=$("$MERIDIAND" --config "$SANDBOX/h.yaml" 2>&1) && status=0 || status=$?
expect_eq "a second agent on the same maps ends with 1" 1 "$status"
expect_match "and says why" 'another agent|in use|already' "$said"
expect_ok "the first goes on" agent_running h
sandbox_end
