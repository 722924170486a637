#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What the image holds runs by itself, holds nothing else, and takes the configuration of deploy/daemonset.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/36-image
DEPLOY=$SANDBOX_ROOT/deploy/daemonset
ROOTFS=$SANDBOX/rootfs
make_rootfs() { OUT=$SANDBOX_OUT "$SANDBOX_ROOT/scripts/rootfs.sh" "$1"; }
sum_of() { tar --create --sort=name --directory "$1" . | sha256sum; }
# takes SED: does the agent take the sample, edited so?
takes() {
  sed -E "$1" "$DEPLOY/meridian.yaml" >"$ROOTFS/etc/meridian/meridian.yaml"
  chroot "$ROOTFS" /usr/sbin/meridiand --config /etc/meridian/meridian.yaml --check
}
# takes_policy WORD…: the same with those paragraphs of the policy that have the word.
takes_policy() {
  local word

  cp "$DEPLOY/policy.yaml" "$ROOTFS/etc/meridian/policy.yaml"
  for word; do
    awk -v RS= -v ORS='\n\n' -v word="$word" '$0 ~ word {
        gsub(/\n# localityLbSetting/, "\nlocalityLbSetting")
        gsub(/\n#   /, "\n  ")
      } { print }' "$ROOTFS/etc/meridian/policy.yaml" >"$SANDBOX/policy.new"
    mv "$SANDBOX/policy.new" "$ROOTFS/etc/meridian/policy.yaml"
  done
  takes ''
}

make_rootfs "$ROOTFS"
make_rootfs "$SANDBOX/again"
expect_eq "the same programs give the same tree" "$(sum_of "$ROOTFS")" "$(sum_of "$SANDBOX/again")"
expect_match "the agent runs there" '^meridiand [0-9]' "$(chroot "$ROOTFS" /usr/sbin/meridiand --version)"
expect_match "and meridianctl" '^meridianctl [0-9]' "$(chroot "$ROOTFS" /usr/sbin/meridianctl --version)"
expect_eq "nothing else does" "/usr/sbin/meridianctl /usr/sbin/meridiand" \
  "$(find "$ROOTFS" -type f -perm /111 ! -name '*.so*' -printf '/%P\n' | sort | paste -sd' ')"
expect_fail "no shell" chroot "$ROOTFS" sh -c true
expect_eq "nothing may be written to but by root" "" "$(find "$ROOTFS" ! -type l -perm /022)"
expect_match "public authorities are there" 'BEGIN CERTIFICATE' "$(head -n 3 "$ROOTFS/etc/ssl/certs/ca-certificates.crt")"

expect_ok "the configuration as it stands" takes_policy
expect_ok "with the second region" takes '/^# - name: ack-shanghai/,/^$/s/^# //'
expect_match "which is a region more" 'kubeconfig: ack-shanghai' "$(grep -v '^#' "$ROOTFS/etc/meridian/meridian.yaml")"
for page in failover distribute; do
  expect_ok "with $page" takes_policy "$page:"
  expect_match "which is there then" "^  $page:" "$(grep "$page:" "$ROOTFS/etc/meridian/policy.yaml")"
done
expect_fail "not with both" takes_policy failover: distribute:
cp "$DEPLOY/policy.yaml" "$ROOTFS/etc/meridian/policy.yaml"
expect_fail "a typo is an error" takes 's/^policy:/polcy:/'
expect_match "the template names the Secret that the DaemonSet mounts" "meridian-kubeconfigs" \
  "$(grep -h 'secret:' "$DEPLOY/daemonset.yaml")$(sed -n 's/^  name: //p' "$DEPLOY/remote-kubeconfigs.example.yaml")"
sandbox_end
