#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# meridian-join makes a kubeconfig that the agent reads, and names the remedy for what can go wrong. A
# kubectl that answers from files stands in for two clusters.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/37-join
JOIN=$SANDBOX_ROOT/deploy/daemonset/remote/meridian-join
SAY=$SANDBOX/says # a file for each thing that kubectl is asked
mkdir "$SAY" "$SANDBOX/bin"
cat >"$SANDBOX/bin/kubectl" <<'STUB'
#!/usr/bin/env bash
printf '%s\n' "$*" >>"$SAY/asked"
case "$*" in
"config get-contexts"*) printf '%s\n' remote home ;;
*jsonpath={.clusters\[0\].cluster.*) key=${*: -1} && key=${key#*cluster.} && cat "$SAY/${key%\}}" 2>/dev/null || true ;;
*jsonpath={.data.token}*) [[ ! -e $SAY/token ]] || base64 -w0 "$SAY/token" ;;
*jsonpath={.data.ca*) echo Y2EtaW4tc2VjcmV0 ;;
*"apply -k"*) [[ ! -e $SAY/no-apply ]] ;;
*"--server-side"*) cat >"$SAY/stored" && [[ ! -e $SAY/no-store ]] ;;
*"get namespace meridian-system"*) [[ ! -e $SAY/no-namespace ]] ;;
*"get services"*) [[ ! -e $SAY/no-list ]] && cp "$(sed 's/--kubeconfig \([^ ]*\).*/\1/' <<<"$*")" "$SAY/tried" ;;
esac
STUB
chmod +x "$SANDBOX/bin/kubectl"
export SAY
join() { PATH=$SANDBOX/bin:$PATH "$JOIN" "$@"; }
# refuses WHAT REGEX ARGUMENT…: it fails, and says so.
refuses() {
  local what=$1 regex=$2 said status

  shift 2
  said=$(join "$@" 2>&1) && status=0 || status=$?
  expect_ok "$what: fails" test "$status" -ne 0
  expect_match "$what: what, and the remedy" "$regex" "$(tr '\n' ' ' <<<"$said")"
}

echo -n https://10.1.0.1:6443 >"$SAY/server"
echo -n Y2EtaW4tY29uZmln >"$SAY/certificate-authority-data"
echo -n secret-token >"$SAY/token"
join --remote remote --name ack-shanghai >"$SANDBOX/made" 2>"$SANDBOX/said"
expect_match "server, authority and token" \
  'server: https://10.1.0.1:6443 .*certificate-authority-data: Y2EtaW4tY29uZmln .*token: secret-token' \
  "$(tr -s ' \n' ' ' <"$SANDBOX/made")"
expect_ok "it was tried as it is" cmp "$SANDBOX/made" "$SAY/tried"
expect_fail "no secret is on a command line, or among what is said" \
  grep -qE 'secret-token|c2VjcmV0LXRva2Vu' "$SAY/asked" "$SANDBOX/said"
expect_match "every request is bounded" '^[1-9][0-9]* 0$' \
  "$(grep -vc '^config' "$SAY/asked") $(grep -v '^config' "$SAY/asked" | grep -vc -- '--request-timeout' || true)"

join --remote remote --name b --home home --server https://b.example:443 >"$SANDBOX/out" 2>"$SANDBOX/said"
expect_eq "into the home cluster: nothing on standard output" "" "$(cat "$SANDBOX/out")"
expect_match "as a key of its own" 'server: https://b.example:443' \
  "$(sed -n 's/^  b\.kubeconfig: //p' "$SAY/stored" | base64 -d)"
expect_match "under a manager of its own, so that other clusters' keys stay" 'field-manager meridian-join-b ' "$(cat "$SAY/asked")"
expect_match "and it says what to write into meridian.yaml" 'kubeconfig: b.kubeconfig' "$(cat "$SANDBOX/said")"

rm "$SAY/certificate-authority-data"
expect_fail "a public authority needs no data" grep -q authority <<<"$(join --remote remote --name b 2>/dev/null)"
echo -n true >"$SAY/insecure-skip-tls-verify"
expect_match "an unverified server gets the cluster's own" 'authority-data: Y2EtaW4tc2VjcmV0' "$(join --remote remote --name b 2>/dev/null)"

touch "$SAY/no-list"
refuses "a server out of reach" 'cannot be listed at https://10.1.0.1:6443.*--no-check' --remote remote --name b
expect_match "unless told not to look" 'token: secret-token' "$(join --remote remote --name b --no-check 2>/dev/null)"
rm "$SAY/no-list"
touch "$SAY/no-apply"
refuses "no rights there" 'cannot be applied to remote.*cluster admin' --remote remote --name b
rm "$SAY/no-apply"
touch "$SAY/no-namespace"
refuses "no agent at home" 'no namespace meridian-system.*apply -k' --remote remote --name b --home home
rm "$SAY/no-namespace"
touch "$SAY/no-store"
refuses "no rights at home" 'cannot be written.*create and patch Secrets' --remote remote --name b --home home
echo -n https://127.0.0.1:6443 >"$SAY/server"
refuses "a server on loopback" 'https://127.0.0.1:6443, which other nodes cannot.*--server' --remote remote --name b
refuses "an unknown context" 'no context nowhere.*get-contexts' --remote nowhere --name b
refuses "a name that is no file's" '--name is A/b' --remote remote --name A/b
refuses "no TLS" 'https://HOST:PORT' --remote remote --name b --server http://x
refuses "one cluster twice" 'the same cluster' --remote remote --name b --home remote
refuses "a value that is missing" 'missing after --name' --remote remote --name
expect_match "help" 'usage: meridian-join' "$(join --help)"
sandbox_end
