#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The demo itself, all acts.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

output=$(mktemp)
trap 'rm -f "$output"' EXIT
if MRD_OUT=${MRD_OUT:-out/rel} "$SANDBOX_ROOT/demo/demo.sh" >"$output" 2>&1; then
  echo "PASS e2e/90-demo"
else
  cat "$output"
  echo "FAIL e2e/90-demo"
  exit 1
fi
