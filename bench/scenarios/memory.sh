#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What the agent of the demo's node of Hangzhou holds: the guide's Bookinfo.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/../lib.sh"

bench_begin
two_regions
cp -r "$SANDBOX_ROOT/demo/state/hangzhou/." "$SANDBOX/state/ack-hangzhou"
cp -r "$SANDBOX_ROOT/demo/state/shanghai/." "$SANDBOX/state/ack-shanghai"
cp "$SANDBOX_ROOT/demo/policy/failover.yaml" "$SANDBOX/policy"
agent_start h

figure agent.rss_mib MiB lower "The agent's memory, Bookinfo from files"
goal agent.rss_mib value at_most 10
sample agent.rss_mib value 0 "$(rss_mib "${AGENT_PID[h]}")"
bench_end
