#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A manifest is edited, broken, repaired and deleted; a half-written one changes nothing.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/13-manifests
two_regions
web h1 h2 s1
svc ack-hangzhou reviews $VIP 80
eps ack-hangzhou reviews 10.0.0.11
eps ack-shanghai reviews 10.1.0.11
agent_start h
slice=$SANDBOX/state/ack-hangzhou/slice-default-reviews-ipv4.yaml

expect_eq "as written" "h1=5 s1=5" "$(hits client $VIP 80 10)"
sed -i 's/10.0.0.11/10.0.0.12/' "$slice"
expect_ok "edited" wait_for 5 sees "h2=5 s1=5" client $VIP 80 10

good=$(cat "$slice")
printf '%s\n' "$good" | sed 's/10.0.0.12/10.0.0.400/' >"$slice"
expect_ok "a wrong address is named with its place" \
  wait_for 5 agent_said h "slice-default-reviews-ipv4.yaml:[0-9]+:[0-9]+: "
expect_eq "the last good state holds" "h2=5 s1=5" "$(hits client $VIP 80 10)"
printf '%s\n' "${good:0:${#good}/2}" >"$slice"
sleep 0.2
expect_eq "half a file changes nothing" "h2=5 s1=5" "$(hits client $VIP 80 10)"
expect_match "status tells it" 'slice-default-reviews-ipv4.yaml|broken' "$(ctl h status)"
printf '%s\n' "$good" | sed 's/10.0.0.12/10.0.0.11/' >"$slice"
expect_ok "repaired" wait_for 5 sees "h1=5 s1=5" client $VIP 80 10

# Cut off wherever: at each line's end, and within it.
service=$SANDBOX/state/ack-hangzhou/service-default-reviews.yaml
for file in "$slice" "$service"; do
  good=$(cat "$file") cuts=0
  for ((at = 1; at < ${#good}; at++)); do
    [[ ${good:at:1} == $'\n' || ${good:at-3:1} == $'\n' ]] || continue
    printf '%s' "${good:0:at}" >"$file"
    sleep 0.05
    got=$(hits client $VIP 80 2) cuts=$((cuts + 1))
    [[ $got == "h1=1 s1=1" ]] || expect_eq "cut off after ${good:0:at}" "h1=1 s1=1" "$got"
  done
  expect_between "cut off in many places" 20 80 "$cuts"
  printf '%s\n' "$good" >"$file"
done
expect_eq "whole again" "h1=5 s1=5" "$(hits client $VIP 80 10)"

# An agent that starts beside a broken file: what others tell of goes on, what only the kernel knows stays.
svc ack-hangzhou other 172.16.0.21 80
eps ack-hangzhou other 10.0.0.12
expect_ok "another service" wait_for 5 sees "h2=2" client 172.16.0.21 80 2
printf '%s' "apiVersion: discovery" >"$SANDBOX/state/ack-hangzhou/slice-default-other-ipv4.yaml"
agent_kill h
agent_start h
eps ack-hangzhou reviews
expect_ok "scaled down beside a broken file" wait_for 5 sees "s1=10" client $VIP 80 10
expect_eq "of which the kernel's rows stay" "h2=2" "$(hits client 172.16.0.21 80 2)"
expect_match "told" 'holding 1 services.*slice-default-other.*broken files for' "$(ctl h status | tr '\n' ' ')"
eps ack-hangzhou other 10.0.0.11
expect_ok "whole again" wait_for 5 sees "h1=2" client 172.16.0.21 80 2
nothing_held() { ! grep -q holding <(ctl h status); }
expect_ok "nothing is held any more" wait_for 5 nothing_held
rm "$SANDBOX/state/ack-hangzhou/"*-default-other*

# A manifest may be a link to a file that is kept elsewhere, and written there.
mkdir "$SANDBOX/elsewhere"
eps ack-hangzhou reviews 10.0.0.11
mv "$slice" "$SANDBOX/elsewhere/slice.yaml"
ln -s "$SANDBOX/elsewhere/slice.yaml" "$slice"
sed -i 's/10\.0\.0\.1[0-9]/10.0.0.12/' "$SANDBOX/elsewhere/slice.yaml"
expect_ok "edited behind a link" wait_for 5 sees "h2=1 s1=1" client $VIP 80 2

rm "$slice"
expect_ok "deleted" wait_for 5 sees "s1=10" client $VIP 80 10
mv "$SANDBOX/state/ack-shanghai" "$SANDBOX/state/away"
sleep 0.3
expect_eq "a folder that vanishes takes nothing away" "s1=10" "$(hits client $VIP 80 10)"
mv "$SANDBOX/state/away" "$SANDBOX/state/ack-shanghai"
rm "$SANDBOX/state/ack-hangzhou/service-default-reviews.yaml"
gone() { [[ $(map_dump h mrd_service) != *'"port": 80'* ]]; }
expect_ok "a deleted Service is no service of ours any more" wait_for 5 gone
for map in mrd_route mrd_member mrd_health mrd_stat mrd_ticket mrd_name; do
  expect_eq "$map holds nothing" "[]" "$(map_dump h $map | tr -d ' \n')"
done
sandbox_end
