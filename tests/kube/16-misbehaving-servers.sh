#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What no real server can be brought to answer, by a scripted one for each: storms of 429 and 5xx, answers
# that are cut, that have no end, that are no JSON. All at once, in one agent: each is named, takes nothing
# out of the plan and delays nobody; and each is followed again when it behaves.
set -euo pipefail
# shellcheck source=tests/kube/lib.sh
. "$(dirname "$0")/lib.sh"

kube_begin kube/16-misbehaving-servers
two_regions
node script cluster=ack-hangzhou
link h script

# misbehaves CLUSTER BEHAVIOUR SAID: how its server will answer (scripted_server.py), and what status
# has to say of it.
declare -A BEHAVIOUR=() SAID=()
misbehaves() {
  cluster "$1" cn-shanghai
  BEHAVIOUR[$1]=$2 SAID[$1]=$3
}
misbehaves storm "refuse 429" 'answers 429'
misbehaves storm-of-lists "forget refuse 429" 'answers 429'
misbehaves told-to-wait "refuse 429 5" 'answers 429'
misbehaves lists-told-to-wait "forget refuse 429 5" 'answers 429'
misbehaves errors "refuse 500" 'answers 500'
misbehaves errors-of-lists "forget refuse 500" 'answers 500'
misbehaves unavailable "forget refuse 503 5" 'answers 503'
misbehaves bad-gateway "type text/html" 'text/html and not JSON'
misbehaves bad-gateway-of-lists "forget type text/html" 'text/html and not JSON'
misbehaves garbled "forget garble" 'unencoding'
misbehaves chunks "chunk" 'was cut'
misbehaves chunks-of-lists "forget chunk" 'was cut'
misbehaves endless-object "endless" 'larger than'
misbehaves endless-list "forget endless" 'larger than'
misbehaves endless-refusal "endless 500" 'answers 500'
# In the middle of a name, of an address, of a word.
misbehaves cut-name 'cut "addre' 'was cut'
misbehaves cut-address 'forget cut ["10.1.' 'was cut'
misbehaves cut-word 'cut {"ready":tr' 'was cut'
misbehaves cut-list-word 'forget cut {"ready":tr' 'was cut'
# Nothing is wrong with it, but without gzip it answers nothing.
misbehaves only-gzip gzip ''

