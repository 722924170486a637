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

# Somebody else than root: first the socket, then the maps.
chmod 755 "$SANDBOX"
mkdir -p "$(bpffs_of h)"
chmod 700 "$(bpffs_of h)"
install -m 755 "$MERIDIAND" "$SANDBOX/meridiand"
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$SANDBOX/meridiand" --config "$SANDBOX/$1.yaml" 2>&1; }
agent_config h >"$SANDBOX/h.yaml"
expect_match "who may not make the socket is told what to do" \
  'control socket not opened.*Permission denied: run as root, or have control:' "$(as_nobody h || true)"
mkdir -m 777 "$SANDBOX/anybody"
agent_config h "control: $SANDBOX/anybody/sock" "metrics: none" >"$SANDBOX/h.yaml"
expect_match "and who may not read the maps" 'maps not locked.*Permission denied:.*run as root' "$(as_nobody h || true)"

agent_start h
said=$("$MERIDIAND" --config "$SANDBOX/h.yaml" 2>&1) && status=0 || status=$?
expect_eq "a second agent on the same maps ends with 1" 1 "$status"
expect_match "and says why" 'another agent|in use|already' "$said"
expect_ok "the first goes on" agent_running h
sandbox_end
