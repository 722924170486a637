#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Successes that come quickly on one connection are counted in bundles. None is lost, and each still ends a run of
# errors that another connection has begun.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/31-quick-successes
two_regions
web h1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
eps ack-shanghai reviews 10.1.0.11
failover_policy reviews "{ consecutive5xxErrors: 2, interval: 1s, baseEjectionTime: 1m }"
agent_start h

# Runs in the client: one connection is kept, others fail in between. A line for each answer of the kept one.
cat >"$SANDBOX/talk.sh" <<'END'
ask() {
  local line size=0
  # The builtin would send line by line, and wait for an acknowledgement after each.
  /usr/bin/printf 'GET %s HTTP/1.1\r\nHost: reviews\r\n\r\n' "$2" >&"$1"
  read -r _ status _ <&"$1"
  while read -r line <&"$1" && [[ $line != $'\r' ]]; do
    [[ ${line,,} == content-length:* ]] && size=${line//[!0-9]/}
  done
  read -r -N "$size" <&"$1"
  printf '%s\n' "$status"
}
exec {kept}<>"/dev/tcp/$1/80"
for _ in {1..100}; do ask "$kept" /; done
for _ in {1..5}; do
  exec {other}<>"/dev/tcp/$1/80"
  ask "$other" /broken
  ask "$kept" /
  exec {other}>&-
done
END
answers=$(run_in client bash "$SANDBOX/talk.sh" $VIP | sort | uniq -c | tr -s ' \n' ' ')
expect_eq "answers" " 105 200 5 503 " "$answers"
expect_eq "every failure was followed by a success" 0 "$(stat_of h 10.0.0.11 .run)"
expect_ok "so no two of them are a run" is_health h 10.0.0.11 ACTIVE
none_open() { [[ $(stat_of h 10.0.0.11 .open) == 0 ]]; }
wait_for 5 none_open
expect_eq "every success is counted" 105 "$(stat_of h 10.0.0.11 '.responses[1]')"
expect_eq "every failure, too" 5 "$(stat_of h 10.0.0.11 '.responses[4]')"
expect_between "not each was written at once" 1 30 "$(($(stat_of h 10.0.0.11 '.responses_timed | add') - 5))"

# An interim answer is no success: the final one behind it is the first since the failure, which lies back a while.
cat >"$SANDBOX/interim.sh" <<'END'
exec {fd}<>"/dev/tcp/$1/80"
/usr/bin/printf 'POST / HTTP/1.1\r\nHost: reviews\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n' >&"$fd"
read -r _ interim _ <&"$fd"
read -r _ <&"$fd"
printf 'ok' >&"$fd"
read -r _ final _ <&"$fd"
echo "$interim $final"
END
fail h1
expect_eq "a failure" "status 503" "$(run_in client "$PEER" get $VIP 80 1)"
unfail h1
expect_eq "begins a run" 1 "$(stat_of h 10.0.0.11 .run)"
sleep 0.2
expect_eq "then an interim answer and a success" "100 200" "$(run_in client bash "$SANDBOX/interim.sh" $VIP)"
expect_eq "which ends the run" 0 "$(stat_of h 10.0.0.11 .run)"
wait_for 5 none_open
timed=$(stat_of h 10.0.0.11 '.responses_timed | add')
expect_eq "such a connection once more" "100 200" "$(run_in client bash "$SANDBOX/interim.sh" $VIP)"
wait_for 5 none_open
expect_eq "its success is timed, for it is its first" $((timed + 1)) "$(stat_of h 10.0.0.11 '.responses_timed | add')"

# shellcheck disable=SC2016 # the client's own shell expands it
run_in client bash -c "$(sed '/^exec/,$d' "$SANDBOX/talk.sh")"'
for _ in 1 2; do exec {other}<>"/dev/tcp/$0/80"; ask "$other" /broken; exec {other}>&-; done' $VIP >"$SANDBOX/out"
expect_ok "two in a row eject" wait_for 5 is_health h 10.0.0.11 EJECTED
sandbox_end