# address CLUSTER THIRD: its endpoint; all are different, and sort as their clusters were made.
address() { echo "10.1.$2.$((100 + ${INDEX[$1]}))"; }
declare -A INDEX=()
places=() before=() after=()
kube_certificates "$SANDBOX/kube" "${NODE_ADDRS[script]%% *}"
for name in "${SANDBOX_CLUSTERS[@]:2}"; do
  INDEX[$name]=${#INDEX[@]}
  KUBE_ADDRESS[$name]=${NODE_ADDRS[script]%% *}
  mkdir "$SANDBOX/kube/$name"
  cp "$SANDBOX/kube/ca.crt" "$SANDBOX/kube/$name"
  KUBE_PORT=$((7000 + ${INDEX[$name]})) kube_config "$name" agent "token: scripted"
  CLUSTER_ACCESS[$name]="kubeconfig: $SANDBOX/kube/$name/agent.conf"
  places+=("$SANDBOX/state/$name" "$((7000 + ${INDEX[$name]}))")
  eps "$name" reviews "$(address "$name" 1)"
  before+=("$(address "$name" 1)") after+=("$(address "$name" 2)")
done
bad=$((${#BEHAVIOUR[@]} - 1)) # all but the last one
echo gzip >"$SANDBOX/state/only-gzip/behaviour"
serve script /usr/bin/python3 "$KUBE_TESTS/scripted_server.py" "${KUBE_ADDRESS[storm]}" \
  "$SANDBOX/kube/server.crt" "$SANDBOX/kube/server.key" "${places[@]}"
wait_listen script "$((7000 + ${#INDEX[@]} - 1))"

web h1 h2 s1
svc ack-hangzhou reviews "$VIP" 80
eps ack-hangzhou reviews 10.0.0.11
failover_policy reviews
agent_start h
expect_ok "all of them are read" wait_for 15 planned 10.0.0.11 "${before[@]}"
for name in "${!BEHAVIOUR[@]}"; do
  expect_ok "$name: nothing is wrong" is_well "$name"
done

# behave CLUSTER [BEHAVIOUR]: from now on, in one step.
behave() {
  echo "${2-}" >"$SANDBOX/behaviour.new"
  mv "$SANDBOX/behaviour.new" "$SANDBOX/state/$1/behaviour"
}
# met CLUSTER: for wait_for: its slices have been asked for since then.
met() {
  local word=${BEHAVIOUR[$1]#forget }

  grep -q "endpointslices ${word%% *}" "$SANDBOX/state/$1/requests"
}
# What the kernel has of those that misbehave, as often as there is time for it.
sample() {
  while [[ ! -e $SANDBOX/sampled ]]; do
    ctl h endpoints default/reviews -o json |
      jq -r '[.endpoints[].address | select(startswith("10.1.")) | sub(":9080"; "")] | sort | join(" ")'
    sleep 0.05
  done >"$SANDBOX/samples"
}

poll_start
sleep 1 # a watch that ends sooner was none
sample &
sampler=$!
for name in "${!BEHAVIOUR[@]}"; do
  behave "$name" "${BEHAVIOUR[$name]}"
done
for name in "${!BEHAVIOUR[@]}"; do
  expect_ok "$name is asked again" wait_for "$SOON_S" met "$name"
  eps "$name" reviews "$(address "$name" 2)"
done
for name in "${!BEHAVIOUR[@]}"; do
  [[ -z ${SAID[$name]} ]] || expect_ok "$name is named" wait_for 20 complains "$name" "${SAID[$name]}"
done
refused_often() { (($(grep -c 'endpointslices refuse' "$SANDBOX/state/$1/requests") >= 3)); }
for name in storm storm-of-lists errors errors-of-lists; do
  expect_ok "$name: for a while" wait_for 20 refused_often "$name"
done
eps ack-hangzhou reviews 10.0.0.12
expect_ok "the home cluster goes on, and the one that packs" \
  wait_for "$SOON_S" planned 10.0.0.12 "${before[@]:0:bad}" "${after[bad]}"
expect_eq "which is well" "" "$(told only-gzip .error)"
touch "$SANDBOX/sampled"
wait "$sampler"
expect_between "samples of the plan" 10 100000 "$(wc -l <"$SANDBOX/samples")"
expect_eq "in all of which it stands" "${before[*]:0:bad}" "$(cut -d' ' -f"-$bad" "$SANDBOX/samples" | sort -u)"

for name in "${!BEHAVIOUR[@]}"; do
  [[ $name == only-gzip ]] || behave "$name"
done
expect_ok "all are followed again" wait_for "$AGAIN_S" planned 10.0.0.12 "${after[@]}"
for name in "${!BEHAVIOUR[@]}"; do
  expect_ok "$name: nothing is wrong any more" wait_for "$AGAIN_S" is_well "$name"
done
poll_stop "while servers misbehaved" 100

# least_wait CLUSTER [shared]: ms from a refusal until the same kind is asked for again. shared: but for
# the waits that ended with another kind's, which was answered well.
least_wait() {
  awk -v shared="${2-}" '
    wait[$2] { print $1 - wait[$2] }
    { wait[$2] = $3 == "refuse" ? $1 : 0 }
    shared && $3 == "well" { for (kind in wait) wait[kind] = 0 }' \
    "$SANDBOX/state/$1/requests" | sort -n | head -n 1
}
for name in storm storm-of-lists errors errors-of-lists; do
  expect_between "$name: client-go's first wait, ms" 800 60000 "$(least_wait $name shared)"
done
for name in told-to-wait lists-told-to-wait unavailable; do
  expect_between "$name: Retry-After, ms" 5000 60000 "$(least_wait $name)"
done
expect_ok "the agent lives" agent_running h
sandbox_end
