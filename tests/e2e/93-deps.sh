#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What is needed is listed with its reason; what is missing is installed, or who cannot is told how.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/93-deps
# This machine without jq, and with an apt-get that writes down what it is asked for; it installs if it may.
mkdir "$SANDBOX/bin" "$SANDBOX/sbin" "$SANDBOX/held"
ln -s /usr/bin/* "$SANDBOX/bin/"
ln -s /usr/sbin/* "$SANDBOX/sbin/"
rm -f "$SANDBOX"/bin/{jq,apt-get}
cat >"$SANDBOX/bin/apt-get" <<END
#!/bin/sh
echo "\$*" >>$SANDBOX/asked
[ ! -e $SANDBOX/may ] || ln -sf /usr/bin/jq $SANDBOX/bin/jq
END
chmod 755 "$SANDBOX" "$SANDBOX/bin/apt-get"
sed "s|:/usr/sbin:/sbin$|:$SANDBOX/sbin|" "$SANDBOX_ROOT/scripts/deps.sh" >"$SANDBOX/deps.sh"
chmod 755 "$SANDBOX/deps.sh"
echo ID=debian >"$SANDBOX/os-release"
mount --bind "$SANDBOX/os-release" /etc/os-release
deps() { PATH=$SANDBOX/bin "${as[@]}" bash "$SANDBOX/deps.sh" "$@" 2>&1; }
as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
said=$(deps --list) && status=0 || status=$?
expect_eq "somebody else than root: fails" 1 "$status"
expect_match "a package with its reason" 'make  *there  *builds' "$said"
expect_match "what is missing is marked" 'jq  *MISSING  *tests, demo: reads JSON' "$said"
expect_match "and told as a command" 'As root, run:.*apt-get install .* jq' "$said"
as=()
echo ID=fedora >"$SANDBOX/os-release"
said=$(deps) && status=0 || status=$?
expect_eq "not Debian, whatever is called apt-get there: fails" 1 "$status"
expect_match "with Debian's command" 'not Debian.*apt-get install .* jq' "$said"
expect_eq "nobody was asked" "" "$(cat "$SANDBOX/asked" 2>/dev/null || true)"
printf 'ID=ubuntu\nID_LIKE="x debian"\n' >"$SANDBOX/os-release"
said=$(deps) && status=0 || status=$?
expect_match "made of Debian: asked" 'install .*jq' "$(cat "$SANDBOX/asked" 2>/dev/null || true)"
expect_eq "what is missing afterwards is a failure" 1 "$status"
expect_match "that names it" 'still missing.*jq' "$said"
touch "$SANDBOX/may"
said=$(deps) && status=0 || status=$?
expect_eq "installed" "0, installing: jq" "$status, $said"
expect_eq "complete: nothing to say" "" "$(deps)"
# One of those that make bench compares with is not to be had: the rest is measured all the same.
rm "$SANDBOX/sbin/haproxy"
said=$(deps bench) && status=0 || status=$?
expect_eq "a peer is missing: no failure of bench" 0 "$status"
expect_match "but told" 'still missing.*haproxy.*make bench skips' "$said"
rm "$SANDBOX/may" "$SANDBOX/bin/jq"
said=$(deps bench) && status=0 || status=$?
expect_eq "what bench cannot do without: a failure" 1 "$status"
sandbox_end
