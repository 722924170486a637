#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The manifests of deploy/ as a server judges them: nothing unknown, nothing refused, no warning. It can
# only judge what is in a namespace that is there.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/11-manifests
one_region
api_server ack-hangzhou home 172.16.0.0/16 h
servers_up
daemonset=$SANDBOX_ROOT/deploy/daemonset

# judged ARGUMENT…: what the server would do, in the words of kubectl.
judged() {
  kube ack-hangzhou apply --dry-run=server --validate=strict "$@" 2>&1 || true
}

for folder in "$daemonset" "$daemonset/remote" "$daemonset/cleanup"; do
  kube ack-hangzhou apply -f "$folder/namespace.yaml" >/dev/null
  said=$(judged -k "$folder")
  expect_match "${folder##*/}: judged" '(created|configured|unchanged) \(server dry run\)' "$said"
  expect_eq "${folder##*/}: nothing to complain of" "" "$(grep -v 'server dry run)$' <<<"$said" || true)"
done
said=$(judged -f "$daemonset/remote-kubeconfigs.example.yaml")
expect_eq "the example" "secret/meridian-kubeconfigs created (server dry run)" "$said"

# The judge must refuse what is wrong, or it says nothing.
said=$(sed 's/hostNetwork:/hostNetwrk:/' "$daemonset/daemonset.yaml" | judged -f -)
expect_match "a typo is refused" 'unknown field.*hostNetwrk' "$said"
sandbox_end
