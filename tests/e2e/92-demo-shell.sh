#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The demo's stage with a shell: what is typed runs there, and nothing outlives it. Ended before it stands, it
# says nothing of what it had not made yet.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/92-demo-shell
# shellcheck disable=SC2016 # for the shell of the demo
printf '%s\n' 'echo "pages $(curl -s http://$GATEWAY/productpage | wc -l)"' 'sleep 1000 &' 'echo "left $!"' exit |
  MRD_OUT=$SANDBOX_OUT "$SANDBOX_ROOT/demo/demo.sh" --shell >"$SANDBOX/shell" 2>&1
left=$(sed -n 's/.*left \([0-9]*\)$/\1/p' "$SANDBOX/shell") # behind the prompt
expect_match "a page, by what is typed" 'pages [1-9]' "$(cat "$SANDBOX/shell")"
expect_match "something was left running" '^[0-9]+$' "$left"
expect_ok "and ended with the stage" sandbox_gone "$left"

cat >"$SANDBOX/early.sh" <<'END'
set -euo pipefail
. "$1/tests/harness/sandbox.sh"
mount() { kill -INT $$; }
sandbox_begin early
END
said=$(bash "$SANDBOX/early.sh" "$SANDBOX_ROOT" 2>&1) && status=0 || status=$?
expect_eq "interrupted before anything is mounted" 130 "$status"
expect_eq "no complaint" "FAIL early: interrupted" "$said"
sandbox_end
