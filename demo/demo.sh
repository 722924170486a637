#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#
# The guide, step by step, on real traffic: two regions with Bookinfo in both, an agent on each node,
# and no proxy between the pods. See stage.sh for who is there.
#
#   demo/demo.sh            all acts
#   demo/demo.sh ACT        one of: connectivity pool failover distribution ejection black-hole
#                           agent-killed
#   demo/demo.sh --shell    the stage, and a shell to try it
#
# Every act sets its own scene, so each can be run alone. What an act proves is a number: expected
# and seen are printed as it goes, and once more as a table. The exit code is 0 if all agree.

set -euo pipefail
# shellcheck source=tests/harness/sandbox.sh
. "$(dirname "$0")/../tests/harness/sandbox.sh"
# shellcheck source=demo/stage.sh
. "$SANDBOX_ROOT/demo/stage.sh"
# shellcheck source=demo/print.sh
. "$SANDBOX_ROOT/demo/print.sh"
# shellcheck source=demo/acts.sh
. "$SANDBOX_ROOT/demo/acts.sh"

ACTS=(connectivity pool failover distribution ejection black-hole agent-killed)

# ------------------------------------------------------------------------------ the shell

# A shell on the laptop, where `curl http://$GATEWAY/productpage` is what the guide's reader types. It is in
# the sandbox's cgroup, so that what it leaves running ends with the stage.
stage_shell() {
  cat >"$SANDBOX/bashrc" <<END
PS1='demo \W \\$ '
PATH=$SANDBOX_OUT:\$PATH
GATEWAY=$GATEWAY
cd $SANDBOX
meridianctl() { command meridianctl --config "$SANDBOX/\${NODE:-hangzhou-1}.yaml" "\$@"; }
$(declare -p POD_NODE SANDBOX_CGROUP SANDBOX DEMO_DIR)
$(declare -f run_in cgroup_of sandbox_exec scale)
END
  title "The stage stands"
  cat <<END

   This shell is on the laptop. It ends, and everything with it, with exit.

   curl http://\$GATEWAY/productpage              a page
   cp $DEMO_DIR/policy/failover.yaml policy/
   rm policy/failover.yaml                       no rule: one pool
   scale ack-hangzhou reviews-v1 reviews-v3      edits state/ack-hangzhou/all.yaml: these to 0
   scale ack-hangzhou                            all back
   run_in reviews-v3 curl -X POST 'http://127.0.0.1:9080/fail?code=503'    0: well again
   meridianctl status                            also services, endpoints, regions
   NODE=shanghai-1 meridianctl endpoints default/reviews
   bpftool map dump pinned bpf/hangzhou-1/mrd_health
   tail -f log/agent-hangzhou-1

   pods: $(printf "%s\n" "${!POD_NODE[@]}" | sort | paste -sd " ")

END
  run_in laptop bash --rcfile "$SANDBOX/bashrc" -i || true
}

# ------------------------------------------------------------------------------ the play

# play NUMBER ACT
play() {
  ACT=$2
  title "$1  $ACT"
  "act_${ACT//-/_}"
}

main() {
  local -i started_ms played=0
  local act acts=("${ACTS[@]}")

  if (($#)) && [[ $1 != --shell ]]; then
    acts=("$@")
  fi
  for act in "${acts[@]}"; do
    if [[ " ${ACTS[*]} " != *" $act "* ]]; then
      echo "no act $act; there are: ${ACTS[*]}" >&2
      exit 2
    fi
  done
  stage_needs
  started_ms=$(now_ms)
  sandbox_begin demo
  say "Two nodes, Bookinfo on both, a gateway, two agents ..."
  stage_up
  stage_wait_listen
  agent_start hangzhou-1
  agent_start shanghai-1
  if [[ ${1-} == --shell ]]; then
    stage_shell
  else
    for act in "${acts[@]}"; do
      played+=1
      play "$played/${#acts[@]}" "$act"
    done
    print_table
    say "$((($(now_ms) - started_ms) / 1000)) s. To try it yourself: make demo-shell"
  fi
  SANDBOX_QUIET=1
  SANDBOX_VERDICT=played
  exit $((DIFFERENT > 0))
}

main "$@"
