#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Two runs of one test at the same time do not meet: same names, same addresses, two worlds.
set -euo pipefail

test=$(dirname "$0")/01-failover-by-scaling.sh
left=$(mktemp)
trap 'rm -f "$left"' EXIT
"$test" >"$left" 2>&1 &
if "$test" && wait $! && grep -q '^PASS ' "$left"; then
  echo "PASS e2e/24-side-by-side"
else
  cat "$left"
  echo "FAIL e2e/24-side-by-side"
  exit 1
fi
